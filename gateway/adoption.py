"""Takes over the spools of processes that died: nothing they wrote is lost or counted twice."""

import asyncio
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from domain.usage import Intent, Progress
from gateway.records import Kind, Record, decode_intent, decode_outcome, decode_progress
from gateway.segments import SpoolDirectory, SpoolReader
from gateway.settling import Settler, recovered, unknown

BATCH_ROWS = 20_000
"""What waits goes together, so that a backlog shares the cost of a transaction and of its cells."""

_BATCH_BYTES = 4 * 1024 * 1024
"""All that is held in memory of a batch, and leaves it resident: the rest of a backlog is read
while it is sent (gateway/backlog.py)."""
SLICE = 100
"""Records that are read at once."""

log = structlog.get_logger(__name__)


async def next_batch(
    read: Callable[[int], list[Record]], kinds: Collection[Kind] = frozenset(Kind)
) -> tuple[list[Record], bool]:
    """As many records of these kinds as one batch takes, and whether it is full; lets others run
    meanwhile."""
    records: list[Record] = []
    size = 0
    while len(records) < BATCH_ROWS and size < _BATCH_BYTES:
        found = read(SLICE)
        if not found:
            return records, False
        kept = [record for record in found if record.kind in kinds]
        records += kept
        size += sum(len(record.payload) for record in kept)
        await asyncio.sleep(0)
    return records, True


async def adopt(root: Path, settler: Settler, settled: Callable[[int], None]) -> int:
    """Settle the spools of dead processes under `root`, then remove them; returns how many.

    Raises what the database raises when it is away; what is left waits for another time.
    """
    adopted = 0
    for directory in SpoolDirectory.abandoned(root):
        try:
            await _settle(directory, settler, settled)
        except BaseException:
            directory.release()
            raise
        directory.remove()
        adopted += 1
    return adopted


async def _settle(
    directory: SpoolDirectory, settler: Settler, settled: Callable[[int], None]
) -> None:
    """Outcomes as they are, then the requests without one: RECOVERED as far as they had come,
    UNKNOWN where nothing had. What the process had leased is free again then."""
    reader = SpoolReader(directory)
    bare: dict[uuid.UUID, Intent | Progress] = {}
    leases: set[uuid.UUID] = set()
    outcomes, more = 0, True
    while more:
        records, more = await next_batch(lambda limit: reader.read(limit, None))
        batch = [record for record in records if record.kind is Kind.OUTCOME]
        for record in records:
            _match(record, bare, leases, settler)
        outcomes += len(batch)
        if not more:
            batch += [_unfinished(last) for last in bare.values()]
        number = await settler.settle(batch)
        if number is not None:
            settled(number)
    if leases:
        await settler.give_back(leases)
    if outcomes or bare:
        known = sum(isinstance(last, Progress) for last in bare.values())
        log.info(
            "usage spool adopted", outcomes=outcomes, recovered=known, unknown=len(bare) - known
        )


def _unfinished(last: Intent | Progress) -> Record:
    return recovered(last) if isinstance(last, Progress) else unknown(last)


def _match(
    record: Record,
    bare: dict[uuid.UUID, Intent | Progress],
    leases: set[uuid.UUID],
    settler: Settler,
) -> None:
    """Keep in `bare` the last that is known of requests that no outcome has followed, and the
    leases that requests were granted from."""
    try:
        match record.kind:
            case Kind.INTENT:
                intent = decode_intent(record.payload)
                bare[intent.id] = intent
                if intent.lease_id is not None:
                    leases.add(intent.lease_id)
            case Kind.PROGRESS:
                progress = decode_progress(record.payload)
                bare[progress.intent.id] = progress
            case Kind.OUTCOME:
                outcome = decode_outcome(record.payload)
                bare.pop(outcome.id, None)
                if outcome.charge is not None and outcome.charge.lease_id is not None:
                    leases.add(outcome.charge.lease_id)
    except ValueError as error:
        if record.kind is not Kind.OUTCOME:
            settler.keep(record, error)
