"""How far a stream has come is on record, and outlives the segments before it."""

from pathlib import Path

import pytest
from sqlalchemy import select

from db.models.usage import UsageLog
from db.session import Database
from domain.snapshot import ProviderType
from domain.usage import Progress, TokenUsage
from gateway.adoption import adopt
from gateway.spool import Spool
from gateway.watch import Patience
from tests.gateway.adapter.formats import PATHS
from tests.gateway.plane import serving
from tests.gateway.test_chat import HELLO
from tests.gateway.test_spool import names
from tests.gateway.test_writer import died, settler
from tests.provider.server import FakeProvider
from tests.usage import intent, outcome


def _far(begun_id: object, tokens: int) -> Progress:
    begun = intent(begun_id)  # type: ignore[arg-type]
    return Progress(begun, 100, TokenUsage(7, output=tokens), provider_slug="one", cost=tokens)


async def _rows(database: Database) -> list[tuple[object, ...]]:
    async with database.read(None) as session:
        rows = await session.scalars(select(UsageLog).order_by(UsageLog.id))
        return [(row.id, row.status, row.output_tokens, row.cost) for row in rows]


async def test_the_last_progress_is_what_counts_and_an_outcome_counts_more(
    database: Database, tmp_path: Path
) -> None:
    lost, ended = intent(), intent()

    def write(spool: Spool) -> None:
        for one in (lost, ended):
            spool.intent(one)
            spool.progress(_far(one.id, 3))
            spool.progress(_far(one.id, 9))
        spool.outcome(outcome(ended.id))

    await died(tmp_path, write)
    assert await adopt(tmp_path, settler(database, tmp_path), lambda _: None) == 1

    assert await _rows(database) == [(lost.id, "RECOVERED", 9, 9), (ended.id, "OK", 5, 1500)]


async def test_a_spool_left_halfway_changes_nothing_of_what_was_settled_since(
    database: Database, tmp_path: Path
) -> None:
    """A copy of a spool from before its end, as a restored disk has it."""
    ended = intent()

    def halfway(spool: Spool) -> None:
        spool.intent(ended)
        spool.progress(_far(ended.id, 3))

    def whole(spool: Spool) -> None:
        halfway(spool)
        spool.outcome(outcome(ended.id))

    for write in (whole, halfway):
        await died(tmp_path, write)
        await adopt(tmp_path, settler(database, tmp_path), lambda _: None)

    assert await _rows(database) == [(ended.id, "OK", 5, 1500)]


async def test_progress_outlives_the_segment_of_its_intent(
    database: Database, tmp_path: Path
) -> None:
    spool, long = Spool(tmp_path, segment_bytes=1), intent()
    spool.intent(long)
    spool.progress(_far(long.id, 3))
    spool.outcome(outcome())
    while spool.read(10):
        await spool.settled(spool.position)
    assert names(tmp_path, "*/*.spool") == ["00000003.spool", "00000004.spool"]
    await spool.close()

    await adopt(tmp_path, settler(database, tmp_path), lambda _: None)
    assert (long.id, "RECOVERED", 3, 3) in await _rows(database)


async def test_a_stream_notes_how_far_it_has_come(fake_provider: FakeProvider) -> None:
    async with serving(fake_provider.host_port, patience=Patience(progress=0.05)) as plane:
        plane.model(plane.provider("one", fake_provider.base_url), "fake-n60-g5")
        stream = await plane.client.chat.completions.create(
            model="auto", messages=HELLO, stream=True
        )
        async for _ in stream:
            pass
        noted = [progress.usage.output for progress in plane.records.progressed]

    assert noted[0] >= 1
    assert noted == sorted(noted)
    assert len(noted) >= 3
    assert plane.records.outcomes[0].usage.output == 60


@pytest.mark.parametrize("type", [ProviderType.ANTHROPIC, ProviderType.GOOGLE])
async def test_it_notes_what_the_provider_said_its_prompt_came_to(
    fake_provider: FakeProvider, type: ProviderType
) -> None:
    """Should we die, that is charged, and not our count of it at the price of what is new."""
    async with serving(fake_provider.host_port, patience=Patience(progress=0.05)) as plane:
        base_url = fake_provider.origin + PATHS[type]
        made = plane.provider("one", base_url, keys=("sk",), type=type)
        plane.model(made, "fake-i9000-c8000-n60-g5")
        stream = await plane.client.chat.completions.create(
            model="auto", messages=HELLO, stream=True
        )
        async for _ in stream:
            pass
        noted = [progress.usage for progress in plane.records.progressed]

    cached = 8000 if type is ProviderType.ANTHROPIC else 0
    assert {(usage.input, usage.cached) for usage in noted[1:-1]} == {(9000, cached)}
    assert [usage.output for usage in noted] == sorted(usage.output for usage in noted)
    assert len(noted) >= 3
