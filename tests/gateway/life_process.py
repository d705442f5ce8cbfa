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
    """Dies as `step` says: before or after something is written; `leased`: of a request that was
    granted from a lease."""

    step = ""
    leased = False

    def at(self, step: str, lease: uuid.UUID | None) -> None:
        if self.step == step and (lease is not None or not self.leased):
            die()

    def intent(self, intent: Intent) -> None:
        self.at("before intent", intent.lease_id)
        super().intent(intent)
        self.at("after intent", intent.lease_id)

    def progress(self, progress: Progress) -> None:
        super().progress(progress)
        self.at("progress written", progress.intent.lease_id)

    def outcome(self, outcome: Outcome) -> None:
        lease = None if outcome.charge is None else outcome.charge.lease_id
        self.at("before outcome", lease)
        super().outcome(outcome)
        self.at("outcome written", lease)


async def main(root: Path, database_url: str, base_url: str, step: str, paid: str = "") -> None:
    """Prints where it listens, and serves until it dies; `paid`: out of the caller's credits,
    `leased`: and dies of a request that is granted from a lease."""
    spool, database = Mortal(root), Database(create_engine(database_url))
    spool.step, spool.leased = step, paid == "leased"
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
