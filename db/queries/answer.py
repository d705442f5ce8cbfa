"""Answers kept for Idempotency-Key: claimed by one request, found by the next of the same key."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.keyset import Row
from db.models.answer import KeptAnswer
from db.models.configuration import Process
from db.models.usage import UsageLog
from db.queries.configuration import SILENT
from db.session import AsyncSession

_KEPT = timedelta(hours=24)
_LONGEST = timedelta(hours=1)
"""No request takes longer."""
_AT_ONCE = 100
_ANSWERED = ("OK", "CUT", "CANCELLED", "RECOVERED")


async def claim(
    session: AsyncSession,
    id: bytes,
    *,
    fingerprints: Sequence[str],
    request_id: uuid.UUID,
    process_id: uuid.UUID,
) -> tuple[bool, Row | None]:
    """Whether the key is this request's now; else what is there of another's, None when it has
    just given it up: fingerprint, request_id, answer, master_key_id, is_lost (its process is gone,
    and it was charged).

    `fingerprints` are the request's, the one to be kept first.
    A request whose process died before anything was charged gives its key up.
    """
    old = select(KeptAnswer.id).where(KeptAnswer.created_at < func.now() - _KEPT).limit(_AT_ONCE)
    await session.execute(delete(KeptAnswer).where(KeptAnswer.id.in_(old)))
    values = {"fingerprint": fingerprints[0], "request_id": request_id, "process_id": process_id}
    statement = insert(KeptAnswer).values(id=id, **values)
    claimed = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={**values, "created_at": func.now()},
            where=and_(
                KeptAnswer.answer.is_(None),
                KeptAnswer.fingerprint.in_(fingerprints),
                _GONE,
                ~_CHARGED,
            ),
        ).returning(KeptAnswer.id)
    )
    if claimed is not None:
        return True, None
    return False, (await session.execute(_FOUND.where(KeptAnswer.id == id))).one_or_none()


_GONE = or_(
    KeptAnswer.created_at < func.now() - _LONGEST,
    ~exists().where(Process.id == KeptAnswer.process_id, Process.beat_at > func.now() - SILENT),
)
_CHARGED = exists().where(UsageLog.id == KeptAnswer.request_id, UsageLog.status.in_(_ANSWERED))

_FOUND = select(
    KeptAnswer.fingerprint,
    KeptAnswer.request_id,
    KeptAnswer.answer,
    KeptAnswer.master_key_id,
    and_(_GONE, _CHARGED).label("is_lost"),
)


async def keep(
    session: AsyncSession, id: bytes, request_id: uuid.UUID, answer: bytes, master_key_id: str
) -> None:
    await session.execute(
        update(KeptAnswer)
        .where(KeptAnswer.id == id, KeptAnswer.request_id == request_id)
        .values(answer=answer, master_key_id=master_key_id)
    )


async def release(session: AsyncSession, id: bytes, request_id: uuid.UUID) -> None:
    """The key may be used again: there is no answer."""
    await session.execute(
        delete(KeptAnswer).where(
            KeptAnswer.id == id,
            KeptAnswer.request_id == request_id,
            KeptAnswer.answer.is_(None),
        )
    )
