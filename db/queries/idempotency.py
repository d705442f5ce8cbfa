"""Idempotency keys: claimed once, remembered for a day."""

import uuid
from datetime import timedelta

from sqlalchemy import ColumnElement, Table, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from db.keyset import Row
from db.models.idempotency import IdempotencyKey
from db.session import AsyncSession

_KEYS: Table = IdempotencyKey.metadata.tables[IdempotencyKey.__tablename__]

REMEMBERED = timedelta(hours=24)


async def claim(
    session: AsyncSession, user_id: uuid.UUID, key_hash: bytes, input_hash: bytes
) -> Row | None:
    """None when the key is new: it is then claimed. Else what it was used for.

    Waits for another transaction that is claiming the same key.
    """
    # What others are deleting is left to them: they would wait for us as we for them.
    old = select(_KEYS.c.user_id, _KEYS.c.key_hash).where(
        _KEYS.c.created_at < func.now() - REMEMBERED
    )
    expired = old.with_for_update(skip_locked=True)
    await session.execute(
        delete(_KEYS).where(tuple_(_KEYS.c.user_id, _KEYS.c.key_hash).in_(expired))
    )
    values = {"user_id": user_id, "key_hash": key_hash, "input_hash": input_hash}
    statement = insert(_KEYS).values(**values).on_conflict_do_nothing().returning(_KEYS.c.user_id)
    if (await session.execute(statement)).first() is not None:
        return None
    found = await session.execute(select(_KEYS).where(_is(user_id, key_hash)))
    return found.one()


async def keep(
    session: AsyncSession, user_id: uuid.UUID, key_hash: bytes, object_id: uuid.UUID
) -> None:
    """Remember what was made under a claimed key."""
    await session.execute(update(_KEYS).where(_is(user_id, key_hash)).values(object_id=object_id))


def _is(user_id: uuid.UUID, key_hash: bytes) -> ColumnElement[bool]:
    return (_KEYS.c.user_id == user_id) & (_KEYS.c.key_hash == key_hash)
