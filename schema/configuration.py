"""Which configuration the running processes have applied."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

from auth.policies import Policy
from domain.snapshot import Snapshot
from schema.fields import attribute, object_type
from schema.scalars import BigInt

MOST_PROCESSES = 100


@object_type(Policy.ADMIN, description="A running process that told of itself in the last 15 s.")
class Process:
    host: str
    started_at: datetime
    beat_at: datetime
    applied_number: BigInt = attribute(description="The change it has applied.")
    is_up_to_date: bool

    @classmethod
    def of(cls, row: Any, latest: int) -> Self:
        return cls(
            host=row.host,
            started_at=row.started_at,
            beat_at=row.beat_at,
            applied_number=BigInt(row.applied),
            is_up_to_date=row.applied >= latest,
        )


@object_type(Policy.ADMIN, description='Whether a change is in force everywhere: "3 of 3".')
class ConfigStatus:
    latest_number: BigInt = attribute(description="The newest change that was committed.")
    applied_number: BigInt = attribute(description="The one this process serves by.")
    loaded_at: datetime
    applied: int = attribute(description="How many processes have applied the newest change.")
    running: int = attribute(description="How many processes there are.")
    processes: list[Process] = attribute(
        description=f"The oldest {MOST_PROCESSES}.", size=MOST_PROCESSES
    )

    @classmethod
    def of(cls, snapshot: Snapshot, latest: int, rows: Sequence[Any]) -> Self:
        return cls(
            latest_number=BigInt(latest),
            applied_number=BigInt(snapshot.number),
            loaded_at=datetime.fromtimestamp(snapshot.loaded_at, UTC),
            applied=sum(row.applied >= latest for row in rows),
            running=len(rows),
            processes=[Process.of(row, latest) for row in rows[:MOST_PROCESSES]],
        )
