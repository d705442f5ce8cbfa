"""SIGTERM: a deploy that nobody notices, and a quick end for who asks twice."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from tests.e2e.installation import Installation, start
from tests.e2e.local import add_models
from tests.provider.server import FakeProvider

STREAMS = 500
DONE = b"data: [DONE]\n\n"


def _question(model: str) -> dict[str, object]:
    messages = [{"role": "user", "content": "Hello"}]
    return {"model": f"local/{model}", "messages": messages, "stream": True}


@asynccontextmanager
async def _asking(
    installation: Installation, model: str, connections: int = 20
) -> AsyncIterator[tuple[httpx2.AsyncClient, dict[str, object]]]:
    client = httpx2.AsyncClient(
        trust_env=False,
        timeout=60,
        base_url=installation.base_url,
        headers={"authorization": f"Bearer {installation.key}"},
        limits=httpx2.Limits(max_connections=connections),
    )
    async with client:
        yield client, _question(model)


async def _read(client: httpx2.AsyncClient, question: dict[str, object]) -> bytes:
    received = []
    try:
        async with client.stream("POST", "/v1/chat/completions", json=question) as answer:
            async for piece in answer.aiter_raw():
                received.append(piece)
    except httpx2.RemoteProtocolError:
        pass
    return b"".join(received)


async def _stopped(installation: Installation) -> str:
    async with asyncio.timeout(60):
        assert await installation.process.wait() == 0
    said = installation.output.read_text()
    assert "Traceback" not in said
    return said


async def test_a_deploy_under_many_streams_cuts_none(
    open_folder: Path, fake_provider: FakeProvider
) -> None:
    served = await start(
        open_folder,
        FAIRLEAD_ALLOW_PRIVATE_HOSTS=fake_provider.host_port,
        FAIRLEAD_SHUTDOWN_DELAY="1.5",
    )
    await add_models(served, fake_provider, "fake-n60-g100")
    async with _asking(served, "fake-n60-g100", STREAMS + 10) as (client, question):
        streams = [asyncio.create_task(_read(client, question)) for _ in range(STREAMS)]
        await fake_provider.arrived(STREAMS)
        served.process.terminate()
        while (ready := await client.get("/readyz")).status_code == 200:
            pass
        late = asyncio.create_task(_read(client, question))
        await fake_provider.arrived(STREAMS + 1)
        while (refused := await client.post("/v1/chat/completions", json={})).status_code != 503:
            assert refused.status_code == 400
        alive = await client.get("/livez")
        answers = await asyncio.gather(*streams, late)
    await _stopped(served)

    assert (ready.status_code, ready.text) == (503, "stopping\n")
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["connection"] == "close"
    assert refused.json()["error"]["code"] == "unavailable"
    assert alive.status_code == 200
    assert sum(answer.endswith(DONE) for answer in answers) == STREAMS + 1


async def test_what_outlasts_the_grace_ends_with_an_error_event_and_is_on_record(
    open_folder: Path, fake_provider: FakeProvider
) -> None:
    host = fake_provider.host_port
    env = {"FAIRLEAD_ALLOW_PRIVATE_HOSTS": host, "FAIRLEAD_SHUTDOWN_GRACE": "0.5"}
    served = await start(open_folder, **env)
    await add_models(served, fake_provider, "fake-n4000-g20")
    async with _asking(served, "fake-n4000-g20") as (client, question):
        reading = asyncio.create_task(_read(client, question))
        await fake_provider.until(lambda provider: any(c.chunks > 5 for c in provider.chats))
        served.process.terminate()
        received = await reading
    await _stopped(served)

    assert b"The server is restarting; try again." in received.split(b"\n\n")[-2]
    again = await start(open_folder, **env)
    records = await again.graphql(
        "{ usageRecords(first: 5) { nodes { status usageSource outputTokens } } }", key=served.key
    )
    again.process.terminate()
    await again.process.wait()
    (record,) = records["usageRecords"]["nodes"]
    assert (record["status"], record["usageSource"]) == ("CUT", "ESTIMATED")
    assert record["outputTokens"] > 5


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_is_quick(
    open_folder: Path, fake_provider: FakeProvider, second: signal.Signals
) -> None:
    host = fake_provider.host_port
    served = await start(open_folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=host)
    await add_models(served, fake_provider, "fake-n4000-g20")
    async with _asking(served, "fake-n4000-g20") as (client, question):
        reading = asyncio.create_task(_read(client, question))
        await fake_provider.until(lambda provider: any(c.chunks > 5 for c in provider.chats))
        served.process.terminate()
        while (await client.get("/readyz")).status_code == 200:
            pass
        assert not reading.done()
        began = time.monotonic()
        served.process.send_signal(second)
        received = await reading
    said = await _stopped(served)

    assert b"The server is restarting; try again." in received
    assert time.monotonic() - began < 20
    assert "requests are cut off" in said
