"""A process that fills a spool until it is killed, and prints what was acknowledged."""

import asyncio
import sys
from pathlib import Path

from gateway.spool import Spool
from tests.usage import intent, outcome


async def main(root: Path) -> None:
    """One line for each acknowledged record: `intent <id>` or `outcome <id>`."""
    spool = Spool(root, segment_bytes=64 * 1024)
    await spool.start()
    while True:
        begun = intent()
        spool.intent(begun)
        sys.stdout.write(f"intent {begun.id}\n")
        sys.stdout.flush()
        spool.outcome(outcome(begun.id))
        sys.stdout.write(f"outcome {begun.id}\n")
        sys.stdout.flush()
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
