"""Clients that leave: one row each, charged for what was delivered, and nothing left behind."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import anthropic
import orjson
import pytest

from domain.snapshot import Capability, ProviderType
from domain.usage import UsageSource, UsageStatus
from gateway.watch import Patience
from tests.gateway.adapter.formats import PATHS
from tests.gateway.plane import KEY, Plane, serving
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

REASONING = frozenset({Capability.STREAMING, Capability.REASONING})


async def _leave_after(plane: Plane, model: str, words: int) -> None:
    stream = await plane.client.chat.completions.create(model=model, messages=HELLO, stream=True)
    seen = 0
    async for part in stream:
        seen += bool(part.choices and part.choices[0].delta.content)
        if seen == words:
            break
    await stream.close()


async def test_leaving_at_each_chunk_gives_one_row_each(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-n400-g10")
    chunks = range(1, 25)
    await asyncio.gather(*(_leave_after(plane, "one/fake-n400-g10", n) for n in chunks))

    outcomes = await plane.records.settled(len(chunks))
    await fake_provider.idle()
    assert len({outcome.id for outcome in outcomes}) == len(outcomes) == len(chunks)
    assert {(o.status, o.usage_source) for o in outcomes} == {
        (UsageStatus.CANCELLED, UsageSource.ESTIMATED)
    }
    assert all(chat.aborted for chat in fake_provider.chats)
    counts = sorted(outcome.usage.output for outcome in outcomes)
    assert all(count >= n for count, n in zip(counts, chunks, strict=True))
    assert all(o.cost == o.usage.input * 1_000 + o.usage.output * 4_000 for o in outcomes)


async def test_what_is_charged_is_within_a_twentieth_of_what_was_delivered(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-n2000-g5")
    await _leave_after(plane, "one/fake-n2000-g5", 200)

    (outcome,) = await plane.records.settled()
    await fake_provider.idle()
    delivered = fake_provider.chats[0].chunks
    assert outcome.usage.output == pytest.approx(delivered, rel=0.05)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reasoning_model_is_listened_to_and_charged_by_its_own_figure(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    name = "fake-n20-g20-o500-r480" if stream else "fake-t300-o500-r480"
    plane.model(plane.provider("one", fake_provider.base_url), name, capabilities=REASONING)
    if stream:
        await _leave_after(plane, f"one/{name}", 3)
    else:
        asking: Any = plane.client.chat.completions.create(model=f"one/{name}", messages=HELLO)
        call = asyncio.create_task(asking)
        await fake_provider.arrived(1)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call

    (outcome,) = await plane.records.settled()
    assert not fake_provider.chats[0].aborted
    assert (outcome.status, outcome.usage_source) == (UsageStatus.CANCELLED, UsageSource.PROVIDER)
    assert (outcome.usage.output, outcome.usage.reasoning) == (500, 480)


async def test_a_reasoning_model_is_not_listened_to_for_ever(fake_provider: FakeProvider) -> None:
    async with serving(fake_provider.host_port, patience=Patience(unseen=0.3)) as plane:
        one = plane.provider("one", fake_provider.base_url)
        plane.model(one, "fake-n4000-g10", capabilities=REASONING)
        await _leave_after(plane, "one/fake-n4000-g10", 3)

        (outcome,) = await plane.records.settled()
        await fake_provider.idle()
        assert fake_provider.chats[0].aborted
        assert outcome.usage_source is UsageSource.ESTIMATED
        assert outcome.usage.output >= 20


async def test_many_who_leave_cost_the_next_nothing(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    for name in ("fake", "fake-silent", "fake-n500-g20"):
        plane.model(one, name)

    async def leave(turn: int) -> None:
        if turn % 2:
            return await _leave_after(plane, "one/fake-n500-g20", 1)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await plane.client.chat.completions.create(model="one/fake-silent", messages=HELLO)

    for turn in range(0, 300, 20):
        await asyncio.gather(*(leave(turn + n) for n in range(20)))
    # One that left very early may not have been heard at all.
    heard = len(plane.records.intents)
    cancelled = len(await plane.records.settled(heard))
    await fake_provider.idle()
    for _ in range(30):
        await plane.client.chat.completions.create(model="one/fake", messages=HELLO)

    assert cancelled == heard >= 150
    assert fake_provider.open <= 2
    assert {o.status for o in plane.records.outcomes[heard:]} == {UsageStatus.OK}


async def written(
    plane: Plane, version: str, **asked: Any
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a chat was asked in that version of HTTP."""
    body = orjson.dumps({"messages": HELLO, **asked})
    where = urlsplit(plane.base_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    lines = [f"POST /v1/chat/completions HTTP/{version}", "host: x", f"authorization: Bearer {KEY}"]
    head = "\r\n".join([*lines, f"content-length: {len(body)}", "", ""])
    writer.write(head.encode() + body)
    return reader, writer


@pytest.mark.parametrize("stream", [False, True])
async def test_who_sends_no_more_counts_as_gone_as_who_closes_does(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    """The two look alike from here until something is sent, and waiting for that costs money."""
    plane.model(plane.provider("one", fake_provider.base_url), "fake-t2000")
    reader, writer = await written(plane, "1.1", model="one/fake-t2000", stream=stream)
    await fake_provider.arrived(1)
    writer.write_eof()

    (outcome,) = await plane.records.settled()
    assert outcome.status is UsageStatus.CANCELLED
    async with asyncio.timeout(5):
        assert b"[DONE]" not in await reader.read()
    await fake_provider.idle()
    assert fake_provider.chats[0].aborted
    writer.close()


async def test_a_client_of_http_1_0_has_its_stream_without_chunks(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    reader, writer = await written(plane, "1.0", model="one/fake", stream=True)
    async with asyncio.timeout(5):
        head_, _, events = (await reader.read()).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head_
    lines = [line for line in events.split(b"\n\n") if line]
    assert all(line.startswith(b"data: ") for line in lines)
    assert lines[-1] == b"data: [DONE]"
    writer.close()


@pytest.mark.parametrize("type", [ProviderType.ANTHROPIC, ProviderType.GOOGLE])
@pytest.mark.parametrize("native", [False, True])
async def test_who_leaves_pays_for_the_prompt_what_the_provider_said_it_came_to(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, native: bool
) -> None:
    """Not our count of it, most of which may have come from a cache at a tenth of the price."""
    name = "fake-i9000-c8000-n400-g10"
    made = plane.provider("one", fake_provider.origin + PATHS[type], keys=("sk",), type=type)
    plane.model(made, name)
    if native:
        origin = plane.base_url.removesuffix("/v1")
        claude = anthropic.AsyncAnthropic(base_url=origin, api_key=KEY, max_retries=0)
        asked: Any = {"model": f"one/{name}", "messages": HELLO, "max_tokens": 500}
        async with claude, claude.messages.stream(**asked) as stream:
            texts = [await anext(stream.text_stream) for _ in range(9)]
        assert len(texts) == 9
    else:
        await _leave_after(plane, f"one/{name}", 9)

    (outcome,) = await plane.records.settled()
    used = outcome.usage
    assert (outcome.status, outcome.usage_source) == (UsageStatus.CANCELLED, UsageSource.ESTIMATED)
    assert (used.input, used.cached) == (9000, 8000 if type is ProviderType.ANTHROPIC else 0)
    assert 9 <= used.output <= 40
    assert outcome.attempts[0].reason is None
