"""Seals every record anew under the first master key, online: a few at a time, in any order.

Servers that run meanwhile hold both keys, so each record opens before and after. What was done is
done: a rotation that was interrupted goes on where it stopped.
"""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from auth.secrets import SecretBox
from db.keyset import Row
from db.queries import rotation as queries
from db.session import AsyncSession, Database
from domain.audit import AuditAction, AuditObject, record
from domain.destination import credential_place
from domain.ports import Place, Sealed
from domain.secret import Secret

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Sealing:
    """Where one table keeps what is sealed. `beside` are columns that follow from the plaintext."""

    column: str
    place: Callable[[Row], Place]
    beside: Callable[[SecretBox, Secret], Mapping[str, Any]] = lambda box, secret: {}


@dataclass(frozen=True, slots=True)
class Progress:
    """`lost` records open under none of our keys and stay as they are."""

    done: int
    lost: int
    left: int


def _by_id(table: str, column: str) -> Callable[[Row], Place]:
    return lambda row: Place(table, column, row.id, 1, "")


SEALINGS: Mapping[str, Sealing] = {
    "peppers": Sealing("ciphertext", _by_id("peppers", "ciphertext")),
    "llm_credentials": Sealing(
        "ciphertext",
        lambda row: credential_place(row.id, row.version, row.destination),
        lambda box, secret: {"fingerprint": box.fingerprint(secret)},
    ),
    "webhook_secrets": Sealing("ciphertext", _by_id("webhook_secrets", "ciphertext")),
    "llm_kept_answers": Sealing(
        "answer", lambda row: Place("llm_kept_answers", "answer", row.request_id, 1, "")
    ),
    "llm_cached_answers": Sealing(
        "answer",
        lambda row: Place("llm_cached_answers", "answer", uuid.UUID(bytes=row.id[:16]), 1, ""),
    ),
}
"""Every table with sealed records; a test compares it with the tables there are."""


async def still_under_others(session: AsyncSession, box: SecretBox) -> dict[str, int]:
    """By table, how many records are not under the first key."""
    first = box.master_key_ids[0]
    return {
        table: await queries.count_sealed(session, table, sealing.column, besides=[first])
        for table, sealing in SEALINGS.items()
    }


async def rotate(database: Database, box: SecretBox) -> AsyncIterator[Progress]:
    """Seal what is under other keys anew, a batch a transaction; tells how far it has come."""
    async with database.read(None) as session:
        total = sum((await still_under_others(session, box)).values())
    done = lost = 0
    for table, sealing in SEALINGS.items():
        skipped: set[Any] = set()
        while True:
            sealed, bad = await _batch(database, box, table, sealing, skipped)
            done += sealed
            lost += len(bad)
            skipped |= bad
            if not sealed:
                break
            yield Progress(done, lost, max(total - done - lost, 0))
    if done:
        async with database.write(None) as session:
            after = {"master_key": box.master_key_ids[0], "records": done, "lost": lost}
            await record(session, AuditAction.ROTATE, AuditObject.MASTER_KEY, None, after=after)
    yield Progress(done, lost, max(total - done - lost, 0))


async def _batch(
    database: Database, box: SecretBox, table: str, sealing: Sealing, skipped: set[Any]
) -> tuple[int, set[Any]]:
    """How many were sealed anew, and the ids of those that do not open."""
    first, sealed, bad = box.master_key_ids[0], 0, set()
    async with database.write(None) as session:
        rows = await queries.sealed_records(
            session, table, sealing.column, besides=first, most=AT_ONCE + len(skipped)
        )
        for row in rows:
            if row.id in skipped:
                continue
            ciphertext = getattr(row, sealing.column)
            try:
                secret = box.open(Sealed(ciphertext, row.master_key_id), sealing.place(row))
            except ValueError:
                bad.add(row.id)
                continue
            fresh = box.seal(secret, sealing.place(row))
            values = {sealing.column: fresh.ciphertext, "master_key_id": fresh.master_key_id}
            await queries.seal_record(
                session, table, row.id, values | dict(sealing.beside(box, secret))
            )
            sealed += 1
    return sealed, bad
