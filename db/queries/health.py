"""What processes observed, read together; the state of providers, changed by one of them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from db.batch import among
from db.keyset import Row
from db.models.configuration import Process
from db.models.credential import Credential
from db.models.health import DeploymentHealth, ProviderHealth
from db.models.model import Model
from db.models.provider import Provider, ProviderTest
from db.queries.configuration import SILENT
from db.session import AsyncSession

_REPORTS: Table = DeploymentHealth.metadata.tables[DeploymentHealth.__tablename__]
_STATES: Table = ProviderHealth.metadata.tables[ProviderHealth.__tablename__]
_TESTS: Table = ProviderTest.metadata.tables[ProviderTest.__tablename__]
_MODELS: Table = Model.metadata.tables[Model.__tablename__]
_PROVIDERS: Table = Provider.metadata.tables[Provider.__tablename__]

_ALIVE = (
    select(
        _REPORTS.c.process_id,
        _REPORTS.c.model_id,
        _REPORTS.c.vitals,
        _REPORTS.c.limited_until,
        _MODELS.c.provider_id,
    )
    .join(Process, Process.id == _REPORTS.c.process_id)
    .join(_MODELS, _MODELS.c.id == _REPORTS.c.model_id)
    .where(Process.beat_at > func.now() - SILENT)
)


async def reports(session: AsyncSession) -> Sequence[Row]:
    """Of every process that is alive: process, model, provider, vitals and `limited_until`."""
    return (await session.execute(_ALIVE)).all()


async def reports_of_models(session: AsyncSession, ids: Iterable[uuid.UUID]) -> Sequence[Row]:
    return (await session.execute(_ALIVE.where(among(_REPORTS.c.model_id, ids)))).all()


async def reports_of_providers(session: AsyncSession, ids: Iterable[uuid.UUID]) -> Sequence[Row]:
    return (await session.execute(_ALIVE.where(among(_MODELS.c.provider_id, ids)))).all()


async def keep_reports(
    session: AsyncSession,
    process_id: uuid.UUID,
    found: Iterable[Mapping[str, Any]],
    gone: Iterable[uuid.UUID],
) -> None:
    """What a process observes now (`model_id`, `vitals`, `limited_until`), and no more."""
    rows = [{"process_id": process_id, **each} for each in found]
    if rows:
        statement = insert(_REPORTS)
        new = statement.excluded
        changed = {"vitals": new.vitals, "limited_until": new.limited_until, "at": func.now()}
        statement = statement.on_conflict_do_update(
            index_elements=["process_id", "model_id"], set_=changed
        )
        await session.execute(statement, rows)
    await session.execute(
        delete(_REPORTS).where(
            _REPORTS.c.process_id == process_id, among(_REPORTS.c.model_id, gone)
        )
    )


async def provider_facts(
    session: AsyncSession, ids: Iterable[uuid.UUID] | None = None
) -> Sequence[Row]:
    """Of each provider, or of those: what is known beside what processes observe.

    `keys` counts the system's keys and `usable_keys` those in use; `ok`, `http_status` and
    `tested_at` are of the last test; `state`, `since` and `probed_at` as stored; all may be None.
    """
    keys = (
        select(
            Credential.provider_id,
            func.count().label("keys"),
            func.sum(case((Credential.state == "ACTIVE", 1), else_=0)).label("usable_keys"),
        )
        .where(Credential.owner_kind == "SYSTEM")
        .group_by(Credential.provider_id)
        .subquery()
    )
    plain = ("id", "slug", "type", "enabled")
    columns: list[ColumnElement[Any]] = [
        *(_PROVIDERS.c[name] for name in plain),
        *(keys.c[name] for name in ("keys", "usable_keys")),
        *(_TESTS.c[name] for name in ("ok", "http_status")),
        _TESTS.c.at.label("tested_at"),
        *(_STATES.c[name] for name in ("state", "since", "probed_at")),
    ]
    statement = (
        select(*columns)
        .outerjoin(keys, keys.c.provider_id == _PROVIDERS.c.id)
        .outerjoin(_TESTS, _TESTS.c.provider_id == _PROVIDERS.c.id)
        .outerjoin(_STATES, _STATES.c.provider_id == _PROVIDERS.c.id)
    )
    if ids is not None:
        statement = statement.where(among(_PROVIDERS.c.id, ids))
    return (await session.execute(statement)).all()


async def change_state(
    session: AsyncSession, provider_id: uuid.UUID, before: str | None, after: str
) -> bool:
    """Whether it was this process that changed the state from `before`; None: there was none."""
    statement = insert(_STATES).values(provider_id=provider_id, state=after)
    changed = statement.on_conflict_do_update(
        index_elements=["provider_id"],
        set_={"state": after, "since": func.now()},
        where=and_(_STATES.c.state == before, _STATES.c.state != after),
    )
    found = await session.execute(changed.returning(_STATES.c.provider_id))
    return found.first() is not None


async def claim_probe(session: AsyncSession, provider_id: uuid.UUID, apart: timedelta) -> bool:
    """Whether this process is to test the provider: nobody has taken it on within `apart`."""
    statement = insert(_STATES).values(
        provider_id=provider_id, state="UNKNOWN", probed_at=func.now()
    )
    claimed = statement.on_conflict_do_update(
        index_elements=["provider_id"],
        set_={"probed_at": func.now()},
        where=or_(_STATES.c.probed_at.is_(None), _STATES.c.probed_at < func.now() - apart),
    )
    found = await session.execute(claimed.returning(_STATES.c.provider_id))
    return found.first() is not None
