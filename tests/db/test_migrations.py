"""Migrations on a database that has been in use."""

import asyncio
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from db.migrate import MigrationError, migrate, newest
from db.models import Base
from db.queries.usage_audit import audit_day
from db.queries.week_costs import fold
from db.session import AsyncEngine, Database, create_engine
from db.upgrade import config_for
from tests.conftest import administering
from tests.db.test_rollup import DAYS, NOW, settle

FIRST = "7a112474adef"
PROVIDER = uuid.UUID(int=7)
INSERT = text(
    "INSERT INTO llm_providers (id, slug, name, type, base_url)"
    " VALUES (:id, 'old', 'Old', 'OPENAI', 'https://old.example')"
)


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """A database without any table."""
    name = f"fairlead_migrations_{uuid.uuid4().hex}"
    asyncio.run(administering(server_url, f'CREATE DATABASE "{name}"'))
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    asyncio.run(administering(server_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


def to_first(connection: Connection) -> None:
    command.upgrade(config_for(connection), FIRST)


def back_to_first(connection: Connection) -> None:
    command.downgrade(config_for(connection), FIRST)


def differences(connection: Connection) -> list[object]:
    found: list[object] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    return found


async def slugs(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT slug FROM llm_providers"))).scalars())


async def _there_and_back(url: str) -> None:
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(to_first)
        await connection.execute(INSERT, {"id": PROVIDER})

    await migrate(engine)

    assert await slugs(engine) == ["old"]
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    async with engine.begin() as connection:
        await connection.run_sync(back_to_first)
    assert await slugs(engine) == ["old"]
    await migrate(engine)
    await engine.dispose()


def test_every_migration_keeps_the_data_and_ends_at_the_models(empty: str) -> None:
    asyncio.run(_there_and_back(empty))


async def _again(url: str, forget: pytest.MonkeyPatch) -> None:
    engine = create_engine(url)
    await migrate(engine)
    forget.setattr(sys, "executable", "/nowhere")
    await migrate(engine)
    async with engine.connect() as connection:
        config = await connection.run_sync(config_for)
    await engine.dispose()

    assert ScriptDirectory.from_config(config).get_heads() == [newest()]


def test_a_database_that_is_at_the_newest_starts_no_process(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_again(empty, monkeypatch))


async def _together(url: str) -> None:
    engines = [create_engine(url) for _ in range(6)]
    for _ in range(5):
        await asyncio.gather(*(migrate(engine) for engine in engines))
    for engine in engines:
        await engine.dispose()


def test_replicas_may_start_at_the_same_moment(empty: str) -> None:
    """Nearly half of them ended with "tuple concurrently updated"."""
    asyncio.run(_together(empty))


async def _of_another_release(url: str) -> None:
    engine = create_engine(url)
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(MigrationError, match="Can't locate revision identified by 'later'"):
        await migrate(engine)
    await engine.dispose()


def test_what_keeps_migrations_from_running_is_told(empty: str) -> None:
    asyncio.run(_of_another_release(empty))


BEFORE_PREFILL = "b4c86d20e7a1"
SEEDED = ["REASONING", "STREAMING", "TOOLS", "VISION"]
MODELS = {
    "claude-sonnet-4-5": SEEDED,
    "claude-opus-4-20250514": SEEDED,
    "claude-haiku-4-5": SEEDED,
    "claude-opus-4-1": ["STREAMING"],
    "claude-sonnet-4-6": SEEDED,
    "own-model": SEEDED,
}
CHANGED_BY_HAND = "claude-haiku-4-5"
_MODEL = text(
    "INSERT INTO llm_models (id, provider_id, name, canonical_name, display_name, capabilities)"
    " VALUES (:id, :provider, :name, :name, :name, :capabilities)"
)
_AUDITED = text(
    "INSERT INTO audit_log (id, number, at, action, object_type, object_id, previous_hash, hash)"
    " VALUES (:id, 1, now(), 'UPDATE', 'MODEL', :id, '', '')"
)


async def _capabilities_after(url: str) -> dict[str, list[str]]:
    """By name, of models that were there before the migration."""
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda c: command.upgrade(config_for(c), BEFORE_PREFILL))
        await connection.execute(
            text(
                "INSERT INTO llm_providers (id, slug, name, type, base_url)"
                " VALUES (:id, 'anthropic', 'A', 'ANTHROPIC', 'https://a.example')"
            ),
            {"id": PROVIDER},
        )
        for number, (name, capabilities) in enumerate(MODELS.items(), 100):
            values = {"id": uuid.UUID(int=number), "provider": PROVIDER, "name": name}
            await connection.execute(_MODEL, {**values, "capabilities": capabilities})
            if name == CHANGED_BY_HAND:
                await connection.execute(_AUDITED, {"id": uuid.UUID(int=number)})
    await migrate(engine)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT name, capabilities FROM llm_models"))
        found = {row.name: list(row.capabilities) for row in rows}
    await engine.dispose()
    return found


def test_seeded_models_learn_to_go_on_with_an_answer_unless_somebody_changed_them(
    empty: str,
) -> None:
    found = asyncio.run(_capabilities_after(empty))

    learned = {"claude-sonnet-4-5", "claude-opus-4-20250514"}
    assert {name for name, has in found.items() if "PREFILL" in has} == learned
    assert all(found[name] == ["PREFILL", *SEEDED] for name in learned)
    assert all(found[name] == MODELS[name] for name in MODELS.keys() - learned)


BEFORE_WINDOWS = "e7d3a95b1c40"
_WEEKS = text("SELECT dimension, week, id, name, cost FROM usage_week_costs ORDER BY 1, 2, 3, 4")


async def _cells_after(url: str) -> None:
    engine = create_engine(url)
    await migrate(engine)
    database = Database(engine)
    await settle(database, Random(11))
    while await fold(database):
        pass
    async with engine.connect() as connection:
        folded = (await connection.execute(_WEEKS)).all()
    async with engine.begin() as connection:
        await connection.run_sync(lambda c: command.downgrade(config_for(c), BEFORE_WINDOWS))
    await migrate(engine)

    async with engine.connect() as connection:
        assert (await connection.execute(_WEEKS)).all() == folded
    assert not await fold(database)
    for days in range(DAYS + 1):
        audited = await audit_day(database, (NOW - timedelta(days=days)).date(), mend=False)
        assert audited.differences == []
    await engine.dispose()


def test_cells_that_a_migration_adds_are_what_the_requests_add_up_to(empty: str) -> None:
    asyncio.run(_cells_after(empty))
