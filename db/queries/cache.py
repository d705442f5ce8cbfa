"""Reads and writes of answers that are kept for exact repeats."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.keyset import Row
from db.models.cache import CachedAnswer
from db.session import AsyncSession

_AT_ONCE = 100


async def cached_answer(session: AsyncSession, id: bytes) -> Row | None:
    """One that is not too old: answer, master_key_id."""
    found = await session.execute(
        select(CachedAnswer.answer, CachedAnswer.master_key_id).where(
            CachedAnswer.id == id, CachedAnswer.expires_at > func.now()
        )
    )
    return found.one_or_none()


async def keep_answer(
    session: AsyncSession, id: bytes, answer: bytes, master_key_id: str, seconds: int
) -> None:
    """For so long; some of what is too old goes meanwhile."""
    old = select(CachedAnswer.id).where(CachedAnswer.expires_at < func.now()).limit(_AT_ONCE)
    await session.execute(delete(CachedAnswer).where(CachedAnswer.id.in_(old)))
    values = {
        "answer": answer,
        "master_key_id": master_key_id,
        "expires_at": func.now() + timedelta(seconds=seconds),
    }
    statement = insert(CachedAnswer).values(id=id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
