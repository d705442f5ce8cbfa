"""How far the running processes have come with applying the configuration."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from db.queries.configuration import latest_change, processes
from db.session import AsyncSession


@dataclass(frozen=True, slots=True)
class ProcessStanding:
    """A process that lives. `applied` is the change it serves by, `refused` one that it cannot
    read, so that it stays with an older."""

    id: uuid.UUID
    host: str
    started_at: datetime
    beat_at: datetime = field(compare=False)
    applied: int
    refused: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """`latest` is the newest change that was committed; the processes come oldest first."""

    latest: int
    processes: tuple[ProcessStanding, ...]

    def applied(self, number: int) -> int:
        """How many processes have applied change `number`."""
        return sum(process.applied >= number for process in self.processes)

    def everywhere(self, number: int) -> bool:
        return bool(self.processes) and self.applied(number) == len(self.processes)


async def standing_of(session: AsyncSession) -> Standing:
    """As the register says now: processes silent for 15 s are gone."""
    rows = await processes(session)
    return Standing(
        await latest_change(session),
        tuple(
            ProcessStanding(row.id, row.host, row.started_at, row.beat_at, row.applied, row.refused)
            for row in rows
        ),
    )
