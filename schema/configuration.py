"""Which configuration the running processes have applied."""

from datetime import UTC, datetime
from typing import Self

import strawberry

from auth.policies import Policy
from domain.progress import ProcessStanding, Standing
from domain.snapshot import Snapshot
from schema.fields import attribute, edge, object_type
from schema.scalars import BigInt

MOST_PROCESSES = 100


@object_type(Policy.ADMIN, description="A running process that told of itself in the last 15 s.")
class Process:
    host: str
    started_at: datetime
    beat_at: datetime
    applied_number: BigInt = attribute(description="The change it has applied.")
    is_up_to_date: bool
    refused_number: BigInt | None = attribute(
        description="A change it cannot read, such as of a newer release: it goes on with the one"
        " it has applied."
    )

    @classmethod
    def of(cls, process: ProcessStanding, number: int) -> Self:
        return cls(
            host=process.host,
            started_at=process.started_at,
            beat_at=process.beat_at,
            applied_number=BigInt(process.applied),
            is_up_to_date=process.applied >= number,
            refused_number=None if process.refused is None else BigInt(process.refused),
        )


def _processes(standing: Standing, number: int) -> list[Process]:
    return [Process.of(each, number) for each in standing.processes[:MOST_PROCESSES]]


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
    def of(cls, snapshot: Snapshot, standing: Standing) -> Self:
        latest = standing.latest
        return cls(
            latest_number=BigInt(latest),
            applied_number=BigInt(snapshot.number),
            loaded_at=datetime.fromtimestamp(snapshot.loaded_at, UTC),
            applied=standing.applied(latest),
            running=len(standing.processes),
            processes=_processes(standing, latest),
        )


@object_type(Policy.SELF, description='How far a change has come: "2 of 3".')
class ConfigApplied:
    standing: strawberry.Private[Standing]
    number: BigInt = attribute(description="The change it is about.")
    applied: int = attribute(description="How many processes have applied it.")
    running: int = attribute(description="How many processes there are.")
    is_everywhere: bool = attribute(description="Whether all of them have.")

    @classmethod
    def of(cls, standing: Standing, number: int) -> Self:
        return cls(
            standing=standing,
            number=BigInt(number),
            applied=standing.applied(number),
            running=len(standing.processes),
            is_everywhere=standing.everywhere(number),
        )

    @edge(
        description=f"For administrators: which; the oldest {MOST_PROCESSES}.",
        policy=Policy.ADMIN,
        graphql_type=list[Process],
        size=MOST_PROCESSES,
    )
    def processes(self) -> list[Process]:
        return _processes(self.standing, self.number)
