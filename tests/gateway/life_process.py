"""A data plane in a process of its own, which dies at the step of a request's life it is told."""

import asyncio
import os
import signal
import sys
import uuid
from pathlib import Path

from db.session import Database, create_engine
from domain.usage import Intent, Outcome, Progress
from gateway.holds import Holds
from gateway.spool import Spool
from gateway.watch import Patience
from gateway.writer import Writer
from tests.gateway.plane import serving

PROCESS = uuid.UUID(int=77)
MODELS = ("fake-n3", "fake-n4-t60000", "fake-n400-g5")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Spool):
    """Dies as `step` says: before or after something is written."""

    step = ""

    def intent(self, intent: Intent) -> None:
        if self.step == "before intent":
            die()
        super().intent(intent)
        if self.step == "after intent":
            die()

    def progress(self, progress: Progress) -> None:
        super().progress(progress)
        if self.step == "progress written":
            die()

    def outcome(self, outcome: Outcome) -> None:
        if self.step == "before outcome":
            die()
        super().outcome(outcome)
        if self.step == "outcome written":
            die()


async def main(root: Path, database_url: str, base_url: str, step: str, paid: str = "") -> None:
    """Prints where it listens, and serves until it dies; `paid`: out of the caller's credits."""
    spool, database = Mortal(root), Database(create_engine(database_url))
    spool.step = step
    await spool.start()
    holds = Holds(database, PROCESS)
    await holds.start()
    writer = Writer(
        database,
        spool,
        settled=lambda _: die() if step == "settled" else None,
    )
    if step == "settled":
        await writer.start()
    host_port = base_url.removeprefix("http://").partition("/")[0]
    patience = Patience(progress=0.1)
    async with serving(host_port, patience=patience, recorder=spool, holds=holds) as plane:
        if paid:
            plane.credits()
        provider = plane.provider("one", base_url)
        for name in MODELS:
            plane.model(provider, name)
        sys.stdout.write(f"{plane.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
