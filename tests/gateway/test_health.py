"""Health over several processes: what one observes all tell, and of a change webhooks hear once."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from db.keyset import Row
from db.models.configuration import Process
from db.models.credential import Credential
from db.models.health import DeploymentHealth, ProviderHealth
from db.models.provider import Provider, ProviderTest
from db.models.webhook import Webhook, WebhookDelivery
from db.queries.health import claim_probe
from db.session import Database, create_engine
from domain.board import Board
from domain.health import Failure, Health
from domain.observed import HealthState
from domain.observed import ProviderHealth as Observed
from domain.usage import TokenUsage
from gateway.configuration import RunningConfiguration
from gateway.health import HealthReporter
from tests.gateway.running import add_provider, running


class Replica:
    """A process: its configuration, what it observed, and who looks at its board."""

    def __init__(self, database: Database, configuration: RunningConfiguration) -> None:
        self.configuration = configuration
        self.board = Board()
        self.watcher = self.board.watch()
        self.probed: list[uuid.UUID] = []
        self.confirmed: list[uuid.UUID | None] = []
        self.reporter = HealthReporter(
            database,
            configuration,
            self.board,
            lambda id, _=None: self.probed.append(id),
            lambda _, id=None: self.confirmed.append(id),
        )

    async def fail(self, reference: str, count: int = 5) -> None:
        for _ in range(count):
            self.observatory.failed(self._deployment(reference), Failure.SERVER_ERROR)
        await self.reporter.look()

    async def answer(self, reference: str, count: int = 30) -> None:
        usage = TokenUsage(input=10, output=100)
        for _ in range(count):
            self.observatory.succeeded(
                self._deployment(reference), first_token=0.2, duration=1.2, usage=usage
            )
        await self.reporter.look()

    @property
    def observatory(self) -> Any:
        return self.configuration._observatory

    def _deployment(self, reference: str) -> Any:
        return self.configuration.snapshot.by_reference[reference]

    async def told(self) -> dict[str, Observed]:
        """What this process's subscribers hear now."""
        await self.reporter.look()
        return {each.slug: each for each in self.board.newest.values()}


@pytest.fixture
async def replicas(database: Database, database_url: str) -> AsyncIterator[list[Replica]]:
    """Two processes and a provider `acme` with a model."""
    await add_provider(database, "acme")
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            configuration, _told = await stack.enter_async_context(running(database_url))
            engine = create_engine(database_url)
            stack.push_async_callback(engine.dispose)
            found.append(Replica(Database(engine), configuration))
        yield found


async def rows(database: Database, entity: Any) -> Sequence[Row]:
    async with database.read(None) as session:
        return (await session.scalars(select(entity))).all()


async def listen(database: Database) -> None:
    async with database.write(None) as session:
        types = ["provider.health_changed"]
        session.add(Webhook(name="ops", url="https://ops.example/", event_types=types))


async def test_what_one_process_observes_every_process_tells(
    database: Database, replicas: list[Replica]
) -> None:
    one, other = replicas
    before = (await other.told())["acme"]
    await one.fail("acme/small")
    failing = (await other.told())["acme"]

    assert (before.state, before.models) == (HealthState.UNKNOWN, ())
    assert failing.state is HealthState.UNHEALTHY
    [model] = failing.models
    assert (model.circuit, model.vitals[0].error_rate > 0) == (Health.OPEN, True)
    assert failing.since >= before.since


async def test_processes_that_differ_make_it_degraded_and_figures_are_of_all(
    replicas: list[Replica],
) -> None:
    one, other = replicas
    await one.fail("acme/small")
    await other.answer("acme/small")

    told = (await one.told())["acme"]
    assert told.state is HealthState.DEGRADED
    assert len(told.models[0].vitals) == 2
    assert told.models[0].circuit is Health.OPEN


async def test_a_change_is_told_to_webhooks_once(
    database: Database, replicas: list[Replica]
) -> None:
    await listen(database)
    one, other = replicas
    await one.fail("acme/small")
    for _ in range(2):
        await other.fail("acme/small")
        await one.reporter.look()

    [told] = await rows(database, WebhookDelivery)
    data = json.loads(told.body)["data"]
    assert (data["slug"], data["before"], data["after"]) == ("acme", "UNKNOWN", "UNHEALTHY")
    [state] = await rows(database, ProviderHealth)
    assert state.state == "UNHEALTHY"


async def test_beginning_to_be_well_is_no_news(database: Database, replicas: list[Replica]) -> None:
    await listen(database)
    await replicas[0].answer("acme/small")

    assert (await replicas[1].told())["acme"].state is HealthState.HEALTHY
    assert await rows(database, WebhookDelivery) == []


