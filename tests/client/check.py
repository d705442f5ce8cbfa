"""`make client-check`: a server of its own, and the generated client against it."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.e2e.installation import running

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv-client"


async def check(folder: Path) -> int:
    """The status of the program that uses the client."""
    async with running(folder) as installation:
        process = await asyncio.create_subprocess_exec(
            *(HOME / "bin" / "python", ROOT / "tests" / "client" / "use.py"),
            *(installation.base_url, installation.key),
            env={"PYTHONPATH": str(HOME / "generated")},
        )
        return await process.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fairlead-") as made:
        # The user who runs PostgreSQL for root can enter it.
        Path(made).chmod(0o755)
        sys.exit(asyncio.run(check(Path(made))))
