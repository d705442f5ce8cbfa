"""The running configuration: current in every process, and alive through outages."""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import make_url

from db.models.credential import Credential
from db.models.model import Model, Price
from db.models.provider import Provider
from db.models.rule import RoutingDraft, RoutingRule
from db.queries.configuration import processes, record_change
from db.session import Database
from domain.ruleset import Alias, PowerLevel, RuleScope, Strategy
from domain.snapshot import Capability, Timeouts
from gateway.configuration import RunningConfiguration
from tests.gateway.running import NEVER, Told, add_provider, running
from tests.outage import end_connections, outage, server


async def test_the_snapshot_holds_what_the_tables_say(
    database: Database, database_url: str
) -> None:
    provider_id = await add_provider(database, "acme")
    async with database.write(None) as session:
        model = (await session.scalars(select(Model))).one()
        model.enabled = False
        for year, price in ((2026, 200), (2025, 100)):
            valid_from = datetime(year, 1, 1, tzinfo=UTC)
            session.add(
                Price(
                    model_id=model.id, valid_from=valid_from, input=price, output=9, source="test"
                )
            )
        session.add(
            Credential(
                provider_id=provider_id,
                owner_kind="SYSTEM",
                name="key",
                ciphertext=b"sealed",
                master_key_id="m",
                destination="https://acme.test/v1",
                mask="…",
                fingerprint="f",
            )
        )

    async with running(database_url) as (configuration, _):
        snapshot = configuration.snapshot

    deployment = snapshot.by_reference["acme/small"]
    assert snapshot.by_name == {"small": (deployment,), "acme/small": (deployment,)}
    assert snapshot.deployments == {model.id: deployment}
    assert not deployment.enabled
    assert deployment.capabilities == frozenset({Capability.STREAMING})
    assert [price.input for price in deployment.prices] == [100, 200]
    assert deployment.provider.timeouts == Timeouts(first_token_ms=9_000)
    assert [found.ciphertext for found in snapshot.credentials[provider_id]] == [b"sealed"]


async def test_the_live_rule_overrides_the_defaults_and_a_draft_does_not(
    database: Database, database_url: str
) -> None:
    async with database.write(None) as session:
        body = {"strategy": "COST", "aliases": {"fast": {"targets": ["acme/small"]}}}
        session.add(RoutingRule(scope="GLOBAL", version=3, state="LIVE", body=body))
        session.add(RoutingDraft(scope="GLOBAL", base_version=3, revision=1, body={"x": 1}))

    async with running(database_url) as (configuration, _):
        ruleset = configuration.snapshot.ruleset
        assert (ruleset.strategy, ruleset.default_level) == (Strategy.COST, PowerLevel.BALANCED)
        assert ruleset.aliases == {"fast": Alias(targets=("acme/small",))}
        assert ruleset.versions == {RuleScope.GLOBAL: 3}


async def test_refresh_applies_a_change_at_once(database: Database, database_url: str) -> None:
    async with running(database_url, poll_seconds=NEVER) as (configuration, told):
        await told_nothing(configuration, told)
        provider_id = await add_provider(database, "acme")
        await configuration.refresh()

        assert list(configuration.snapshot.by_reference) == ["acme/small"]
        assert configuration.snapshot.number == 1
        assert told.changes == [("provider", provider_id)]


async def told_nothing(configuration: RunningConfiguration, told: Told) -> None:
    assert (configuration.ready, configuration.snapshot.number, told.changes) == (True, 0, [])


async def test_a_hint_reaches_another_process_without_a_poll(
    database: Database, database_url: str
) -> None:
    async with (
        running(database_url, poll_seconds=NEVER) as (here, _),
        running(database_url, poll_seconds=NEVER) as (there, told),
    ):
        await there.changes.listening.wait()
        provider_id = await add_provider(database, "acme")
        await here.refresh()
        await told.of("provider", provider_id)

        assert there.snapshot.number == 1


async def test_a_change_without_any_notification_is_found_by_the_poll(
    database: Database, database_url: str
) -> None:
    async with running(database_url) as (configuration, told):
        provider_id = await add_provider(database, "acme")
        async with asyncio.timeout(30):
            await told.of("provider", provider_id)

        assert configuration.snapshot.number == 1


async def test_a_listener_that_was_killed_compares_when_it_is_back(
    database: Database, database_url: str, server_url: str
) -> None:
    async with running(database_url, poll_seconds=NEVER) as (configuration, told):
        await configuration.changes.listening.wait()
        provider_id = await add_provider(database, "acme")
        name = make_url(database_url).database or ""
        async with server(server_url) as connection:
            assert await end_connections(connection, name, "fairlead changes") == 1
        async with asyncio.timeout(30):
            await told.of("provider", provider_id)
            await configuration.changes.listening.wait()

        assert configuration.snapshot.number == 1


async def test_a_new_api_key_does_not_rebuild_the_snapshot(
    database: Database, database_url: str
) -> None:
    await add_provider(database, "acme")
    async with running(database_url, poll_seconds=NEVER) as (configuration, told):
        before, key = configuration.snapshot, uuid.uuid4()
        async with database.write(None) as session:
            await record_change(session, "apikey", key)
        await configuration.refresh()

        assert configuration.snapshot.number == 2
        assert configuration.snapshot.deployments is before.deployments
        assert told.changes == [("apikey", key)]


async def test_a_configuration_it_cannot_read_is_refused_but_keys_are_still_forgotten(
    database: Database, database_url: str
) -> None:
    await add_provider(database, "acme")
    key = uuid.uuid4()

    async def set_type(value: str) -> None:
        async with database.write(None) as session:
            await session.execute(update(Provider).values(type=value))
            await record_change(session, "provider", None)
            await record_change(session, "apikey", key)

    async with running(database_url, poll_seconds=NEVER) as (configuration, told):
        held = configuration.snapshot
        await set_type("TELEPATHY")
        await configuration.refresh()
        assert configuration.snapshot is held
        assert configuration.ready
        assert told.changes == [("provider", None), ("apikey", key)]

        await set_type("OPENAI")
        await configuration.refresh()
        assert configuration.snapshot.number == 5


async def test_the_last_snapshot_survives_an_outage_and_catches_up_after_it(
    database: Database, database_url: str, server_url: str
) -> None:
    await add_provider(database, "acme")
    async with running(database_url) as (configuration, told):
        held = configuration.snapshot
        async with outage(server_url, database_url):
            async with asyncio.timeout(10):
                await configuration.changes.interrupted.wait()
            await configuration.refresh()
            assert configuration.ready
            assert configuration.snapshot is held
        provider_id = await add_provider(database, "later")
        await told.of("provider", provider_id)

        assert sorted(configuration.snapshot.by_reference) == ["acme/small", "later/small"]


async def test_processes_say_what_they_have_applied(database: Database, database_url: str) -> None:
    async def listed() -> list[tuple[Any, int]]:
        async with database.read(None) as session:
            return [(process.id, process.applied) for process in await processes(session)]

    await add_provider(database, "acme")
    async with running(database_url) as (configuration, _):
        assert await listed() == [(configuration.process_id, 1)]
    assert await listed() == []