async def beats_no_more(*_: object) -> None:
    """In place of a process's beat."""


async def test_a_process_that_is_gone_has_no_say(
    database: Database, replicas: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = replicas
    await one.fail("acme/small")
    # Who is gone beats no more: a beat in between would bring it back.
    monkeypatch.setattr("gateway.configuration.beat", beats_no_more)
    async with database.write(None) as session:
        await session.execute(
            update(Process)
            .where(Process.id == one.configuration.process_id)
            .values(beat_at=text("now() - interval '16 seconds'"))
        )

    assert (await other.told())["acme"].models == ()
    await one.configuration.stop()
    assert await rows(database, DeploymentHealth) == []


async def test_nothing_is_written_while_nothing_changes(
    database: Database, replicas: list[Replica]
) -> None:
    one = replicas[0]
    await one.answer("acme/small")
    [before] = await rows(database, DeploymentHealth)
    for _ in range(3):
        await one.answer("acme/small", count=1)

    [after] = await rows(database, DeploymentHealth)
    assert (before.at, before.vitals) == (after.at, after.vitals), "figures wait five seconds"


async def test_an_idle_provider_is_tested_by_one_process(
    database: Database, replicas: list[Replica]
) -> None:
    for replica in (*replicas, *replicas):
        await replica.reporter.look()
    [acme] = (each.provider_id for each in replicas[0].board.newest.values())

    assert [id for replica in replicas for id in replica.probed] == [acme]
    async with database.write(None) as session:
        assert not await claim_probe(session, acme, timedelta(seconds=60))


async def test_one_with_traffic_is_not_tested(replicas: list[Replica]) -> None:
    one = replicas[0]
    one.reporter._idle_seconds = 0.0
    await one.answer("acme/small")
    one.reporter._idle_seconds = 300.0
    await one.reporter.look()

    assert one.probed == []


@pytest.mark.parametrize(
    ("ok", "status", "state"),
    [
        (True, 200, HealthState.HEALTHY),
        (False, 500, HealthState.UNHEALTHY),
        (False, None, HealthState.UNHEALTHY),
        (False, 404, HealthState.UNKNOWN),
    ],
)
async def test_without_traffic_the_last_test_speaks(
    database: Database, replicas: list[Replica], ok: bool, status: int | None, state: HealthState
) -> None:
    [acme] = (each.provider_id for each in (await replicas[0].told()).values())
    async with database.write(None) as session:
        session.add(ProviderTest(provider_id=acme, ok=ok, latency_ms=1, http_status=status))

    assert (await replicas[1].told())["acme"].state is state


async def test_one_that_fares_badly_is_tested_sooner(
    database: Database, replicas: list[Replica]
) -> None:
    one = replicas[0]
    await one.fail("acme/small")
    one.probed.clear()
    async with database.write(None) as session:
        earlier = text("now() - interval '31 seconds'")
        await session.execute(update(ProviderHealth).values(probed_at=earlier))
    await one.reporter.look()

    assert len(one.probed) == 1


async def test_a_refused_key_is_asked_about_by_one_process_and_ever_more_seldom(
    database: Database, replicas: list[Replica]
) -> None:
    key = await _key(database)
    asked = []
    for since, last in ((4, None), (6, None), (13, 6), (11, 6), (24 * 60, 8 * 60)):
        now = func.now()
        values = {
            "state": "DISABLED",
            "refused_at": now - timedelta(minutes=since),
            "probed_at": None if last is None else now - timedelta(minutes=last),
        }
        async with database.write(None) as session:
            await session.execute(update(Credential).values(**values))
        for replica in replicas:
            replica.confirmed.clear()
            await replica.told()
        asked.append([id for replica in replicas for id in replica.confirmed])

    # The third was asked about 7 minutes after it was refused: it is again 7 minutes later.
    assert asked == [[], [key], [], [key], [key]]


async def _key(database: Database, **values: Any) -> uuid.UUID:
    async with database.write(None) as session:
        made = Credential(
            provider_id=await session.scalar(select(Provider.id)),
            owner_kind="SYSTEM",
            name="",
            ciphertext=b"",
            master_key_id="",
            destination="",
            mask="",
            fingerprint="",
            **values,
        )
        session.add(made)
        await session.flush()
        return made.id


async def test_one_switched_off_by_hand_is_not_asked_about(
    database: Database, replicas: list[Replica]
) -> None:
    await _key(database, state="DISABLED")
    await replicas[0].told()

    assert replicas[0].confirmed == []


async def test_who_is_slow_hears_only_the_newest(replicas: list[Replica]) -> None:
    one = replicas[0]
    await one.told()
    await one.fail("acme/small")
    await one.reporter.look()

    assert (await anext(one.watcher)).state is HealthState.UNHEALTHY
