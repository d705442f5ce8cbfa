"""Reads and writes of organisations."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.apikey import ApiKey
from db.models.credential import Credential
from db.models.rule import RoutingDraft, RoutingRule
from db.models.user import Membership, Organization
from db.session import AsyncSession, Caller

ORGANIZATIONS: Table = Organization.metadata.tables[Organization.__tablename__]
_MEMBERSHIPS: Table = Membership.metadata.tables[Membership.__tablename__]

_LOCK = text("SELECT pg_advisory_xact_lock(5023170033)")

ORDERS: Mapping[str, tuple[Key, ...]] = {
    "SLUG": (Key(ORGANIZATIONS.c.slug, str),),
    "NAME": (Key(ORGANIZATIONS.c.name, str), Key(ORGANIZATIONS.c.id, uuid.UUID)),
    "CREATED": (Key(ORGANIZATIONS.c.id, uuid.UUID),),
}


@dataclass(frozen=True, slots=True)
class OrganizationQuery:
    """`search` is looked for in slug and name, whatever the case."""

    search: str | None = None
    order: str = "SLUG"
    descending: bool = False


def organizations(query: OrganizationQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes."""
    statement = select(ORGANIZATIONS)
    if query.search:
        found = [
            column.icontains(query.search, autoescape=True)
            for column in (ORGANIZATIONS.c.slug, ORGANIZATIONS.c.name)
        ]
        statement = statement.where(or_(*found))
    ordering = Ordering(f"organization.{query.order}", ORDERS[query.order], query.descending)
    return Listed(statement), ordering


def _visible(caller: Caller) -> ColumnElement[bool]:
    """Every one for an administrator, else those the caller is in or acts for."""
    if caller.role == "ADMIN":
        return true()
    member = select(_MEMBERSHIPS.c.organization_id).where(
        _MEMBERSHIPS.c.organization_id == ORGANIZATIONS.c.id,
        _MEMBERSHIPS.c.user_id == caller.user_id,
    )
    return or_(ORGANIZATIONS.c.id == caller.organization_id, member.exists())


async def organizations_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], caller: Caller
) -> dict[uuid.UUID, Row]:
    """Organisations by key, as far as the caller may see them."""
    found = await session.execute(
        select(ORGANIZATIONS).where(among(ORGANIZATIONS.c.id, ids), _visible(caller))
    )
    return {row.id: row for row in found}


async def organization_by_slug(session: AsyncSession, slug: str, caller: Caller) -> Row | None:
    """The organisation with this slug, when the caller may see it."""
    found = await session.execute(
        select(ORGANIZATIONS).where(ORGANIZATIONS.c.slug == slug, _visible(caller))
    )
    return found.one_or_none()


async def organization_by_id(session: AsyncSession, id: uuid.UUID) -> Row | None:
    found = await session.execute(select(ORGANIZATIONS).where(ORGANIZATIONS.c.id == id))
    return found.one_or_none()


async def lock_groups(session: AsyncSession) -> None:
    """Held to the end of the transaction: two people of a new group make its organisation once."""
    await session.execute(_LOCK)


async def organization_of_group(session: AsyncSession, issuer: str, group: str) -> uuid.UUID | None:
    """The organisation that follows a group of the identity provider."""
    found = await session.execute(
        select(ORGANIZATIONS.c.id).where(
            ORGANIZATIONS.c.issuer == issuer, ORGANIZATIONS.c.group_name == group
        )
    )
    return found.scalar_one_or_none()


async def locked_organization(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """An organisation that nobody else changes before this transaction ends."""
    found = await session.execute(
        select(ORGANIZATIONS).where(ORGANIZATIONS.c.id == id).with_for_update()
    )
    return found.one_or_none()


async def slug_is_taken(session: AsyncSession, slug: str, but: uuid.UUID) -> bool:
    """Whether another organisation than `but` has this slug."""
    found = await session.execute(
        select(ORGANIZATIONS.c.id).where(ORGANIZATIONS.c.slug == slug, ORGANIZATIONS.c.id != but)
    )
    return found.first() is not None


async def add_organization(session: AsyncSession, values: Mapping[str, Any]) -> Row | None:
    """Insert an organisation, or return None when its slug is taken."""
    statement = insert(ORGANIZATIONS).values(**values)
    statement = statement.on_conflict_do_nothing(index_elements=["slug"])
    return (await session.execute(statement.returning(*ORGANIZATIONS.c))).one_or_none()


async def change_organization(
    session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]
) -> Row:
    """Set columns and count the version up."""
    statement = (
        update(ORGANIZATIONS)
        .where(ORGANIZATIONS.c.id == id)
        .values(version=ORGANIZATIONS.c.version + 1, updated_at=func.now(), **values)
        .returning(*ORGANIZATIONS.c)
    )
    return (await session.execute(statement)).one()


def _rules(
    table: type[RoutingRule] | type[RoutingDraft], id: uuid.UUID
) -> tuple[ColumnElement[bool], ...]:
    return table.scope == "ORGANIZATION", table.scope_id == id


async def references_to(session: AsyncSession, id: uuid.UUID) -> dict[str, int]:
    """How many of each kind of thing belong to an organisation, apart from its members."""
    keys = select(func.count()).where(ApiKey.organization_id == id, ApiKey.revoked_at.is_(None))
    credentials = select(func.count()).where(
        Credential.owner_kind == "ORGANIZATION", Credential.owner_id == id
    )
    rules = select(func.count()).where(*_rules(RoutingRule, id), RoutingRule.state == "LIVE")
    drafts = select(func.count()).where(*_rules(RoutingDraft, id))
    found = await session.execute(
        select(
            keys.scalar_subquery().label("API keys"),
            credentials.scalar_subquery().label("provider keys"),
            (rules.scalar_subquery() + drafts.scalar_subquery()).label(
                "routing rules in force or drafted"
            ),
        )
    )
    return dict(found.one()._mapping)


async def remove_organization(session: AsyncSession, id: uuid.UUID) -> None:
    """Delete an organisation with its memberships, API keys, provider keys and rules."""
    await session.execute(
        delete(Credential).where(Credential.owner_kind == "ORGANIZATION", Credential.owner_id == id)
    )
    for table in (RoutingRule, RoutingDraft):
        await session.execute(delete(table).where(*_rules(table, id)))
    await session.execute(delete(ORGANIZATIONS).where(ORGANIZATIONS.c.id == id))
