"""Reads the routing rules that are, or may become, in force."""

from collections.abc import Sequence

from sqlalchemy import select

from db.models.rule import RoutingRule
from db.session import AsyncSession


async def rules_in_use(session: AsyncSession) -> Sequence[RoutingRule]:
    """LIVE and DRAFT rule sets of every scope, the widest and newest first."""
    statement = (
        select(RoutingRule)
        .where(RoutingRule.state.in_(("LIVE", "DRAFT")))
        .order_by(RoutingRule.scope, RoutingRule.version.desc())
    )
    return (await session.scalars(statement)).all()
