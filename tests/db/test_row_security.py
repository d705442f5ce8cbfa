"""The second wall: under a caller's role a query that names nobody's rows finds only theirs."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from db.guard import ROLE
from db.migrate import migrate
from db.models import Base
from db.session import Database, create_engine
from domain.principal import Principal, Role
from tests.conftest import administering
from tests.policies.world import HOME, OTHER, OWN, World, build_world, mark
from tests.resolvers.conftest import GraphQL

GUARDED = {
    "users": "name",
    "organizations": "name",
    "memberships": "organization_id::text",
    "api_keys": "name",
    "llm_credentials": "name",
    "llm_usage_logs": "model_name",
    "llm_routing_rules": "note",
    "wallets": "id::text",
    "entries": "wallet_id::text",
    "transfers": "reason",
}


@pytest.fixture
async def world(graphql: GraphQL) -> World:
    return await build_world(graphql)


async def all_of(database: Database, table: str, caller: Principal | None) -> list[str]:
    """A query without any condition."""
    async with database.read(caller) as session:
        found = await session.execute(text(f"SELECT {GUARDED[table]} FROM {table}"))
        return [str(value) for (value,) in found]


@pytest.mark.parametrize("table", GUARDED)
async def test_a_query_without_a_condition_leaks_nothing(
    graphql: GraphQL, world: World, table: str
) -> None:
    everything = await all_of(graphql.database, table, None)
    assert sorted(await all_of(graphql.database, table, world.callers["administrator"])) == sorted(
        everything
    )
    user, boss = world.callers["user"], world.callers["organisation's"]
    other = world.callers["other user"]
    assert user is not None
    assert other is not None
    theirs = {mark(OTHER), str(other.user_id), str(other.organization_id)}
    for caller in (user, boss):
        seen = await all_of(graphql.database, table, caller)
        assert seen
        assert theirs.isdisjoint(seen)
        assert len(seen) < len(everything)
    assert {mark(HOME), mark(OWN), str(user.user_id)}.isdisjoint(
        await all_of(graphql.database, table, other)
    )


async def test_nobody_writes_for_others(graphql: GraphQL, world: World) -> None:
    user = world.callers["user"]
    assert user is not None
    insert = "INSERT INTO user_llm_settings (user_id, power_level) VALUES (:id, 'ECO')"
    other = world.callers["other user"]
    assert other is not None
    with pytest.raises(DBAPIError, match="row-level security"):
        async with graphql.database.write(user) as session:
            await session.execute(text(insert), {"id": other.user_id})
    async with graphql.database.write(user) as session:
        for change in (
            "UPDATE users SET role = 'ADMIN' WHERE name = 'canary-other'",
            "UPDATE wallets SET posted = posted + 1 WHERE id <> :me",
            "DELETE FROM api_keys WHERE name = 'canary-other'",
            "UPDATE llm_credentials SET weight = 9 WHERE owner_kind = 'SYSTEM'",
        ):
            done: Any = await session.execute(
                text(change), {"me": user.user_id} if ":me" in change else {}
            )
            assert done.rowcount == 0, change


RAISES = (
    "UPDATE users SET role = 'ADMIN' WHERE id = :me",
    "UPDATE users SET enabled = true WHERE id = :me",
    "INSERT INTO memberships (user_id, organization_id, role, origin)"
    " VALUES (:me, :other, 'ADMIN', 'MANUAL')",
    "UPDATE wallets SET posted = posted + 1000000 WHERE id = :me",
    "UPDATE wallets SET credit_limit = 1000000 WHERE id = :me",
)


@pytest.mark.parametrize("change", RAISES)
async def test_nobody_raises_themselves(graphql: GraphQL, world: World, change: str) -> None:
    """Their own row is where a role, a membership or a balance would be."""
    user, other = world.callers["user"], world.callers["other user"]
    assert user is not None
    assert other is not None
    named = {"me": user.user_id, "other": other.organization_id}
    used = {name: value for name, value in named.items() if f":{name}" in change}
    with pytest.raises(DBAPIError, match="row-level security"):
        async with graphql.database.write(user) as session:
            await session.execute(text(change), used)


async def test_a_partition_by_its_own_name_shows_nothing(graphql: GraphQL, world: World) -> None:
    async with graphql.database.read(None) as session:
        found = await session.scalars(
            text(
                "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class p"
                " ON p.oid = inhparent WHERE p.relname IN ('llm_usage_logs', 'llm_decisions')"
            )
        )
        partitions = list(found)
        held = [await session.scalar(text(f"SELECT count(*) FROM {name}")) for name in partitions]
    assert sum(filter(None, held)) > 0
    async with graphql.database.read(world.callers["administrator"]) as session:
        for name in partitions:
            assert await session.scalar(text(f"SELECT count(*) FROM {name}")) == 0
        assert await session.scalar(text("SELECT count(*) FROM llm_usage_logs"))


async def test_a_callers_session_is_of_a_role_that_is_bound(graphql: GraphQL, world: World) -> None:
    who = text(
        "SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    owned = text("SELECT count(*) FROM pg_tables WHERE tableowner = :role")
    async with graphql.database.read(world.callers["user"]) as session:
        assert tuple((await session.execute(who)).one()) == (ROLE, False)
        assert await session.scalar(owned, {"role": ROLE}) == 0
    async with graphql.database.read(None) as session:
        assert (await session.execute(who)).one()[0] != ROLE


async def test_every_table_with_an_owner_is_guarded_or_named_here(database: Database) -> None:
    """A new table that says whose its rows are needs a policy, or a reason not to have one."""
    owned = {"user_id", "owner_id", "organization_id", "scope_id"}
    tables = {t.name for t in Base.metadata.sorted_tables if owned & set(t.columns.keys())}
    async with database.read(None) as session:
        guarded = await session.scalars(
            text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p')")
        )
    assert tables - set(guarded) - UNGUARDED.keys() == set()


UNGUARDED = {
    "audit_log": "every change reads the newest link of the chain; its field is for administrators",
    "webhooks": "a change of anybody's is told to the receivers of the installation",
    "usage_callers": "sums by number, read by the query that knows whose",
    "usage_caller_days": "sums by number, read by the query that knows whose",
    "usage_organization_days": "sums by number, read by the query that knows whose",
    "usage_organization_hours": "sums by number, read by the query that knows whose",
    "usage_pair_days": "sums by number, read by the query that knows whose",
    "usage_people": "sums by number, read by the query that knows whose",
}


@pytest.fixture
async def plain(server_url: str) -> AsyncIterator[str]:
    """A database of a user who is no superuser and may make no roles, as hosts give them."""
    name, password = f"fairlead_plain_{uuid.uuid4().hex}", "plain"
    create = f"CREATE ROLE {name} LOGIN PASSWORD '{password}'"
    await administering(server_url, create, f"CREATE DATABASE {name} OWNER {name}")
    yield (
        make_url(server_url)
        .set(database=name, username=name, password=password)
        .render_as_string(hide_password=False)
    )
    await administering(
        server_url,
        f"DROP DATABASE {name} WITH (FORCE)",
        f"DROP OWNED BY {name}",
        f"DROP ROLE {name}",
    )


async def test_a_user_who_may_make_no_roles_is_served_and_guarded_once_they_are_let_in(
    plain: str, server_url: str
) -> None:
    engine = create_engine(plain)
    await migrate(engine)
    database = Database(engine)
    caller = Principal(uuid.uuid4(), Role.USER, frozenset())
    count = text("SELECT count(*) FROM users")
    add = text(
        "INSERT INTO users (id, issuer, subject, name, role) VALUES (:id, 'x', 'x', 'x', 'x')"
    )
    async with database.write(None) as session:
        await session.execute(add, {"id": uuid.uuid4()})
    async with database.read(caller) as session:
        assert await session.scalar(count) == 1

    await administering(server_url, f"GRANT {ROLE} TO {make_url(plain).username}")
    await migrate(engine)
    async with database.read(caller) as session:
        assert await session.scalar(text("SELECT current_user")) == ROLE
        assert await session.scalar(count) == 0
    async with database.read(replace(caller, role=Role.ADMIN)) as session:
        assert await session.scalar(count) == 1
    await engine.dispose()
