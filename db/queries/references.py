"""Reads the routing rules that are, or may become, in force."""

from collections.abc import Sequence

from sqlalchemy import literal, select, union_all

from db.keyset import Row
from db.queries.rule import DRAFTS, RULES
from db.session import AsyncSession


async def rules_in_use(session: AsyncSession) -> Sequence[Row]:
    """(scope, state, version, body) of every rule set in force and of every draft, the widest
    first; a draft has the version it was made on."""
    live = select(RULES.c.scope, RULES.c.state, RULES.c.version, RULES.c.body)
    drafts = select(DRAFTS.c.scope, literal("DRAFT"), DRAFTS.c.base_version, DRAFTS.c.body)
    both = union_all(live.where(RULES.c.state == "LIVE"), drafts).subquery()
    order = (both.c.scope, both.c.state.desc(), both.c.version.desc())
    return (await session.execute(select(both).order_by(*order))).all()
