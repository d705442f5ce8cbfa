"""Reads and writes of routing rules: versions are added and retired, never changed."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.rule import RoutingDraft, RoutingRule
from db.queries.model import MODELS
from db.queries.organization import ORGANIZATIONS
from db.queries.provider import PROVIDERS
from db.queries.usage import Reach
from db.session import AsyncSession

RULES: Table = RoutingRule.metadata.tables[RoutingRule.__tablename__]
DRAFTS: Table = RoutingDraft.metadata.tables[RoutingDraft.__tablename__]

_LOCK = text("SELECT pg_advisory_xact_lock(5023170005)")
_REFERENCE: ColumnElement[str] = PROVIDERS.c.slug + "/" + MODELS.c.name
_LIVE = RULES.c.state == "LIVE"


@dataclass(frozen=True, slots=True)
class RuleHolder:
    """Whose rules they are; `id` is an organisation or a person, None for the installation."""

    scope: str
    id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class RuleQuery:
    """Versions of one holder; `states` None means any."""

    holder: RuleHolder
    states: tuple[str, ...] | None = None
    descending: bool = True


def _of(table: Table, holder: RuleHolder) -> ColumnElement[bool]:
    id = table.c.scope_id
    return and_(
        table.c.scope == holder.scope, id.is_(None) if holder.id is None else id == holder.id
    )


def rules(query: RuleQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by version."""
    statement = select(RULES).where(_of(RULES, query.holder))
    if query.states is not None:
        statement = statement.where(RULES.c.state.in_(query.states))
    ordering = Ordering("rule.VERSION", (Key(RULES.c.version, int),), query.descending)
    return Listed(statement), ordering


async def rules_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such version, or it is out of reach."""
    found = await session.execute(select(RULES).where(among(RULES.c.id, ids), _visible(reach)))
    return {row.id: row for row in found}


def _visible(reach: Reach) -> ColumnElement[bool]:
    """The installation's are its administrators'; a person's own, an organisation's governors'."""
    if reach.everybody:
        return true()
    own = _of(RULES, RuleHolder("USER", reach.user))
    if reach.organization is None:
        return own
    return or_(own, _of(RULES, RuleHolder("ORGANIZATION", reach.organization)))


async def lock_rules(session: AsyncSession) -> None:
    """Held to the end of the transaction: nobody else publishes or drafts meanwhile."""
    await session.execute(_LOCK)


async def live_rules(session: AsyncSession, holders: Sequence[RuleHolder]) -> dict[RuleHolder, Row]:
    """The versions in force; absent before the first."""
    found = await session.execute(
        select(RULES).where(_LIVE, or_(*(_of(RULES, holder) for holder in holders)))
    )
    return {RuleHolder(row.scope, row.scope_id): row for row in found}


async def rules_by_version(
    session: AsyncSession, holder: RuleHolder, versions: Iterable[int]
) -> dict[int, Row]:
    found = await session.execute(
        select(RULES).where(_of(RULES, holder), RULES.c.version.in_(list(versions)))
    )
    return {row.version: row for row in found}


async def replace_live_rule(
    session: AsyncSession, holder: RuleHolder, values: Mapping[str, Any]
) -> Row:
    """Retire the version in force and put the next one in its place."""
    of_holder = _of(RULES, holder)
    await session.execute(update(RULES).where(of_holder, _LIVE).values(state="RETIRED"))
    newest = select(func.coalesce(func.max(RULES.c.version), 0)).where(of_holder)
    number = (await session.scalar(newest) or 0) + 1
    added = await session.execute(
        insert(RULES)
        .values(
            scope=holder.scope,
            scope_id=holder.id,
            state="LIVE",
            version=number,
            published_at=func.now(),
            **values,
        )
        .returning(*RULES.c)
    )
    return added.one()


async def draft_of(session: AsyncSession, holder: RuleHolder) -> Row | None:
    found = await session.execute(select(DRAFTS).where(_of(DRAFTS, holder)))
    return found.one_or_none()


async def put_draft(session: AsyncSession, holder: RuleHolder, values: Mapping[str, Any]) -> Row:
    """The holder's one draft, made or replaced; `values` are all its own columns."""
    row = {"scope": holder.scope, "scope_id": holder.id, **values}
    changed = {name: value for name, value in values.items() if name != "id"}
    put = await session.execute(
        upsert(DRAFTS)
        .values(row)
        .on_conflict_do_update(
            index_elements=["scope", "scope_id"], set_={**changed, "updated_at": func.now()}
        )
        .returning(*DRAFTS.c)
    )
    return put.one()


async def delete_draft(session: AsyncSession, holder: RuleHolder) -> None:
    await session.execute(delete(DRAFTS).where(_of(DRAFTS, holder)))


async def models_named(
    session: AsyncSession, names: Iterable[str], *, disabled: bool
) -> Sequence[Row]:
    """(id, reference, name, canonical_name, enabled) of models that any of the names stands for;
    those switched off only where they may be told of."""
    columns = (_REFERENCE, MODELS.c.name, MODELS.c.canonical_name)
    is_on = and_(MODELS.c.enabled, PROVIDERS.c.enabled)
    wanted = list(names)
    found = await session.execute(
        select(
            MODELS.c.id,
            _REFERENCE.label("reference"),
            MODELS.c.name,
            MODELS.c.canonical_name,
            is_on.label("enabled"),
        )
        .join_from(MODELS, PROVIDERS)
        .where(or_(*(column.in_(wanted) for column in columns)))
        .where(or_(literal(disabled), is_on))
        .order_by(MODELS.c.id)
    )
    return found.all()


async def aliases_of_organizations(session: AsyncSession) -> Sequence[Row]:
    """(slug, body) of the rules in force of every organisation that has aliases of its own."""
    found = await session.execute(
        select(ORGANIZATIONS.c.slug, RULES.c.body)
        .join_from(RULES, ORGANIZATIONS, ORGANIZATIONS.c.id == RULES.c.scope_id)
        .where(_LIVE, RULES.c.scope == "ORGANIZATION", RULES.c.body.has_key("aliases"))
        .order_by(ORGANIZATIONS.c.slug)
    )
    return found.all()


async def regions_served(session: AsyncSession) -> set[str]:
    """The regions that providers say they are in."""
    region = PROVIDERS.c.region
    return set(await session.scalars(select(region).where(region.is_not(None)).distinct()))
