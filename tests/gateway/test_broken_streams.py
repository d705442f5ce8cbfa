"""Once bytes have reached the client: an upstream's failure is never a clean end."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx2
import openai
import pytest

from domain.usage import UsageSource, UsageStatus
from gateway.watch import Patience
from tests.gateway.plane import KEY, Plane, serving
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

HEADERS = {"authorization": f"Bearer {KEY}"}
BODY = {"model": "auto", "messages": HELLO, "stream": True}


async def _read(plane: Plane, model: str, seen: list[str]) -> None:
    """The words of a stream, as the official SDK gives them."""
    stream = await plane.client.chat.completions.create(model=model, messages=HELLO, stream=True)
    async for part in stream:
        seen.append(part.choices[0].delta.content or "")


async def _received(plane: Plane) -> bytes:
    """The bytes of a stream whose body has no end."""
    pieces: list[bytes] = []
    with pytest.raises(httpx2.RemoteProtocolError, match="incomplete"):
        await _read_raw(f"{plane.base_url}/chat/completions", pieces)
    return b"".join(pieces)


async def _read_raw(url: str, pieces: list[bytes]) -> None:
    async with (
        httpx2.AsyncClient(trust_env=False) as client,
        client.stream("POST", url, headers=HEADERS, json=BODY) as answer,
    ):
        async for piece in answer.aiter_raw():
            pieces.append(piece)


@pytest.mark.parametrize("chunk", [2, 3, 7, 8])
@pytest.mark.parametrize("fault", ["cut", "rst", "malformed", "inband"])
async def test_the_sdk_raises_when_the_upstream_fails_mid_stream(
    plane: Plane, fake_provider: FakeProvider, fault: str, chunk: int
) -> None:
    name = f"fake-{fault}{chunk}-g20"
    plane.model(plane.provider("one", fake_provider.base_url), name)
    seen: list[str] = []

    with pytest.raises(openai.APIError):
        await _read(plane, f"one/{name}", seen)

    assert "".join(seen) == "".join(f"word{n} " for n in range(chunk))
    (outcome,) = await plane.records.settled()
    assert outcome.status is UsageStatus.CUT
    assert outcome.error_class == "PROVIDER_ERROR"
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT"]
    assert outcome.usage_source is UsageSource.ESTIMATED
    assert outcome.usage.output == chunk
    assert outcome.cost == outcome.usage.input * 1_000 + chunk * 4_000


async def test_what_the_client_gets_is_an_error_event_and_a_body_without_end(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-cut2-g20")

    received = await _received(plane)

    *_, last, empty = received.split(b"\n\n")
    assert empty == b""
    assert json.loads(last.removeprefix(b"data: "))["error"] == {
        "message": "`one` broke off its answer.",
        "type": "server_error",
        "param": None,
        "code": "provider_error",
    }
    assert b"[DONE]" not in received


async def test_a_stream_that_falls_silent_is_ended_and_its_upstream_let_go(
    fake_provider: FakeProvider,
) -> None:
    async with serving(
        fake_provider.host_port, patience=Patience(heartbeat=0.05, stall=0.3)
    ) as plane:
        plane.model(plane.provider("one", fake_provider.base_url), "fake-stall2")

        received = await _received(plane)

        assert received.count(b": still working\n\n") >= 2
        assert b"`one` fell silent." in received
        assert (await plane.records.settled())[0].status is UsageStatus.CUT
        await fake_provider.idle()
        assert fake_provider.chats[0].aborted


@pytest.mark.parametrize("chunk", [1, 3, 5])
async def test_a_client_that_leaves_stops_the_upstream_and_pays_what_it_was_sent(
    plane: Plane, fake_provider: FakeProvider, chunk: int
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-n500-g20")
    stream = await plane.client.chat.completions.create(model="auto", messages=HELLO, stream=True)
    seen = 0

    async for part in stream:
        seen += bool(part.choices[0].delta.content)
        if seen == chunk:
            break
    await stream.close()

    (outcome,) = await plane.records.settled()
    await fake_provider.idle()
    served = fake_provider.chats[0]
    assert served.aborted
    assert outcome.status is UsageStatus.CANCELLED
    assert outcome.usage_source is UsageSource.ESTIMATED
    assert chunk <= outcome.usage.output <= served.chunks
    assert served.chunks < 500
    assert outcome.cost == outcome.usage.input * 1_000 + outcome.usage.output * 4_000
    assert [attempt.outcome for attempt in outcome.attempts] == ["CANCELLED"]
    # The client's leaving says nothing of the deployment.
    assert plane.configuration.live.vitals == {}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_before_the_first_byte_stops_the_upstream(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-silent")
    asking: Any = plane.client.chat.completions.create(model="auto", messages=HELLO, stream=stream)
    call = asyncio.create_task(asking)
    await fake_provider.arrived(1)

    call.cancel()
    with suppress(asyncio.CancelledError):
        await call

    (outcome,) = await plane.records.settled()
    await fake_provider.idle()
    assert fake_provider.chats[0].aborted
    assert (outcome.status, outcome.cost) == (UsageStatus.CANCELLED, 0)
    assert outcome.usage_source is UsageSource.NONE
    assert [attempt.outcome for attempt in outcome.attempts] == ["CANCELLED"]


async def test_calls_go_on_after_many_clients_left(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "fake-n500-g20")
    plane.model(one, "fake")

    for _ in range(30):
        stream = await plane.client.chat.completions.create(
            model="one/fake-n500-g20", messages=HELLO, stream=True
        )
        await anext(aiter(stream))
        await stream.close()
    await plane.records.settled(30)
    answers = await asyncio.gather(
        *(plane.client.chat.completions.create(model="one/fake", messages=HELLO) for _ in range(20))
    )

    assert len(answers) == 20
    assert {o.status for o in plane.records.outcomes[:30]} == {UsageStatus.CANCELLED}


async def test_a_reader_who_is_slow_holds_the_upstream_back(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    """What is buffered between the two is bounded, however long the answer."""
    name = "fake-n200000"
    plane.model(plane.provider("one", fake_provider.base_url), name)
    stream = await plane.client.chat.completions.create(model="auto", messages=HELLO, stream=True)
    await anext(aiter(stream))

    served = fake_provider.chats[0]
    before = -1
    while served.bytes_sent != before:
        before = served.bytes_sent
        await asyncio.sleep(0.3)

    assert not served.finished
    assert served.bytes_sent < 20 * 1024 * 1024
    await stream.close()
    await plane.records.settled()


async def test_the_terminal_event_waits_for_the_record(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-g20")
    stream = await plane.client.chat.completions.create(model="auto", messages=HELLO, stream=True)
    plane.records.away = True

    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass

    assert plane.records.outcomes == []


async def test_an_answer_that_cannot_be_recorded_is_not_given(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-t300")
    call = asyncio.create_task(plane.client.chat.completions.create(model="auto", messages=HELLO))
    await fake_provider.arrived(1)
    plane.records.away = True

    with pytest.raises(openai.InternalServerError) as caught:
        await call

    assert caught.value.status_code == 503
    assert caught.value.response.headers["retry-after"] == "1"


async def test_a_server_that_stops_ends_its_streams_with_an_error(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-n500-g20")
    reading = asyncio.create_task(_received(plane))
    await fake_provider.until(lambda provider: any(c.chunks > 2 for c in provider.chats))

    plane.stop()

    received = await reading
    assert b"The server is restarting; try again." in received.split(b"\n\n")[-2]
    (outcome,) = plane.records.outcomes
    assert outcome.status is UsageStatus.CUT
    await fake_provider.idle()
    assert fake_provider.chats[0].aborted


async def test_a_server_that_stops_tells_those_it_has_not_answered(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-silent")
    call = asyncio.create_task(
        plane.client.with_options(max_retries=0).chat.completions.create(
            model="auto", messages=HELLO
        )
    )
    await fake_provider.arrived(1)

    plane.stop()

    with pytest.raises(openai.InternalServerError) as caught:
        await call
    assert caught.value.status_code == 503
    assert plane.records.outcomes[0].status is UsageStatus.CANCELLED
