"""kill -9 between hold, dispatch and settlement: each charge once, and no hold stays."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from db.queries.settlement import Settlements
from db.session import Database
from gateway.adoption import adopt
from gateway.holds import Holds
from gateway.settling import Settler
from tests.db.money import check, fund, one, wallet
from tests.gateway.ports import identity
from tests.gateway.test_chat import HELLO
from tests.gateway.test_life import LONG, PLAIN, Doomed, doomed
from tests.provider.server import FakeProvider

__all__ = ["doomed"]

PERSON = identity("user")
DOLLAR = 1_000_000_000
Start = Callable[..., Awaitable[Doomed]]


@pytest.fixture(autouse=True)
async def funded(database: Database) -> AsyncIterator[None]:
    await fund(database, PERSON, DOLLAR)
    yield
    await check(database)


async def ask(process: Doomed, model: str, *, stream: bool = False) -> None:
    """The process dies of it, before or after the answer."""
    with suppress(openai.APIError):
        found: Any = await process.client.chat.completions.create(
            model=model, messages=HELLO, stream=stream
        )
        if stream:
            async for _ in found:
                pass
    await process.died()


async def adopted_twice(database: Database, root: Path) -> None:
    """By this process, then again from a copy of the same spool."""
    spool, copy = root / "spool", root / "copy"
    shutil.copytree(spool, copy)
    for place in (spool, copy):
        settler = Settler(Settlements(database), root / "quarantine")
        assert await adopt(place, settler, lambda _: None) == 1


async def usage(database: Database) -> list[tuple[str, int | None, int]]:
    """(status, cost, credits charged)."""
    async with database.read(None) as session:
        statement = "SELECT status, cost, credits_charged FROM llm_usage_logs"
        return [tuple(row) for row in await session.execute(text(statement))]


async def test_a_hold_without_a_record_is_given_back_once_its_process_is_long_gone(
    doomed: Start, database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> None:
    process = await doomed("before intent", "paid")
    await ask(process, PLAIN)
    await adopted_twice(database, tmp_path)
    held = (await wallet(database, PERSON))[1]
    holds = Holds(database, uuid7())
    early = await holds.sweep()
    async with database.write(None) as session:
        await session.execute(text("UPDATE holds SET created_at = now() - interval '16 minutes'"))

    counts = [await holds.sweep() for _ in range(2)]

    assert held > 0
    assert (early, counts) == (0, [1, 0])
    assert await wallet(database, PERSON) == (DOLLAR, 0, False)
    assert fake_provider.chats == []


async def test_a_bare_intent_gives_its_hold_back_and_is_listed(
    doomed: Start, database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> None:
    process = await doomed("after intent", "paid")
    await ask(process, PLAIN)
    assert (await wallet(database, PERSON))[1] > 0

    await adopted_twice(database, tmp_path)

    assert await wallet(database, PERSON) == (DOLLAR, 0, False)
    assert await usage(database) == [("UNKNOWN", None, 0)]


async def test_an_outcome_that_was_written_is_charged_once(
    doomed: Start, database: Database, tmp_path: Path
) -> None:
    process = await doomed("outcome written", "paid")
    await ask(process, PLAIN)

    await adopted_twice(database, tmp_path)

    [(status, cost, charged)] = await usage(database)
    assert (status, charged) == ("OK", cost)
    assert cost
    assert await wallet(database, PERSON) == (DOLLAR - cost, 0, False)


async def test_a_death_right_after_the_commit_charges_nothing_again(
    doomed: Start, database: Database, tmp_path: Path
) -> None:
    process = await doomed("settled", "paid")
    await ask(process, PLAIN)
    before = await wallet(database, PERSON)

    await adopted_twice(database, tmp_path)

    assert await wallet(database, PERSON) == before
    assert before[0] < DOLLAR
    assert await one(database, "SELECT count(*) FROM transfers WHERE kind = 'CHARGE'") == 1


async def test_a_stream_is_charged_for_what_had_been_passed_on(
    doomed: Start, database: Database, tmp_path: Path
) -> None:
    process = await doomed("progress written", "paid")
    await ask(process, LONG, stream=True)

    await adopted_twice(database, tmp_path)

    [(status, cost, charged)] = await usage(database)
    assert (status, charged) == ("RECOVERED", cost)
    assert cost
    assert await wallet(database, PERSON) == (DOLLAR - cost, 0, False)


@pytest.fixture
async def rich(database: Database) -> int:
    """What the wallet has; a lease of it is worth many requests."""
    await fund(database, PERSON, 999 * DOLLAR)
    return 1_000 * DOLLAR


async def ask_until_it_dies(process: Doomed, model: str, *, stream: bool = False) -> None:
    """Requests in a row until one is granted from a lease, of which the process dies."""
    with suppress(openai.APIError):
        while True:
            found: Any = await process.client.chat.completions.create(
                model=model, messages=HELLO, stream=stream, max_tokens=100
            )
            if stream:
                async for _ in found:
                    pass
    await process.died()


@pytest.mark.parametrize(
    ("step", "ended", "model"),
    [
        ("after intent", "UNKNOWN", PLAIN),
        ("before outcome", "UNKNOWN", PLAIN),
        ("outcome written", "OK", PLAIN),
        ("progress written", "RECOVERED", LONG),
    ],
)
async def test_the_lease_of_a_dead_process_is_given_back_and_each_request_charged_once(
    doomed: Start, database: Database, tmp_path: Path, rich: int, step: str, ended: str, model: str
) -> None:
    process = await doomed(step, "leased")
    await ask_until_it_dies(process, model, stream=model == LONG)
    left = await one(database, "SELECT sum(amount) FROM holds WHERE leased_until IS NOT NULL")

    await adopted_twice(database, tmp_path)

    assert left > 0
    found = await usage(database)
    assert ended in [status for status, _, _ in found]
    charged = sum(amount for _, _, amount in found)
    assert charged > 0
    assert all(amount == (cost or 0) for _, cost, amount in found)
    assert await wallet(database, PERSON) == (rich - charged, 0, False)
    assert await one(database, "SELECT count(*) FROM holds") == 0


async def test_a_lease_that_was_swept_before_its_outcome_is_adopted_changes_no_charge(
    doomed: Start, database: Database, tmp_path: Path, rich: int
) -> None:
    process = await doomed("outcome written", "leased")
    await ask_until_it_dies(process, PLAIN)
    async with database.write(None) as session:
        await session.execute(text("UPDATE holds SET created_at = now() - interval '16 minutes'"))
    assert await Holds(database, uuid7()).sweep() > 0
    assert await wallet(database, PERSON) == (rich, 0, False)

    await adopted_twice(database, tmp_path)

    charged = sum(amount for _, _, amount in await usage(database))
    assert charged > 0
    assert await wallet(database, PERSON) == (rich - charged, 0, False)
