"""kill -9 at each step of a request's life: what was answered is charged once, the rest listed."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI
from sqlalchemy import select

from db.models.usage import DecisionLog, UsageLog
from db.queries.settlement import Settlements
from db.session import Database
from gateway.adoption import adopt
from gateway.settling import Settler
from tests.gateway.ports import KEY
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

PLAIN, LATE, LONG = "one/fake-n3", "one/fake-n4-t60000", "one/fake-n400-g5"


class Doomed:
    """A process that serves until it is killed."""

    def __init__(self, process: asyncio.subprocess.Process, base_url: str) -> None:
        self._process = process
        self.client = AsyncOpenAI(base_url=base_url, api_key=KEY, max_retries=0)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)

    async def died(self) -> None:
        async with asyncio.timeout(30):
            assert await self._process.wait() == -signal.SIGKILL
        await self.client.close()


@pytest.fixture
def doomed(
    tmp_path: Path, database: Database, database_url: str, fake_provider: FakeProvider
) -> Callable[[str], Awaitable[Doomed]]:
    async def start(step: str, paid: str = "") -> Doomed:
        command = ("-m", "tests.gateway.life_process", str(tmp_path / "spool"))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(*command, database_url, fake_provider.base_url, step, paid),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ,
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            base_url = (await process.stdout.readline()).decode().strip()
        return Doomed(process, base_url)

    return start


@asynccontextmanager
async def broken_off() -> AsyncIterator[None]:
    """The client sees an error, never a clean end."""
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        yield


async def _ask(doomed: Doomed, model: str) -> None:
    await doomed.client.chat.completions.create(model=model, messages=HELLO)


async def _read(doomed: Doomed, model: str, kill_after: int | None = None) -> int:
    """Streams; kills after so many words. Gives the words seen."""
    seen = 0
    with suppress(openai.APIError, openai.APIConnectionError):
        stream = await doomed.client.chat.completions.create(
            model=model, messages=HELLO, stream=True
        )
        async for part in stream:
            seen += bool(part.choices and part.choices[0].delta.content)
            if seen == kill_after:
                doomed.kill()
    return seen


async def _settled_twice(database: Database, root: Path) -> list[UsageLog]:
    """Adopted by this process, then again from a copy of the same spool."""
    spool, copy = root / "spool", root / "copy"
    shutil.copytree(spool, copy)
    rows: list[list[UsageLog]] = []
    numbers: list[int] = []
    for place in (spool, copy):
        settler = Settler(Settlements(database), root / "quarantine")
        assert await adopt(place, settler, numbers.append) == 1
        async with database.read(None) as session:
            rows.append(list(await session.scalars(select(UsageLog))))
    first, second = ([(r.id, r.batch, r.status, r.cost) for r in found] for found in rows)
    assert first == second
    assert len(numbers) <= 1
    return rows[1]


async def test_a_process_that_dies_before_the_intent_has_asked_nobody(
    doomed: Callable[[str], Awaitable[Doomed]],
    database: Database,
    fake_provider: FakeProvider,
    tmp_path: Path,
) -> None:
    process = await doomed("before intent")
    async with broken_off():
        await _ask(process, PLAIN)
    await process.died()

    assert await _settled_twice(database, tmp_path) == []
    assert fake_provider.chats == []


async def _whom(database: Database) -> list[tuple[str, str, str]]:
    """Of the only request: whom it was sent to, and how that ended."""
    async with database.read(None) as session:
        (log,) = await session.scalars(select(DecisionLog))
    return [(each["provider"], each["model"], each["outcome"]) for each in log.attempts]


@pytest.mark.parametrize(
    ("step", "asked"), [("after intent", 0), ("before outcome", 1)], ids=["intent", "answered"]
)
async def test_a_request_without_an_outcome_is_listed_as_unknown(
    doomed: Callable[[str], Awaitable[Doomed]],
    database: Database,
    fake_provider: FakeProvider,
    tmp_path: Path,
    step: str,
    asked: int,
) -> None:
    process = await doomed(step)
    async with broken_off():
        await _ask(process, PLAIN)
    await process.died()

    (row,) = await _settled_twice(database, tmp_path)
    assert (row.status, row.usage_source, row.cost) == ("UNKNOWN", "NONE", None)
    assert await _whom(database) == [("one", "fake-n3", "UNFINISHED")]
    assert len(fake_provider.chats) == asked


async def test_a_request_that_was_dispatched_and_no_more_is_listed_as_unknown(
    doomed: Callable[[str], Awaitable[Doomed]],
    database: Database,
    fake_provider: FakeProvider,
    tmp_path: Path,
) -> None:
    process = await doomed("")
    asking = asyncio.create_task(_read(process, LATE))
    await fake_provider.arrived(1)
    process.kill()
    assert await asking == 0
    await process.died()

    (row,) = await _settled_twice(database, tmp_path)
    assert (row.status, row.usage_source, row.cost) == ("UNKNOWN", "NONE", None)


async def test_the_first_byte_is_on_record_before_it_is_passed_on(
    doomed: Callable[[str], Awaitable[Doomed]],
    database: Database,
    fake_provider: FakeProvider,
    tmp_path: Path,
) -> None:
    process = await doomed("progress written")
    assert await _read(process, LONG) == 0
    await process.died()

    (row,) = await _settled_twice(database, tmp_path)
    assert (row.status, row.usage_source) == ("RECOVERED", "ESTIMATED")
    assert row.output_tokens >= 1
    assert row.provider_slug == "one"


async def test_a_stream_that_dies_midway_is_charged_for_what_was_delivered(
    doomed: Callable[[str], Awaitable[Doomed]],
    database: Database,
    fake_provider: FakeProvider,
    tmp_path: Path,
) -> None:
    process = await doomed("")
    seen = await _read(process, LONG, kill_after=150)
    await process.died()
    await fake_provider.idle()

    (row,) = await _settled_twice(database, tmp_path)
    assert (row.status, row.usage_source) == ("RECOVERED", "ESTIMATED")
    sent = fake_provider.chats[0].chunks
    # A note each 100 ms, an event each 5 ms.
    assert seen / 2 <= row.output_tokens <= sent
    assert row.cost == row.input_tokens * 1_000 + row.output_tokens * 4_000
    assert row.price_id is not None
    assert row.attempts == 1
    async with database.read(None) as session:
        decision = await session.scalar(select(DecisionLog.decision))
    assert decision is not None
    assert decision["order"][0] == str(row.model_id)


@pytest.mark.parametrize("step", ["outcome written", "settled"])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_outcome_is_charged_once_whatever_dies_after_it(
    doomed: Callable[[str], Awaitable[Doomed]],
    database: Database,
    fake_provider: FakeProvider,
    tmp_path: Path,
    step: str,
    stream: bool,
) -> None:
    process = await doomed(step)
    with suppress(openai.APIError, openai.APIConnectionError):
        await (_read(process, PLAIN) if stream else _ask(process, PLAIN))
    await process.died()

    (row,) = await _settled_twice(database, tmp_path)
    (served,) = fake_provider.chats
    assert served.usage is not None
    assert (row.status, row.usage_source) == ("OK", "PROVIDER")
    assert row.input_tokens == served.usage["prompt_tokens"]
    assert row.output_tokens == served.usage["completion_tokens"]
    assert row.cost == row.input_tokens * 1_000 + row.output_tokens * 4_000
