"""Reads and writes of routing rules: versions are added and retired, never changed."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, false, func, insert, or_, select, text, true, update

from db.keyset import Key, Listed, Ordering, Row
from db.models.rule import RoutingRule
from db.queries.model import MODELS
from db.queries.provider import PROVIDERS
from db.session import AsyncSession

RULES: Table = RoutingRule.metadata.tables[RoutingRule.__tablename__]

_LOCK = text("SELECT pg_advisory_xact_lock(5023170005)")
_REFERENCE: ColumnElement[str] = PROVIDERS.c.slug + "/" + MODELS.c.name


@dataclass(frozen=True, slots=True)
class RuleQuery:
    """Versions of one scope; `states` None means any."""

    scope: str
    states: tuple[str, ...] | None = None
    descending: bool = True


def rules(query: RuleQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by version."""
    statement = select(RULES).where(RULES.c.scope == query.scope)
    if query.states is not None:
        statement = statement.where(RULES.c.state.in_(query.states))
    ordering = Ordering("rule.VERSION", (Key(RULES.c.version, int),), query.descending)
    return Listed(statement), ordering


async def rules_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], *, visible: bool
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such version, or none of them is `visible`."""
    seen = true() if visible else false()
    found = await session.execute(select(RULES).where(RULES.c.id.in_(list(ids)), seen))
    return {row.id: row for row in found}


async def lock_rules(session: AsyncSession) -> None:
    """Held to the end of the transaction: nobody else publishes meanwhile."""
    await session.execute(_LOCK)


async def live_rule(session: AsyncSession, scope: str) -> Row | None:
    """The version in force, None before the first."""
    found = await session.execute(
        select(RULES).where(RULES.c.scope == scope, RULES.c.state == "LIVE")
    )
    return found.one_or_none()


async def rule_by_version(session: AsyncSession, scope: str, version: int) -> Row | None:
    found = await session.execute(
        select(RULES).where(RULES.c.scope == scope, RULES.c.version == version)
    )
    return found.one_or_none()


async def replace_live_rule(session: AsyncSession, scope: str, values: Mapping[str, Any]) -> Row:
    """Retire the version in force and put the next one in its place."""
    await session.execute(
        update(RULES).where(RULES.c.scope == scope, RULES.c.state == "LIVE").values(state="RETIRED")
    )
    newest = select(func.coalesce(func.max(RULES.c.version), 0)).where(RULES.c.scope == scope)
    number = (await session.scalar(newest) or 0) + 1
    added = await session.execute(
        insert(RULES)
        .values(scope=scope, state="LIVE", version=number, published_at=func.now(), **values)
        .returning(*RULES.c)
    )
    return added.one()


async def names_that_exist(session: AsyncSession, names: Iterable[str]) -> set[str]:
    """Those of `names` that are a reference, a provider's own name or a canonical name."""
    wanted = list(names)
    columns = (_REFERENCE, MODELS.c.name, MODELS.c.canonical_name)
    found = await session.execute(
        select(*columns)
        .join_from(MODELS, PROVIDERS)
        .where(or_(*(column.in_(wanted) for column in columns)))
    )
    return {name for row in found for name in row}.intersection(wanted)
