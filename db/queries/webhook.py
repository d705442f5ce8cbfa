"""Reads and writes of webhooks and their signing secrets."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, false, func, insert, or_, select, true, update

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.webhook import Webhook, WebhookSecret
from db.queries.usage import Reach
from db.session import AsyncSession

WEBHOOKS: Table = Webhook.metadata.tables[Webhook.__tablename__]
_SECRETS: Table = WebhookSecret.metadata.tables[WebhookSecret.__tablename__]

ORDERS: Mapping[str, tuple[Key, ...]] = {
    "CREATED": (Key(WEBHOOKS.c.id, uuid.UUID),),
    "NAME": (Key(WEBHOOKS.c.name, str), Key(WEBHOOKS.c.id, uuid.UUID)),
}


@dataclass(frozen=True, slots=True)
class WebhookQuery:
    """None means any. `reach` is whose the caller may see."""

    reach: Reach
    organization: uuid.UUID | None = None
    of_installation: bool = False
    event_type: str | None = None
    enabled: bool | None = None
    search: str | None = None
    order: str = "CREATED"
    descending: bool = False


def webhooks(query: WebhookQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes."""
    statement = select(WEBHOOKS).where(in_reach(query.reach))
    if query.organization is not None:
        statement = statement.where(WEBHOOKS.c.organization_id == query.organization)
    if query.of_installation:
        statement = statement.where(WEBHOOKS.c.organization_id.is_(None))
    if query.event_type is not None:
        statement = statement.where(WEBHOOKS.c.event_types.contains([query.event_type]))
    if query.enabled is not None:
        statement = statement.where(WEBHOOKS.c.enabled == query.enabled)
    if query.search:
        found = [
            column.icontains(query.search, autoescape=True)
            for column in (WEBHOOKS.c.name, WEBHOOKS.c.url)
        ]
        statement = statement.where(or_(*found))
    ordering = Ordering(f"webhook.{query.order}", ORDERS[query.order], query.descending)
    return Listed(statement), ordering


def in_reach(reach: Reach) -> ColumnElement[bool]:
    """All of them, or those of the organisation one governs."""
    if reach.everybody:
        return true()
    if reach.organization is None:
        return false()
    return WEBHOOKS.c.organization_id == reach.organization


async def webhooks_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such webhook or it is out of reach."""
    found = await session.execute(
        select(WEBHOOKS).where(among(WEBHOOKS.c.id, ids), in_reach(reach))
    )
    return {row.id: row for row in found}


async def webhook_by_id(session: AsyncSession, id: uuid.UUID, *, reach: Reach) -> Row | None:
    return (await webhooks_by_id(session, [id], reach)).get(id)


async def locked_webhook(session: AsyncSession, id: uuid.UUID, reach: Reach | None) -> Row | None:
    """A webhook that nobody else changes before this transaction ends; without `reach` any."""
    seen = true() if reach is None else in_reach(reach)
    found = await session.execute(
        select(WEBHOOKS).where(WEBHOOKS.c.id == id, seen).with_for_update()
    )
    return found.one_or_none()


async def count_webhooks(session: AsyncSession, organization_id: uuid.UUID | None) -> int:
    """How many an organisation has, or the installation."""
    owner = WEBHOOKS.c.organization_id
    same = owner.is_(None) if organization_id is None else owner == organization_id
    return await session.scalar(select(func.count()).select_from(WEBHOOKS).where(same)) or 0


async def wanting(
    session: AsyncSession, event_type: str, organization_id: uuid.UUID | None
) -> Sequence[uuid.UUID]:
    """Enabled webhooks that want such an event: the installation's, and that organisation's."""
    owner = WEBHOOKS.c.organization_id
    found = await session.scalars(
        select(WEBHOOKS.c.id).where(
            WEBHOOKS.c.enabled,
            WEBHOOKS.c.event_types.contains([event_type]),
            or_(owner.is_(None), owner == organization_id),
        )
    )
    return found.all()


async def add_webhook(session: AsyncSession, values: Mapping[str, Any]) -> Row:
    statement = insert(WEBHOOKS).values(**values).returning(*WEBHOOKS.c)
    return (await session.execute(statement)).one()


async def change_webhook(session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]) -> Row:
    """Set columns and count the version up."""
    statement = (
        update(WEBHOOKS)
        .where(WEBHOOKS.c.id == id)
        .values(version=WEBHOOKS.c.version + 1, **values)
        .returning(*WEBHOOKS.c)
    )
    return (await session.execute(statement)).one()


async def mark_failing(session: AsyncSession, id: uuid.UUID) -> datetime | None:
    """Since when its deliveries fail; no new version, for nobody changed it. None: it is gone."""
    since: datetime | None = await session.scalar(
        update(WEBHOOKS)
        .where(WEBHOOKS.c.id == id)
        .values(
            failing_since=func.coalesce(WEBHOOKS.c.failing_since, func.now()),
            updated_at=WEBHOOKS.c.updated_at,
        )
        .returning(WEBHOOKS.c.failing_since)
    )
    return since


async def clear_failing(session: AsyncSession, id: uuid.UUID) -> None:
    """A delivery arrived."""
    await session.execute(
        update(WEBHOOKS)
        .where(WEBHOOKS.c.id == id, WEBHOOKS.c.failing_since.is_not(None))
        .values(failing_since=None, updated_at=WEBHOOKS.c.updated_at)
    )


async def remove_webhook(session: AsyncSession, id: uuid.UUID) -> None:
    """Delete a webhook with its secrets and deliveries."""
    await session.execute(delete(WEBHOOKS).where(WEBHOOKS.c.id == id))


async def add_secret(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(_SECRETS).values(**values))


async def retire_secrets(session: AsyncSession, webhook_id: uuid.UUID, until: datetime) -> None:
    """The current secret signs until then; those before it no more."""
    of_webhook = _SECRETS.c.webhook_id == webhook_id
    await session.execute(delete(_SECRETS).where(of_webhook, _SECRETS.c.expires_at.is_not(None)))
    await session.execute(update(_SECRETS).where(of_webhook).values(expires_at=until))


async def signing_secrets(
    session: AsyncSession, webhook_ids: Iterable[uuid.UUID], now: datetime
) -> dict[uuid.UUID, list[Row]]:
    """Those that sign at `now`, by webhook, the current one first."""
    found = await session.execute(
        select(_SECRETS)
        .where(
            among(_SECRETS.c.webhook_id, webhook_ids),
            or_(_SECRETS.c.expires_at.is_(None), _SECRETS.c.expires_at > now),
        )
        .order_by(_SECRETS.c.expires_at.desc().nulls_first())
    )
    secrets: dict[uuid.UUID, list[Row]] = {}
    for row in found:
        secrets.setdefault(row.webhook_id, []).append(row)
    return secrets
