"""The whole promise in one walk: add a provider, ask through the SDK, see cost and decision."""

import asyncio
import json
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.installation import Installation, running, start
from tests.e2e.local import CREATE_MODEL, CREATE_PROVIDER
from tests.provider.server import FakeProvider

CREATE_CREDENTIAL = """
mutation ($input: CreateCredentialInput!) {
  createCredential(input: $input) {
    ... on CreateCredentialPayload { credential { mask state } }
    ... on Error { message }
  }
}
"""
EVENTS = """
subscription {
  usageEvents {
    ... on UsageEvent { record { id requestedModel inputTokens outputTokens cost usageSource } }
  }
}
"""
DECISION = """
  snapshotNumber strategy selection margin refusal
  winner { reference }
  fallbackOrder { reference }
  facts { inputTokens isEstimated stream level servedLevel }
  excluded { code count }
  candidates {
    reference eligible rank total expectedCost effectivePrice quality level
    exclusions { code } terms { dimension raw score weight contribution }
  }
"""
EXPLAIN = f"query ($input: ExplainRouteInput!) {{ explainRoute(input: $input) {{ {DECISION} }} }}"
USAGE = f"""
query ($id: ID!) {{
  node(id: $id) {{ ... on UsageRecord {{ cost status decision {{ {DECISION} }} }} }}
}}
"""
QUESTION = "Say something."


async def _subscribe(installation: Installation) -> ClientConnection:
    url = installation.base_url.replace("http", "ws") + "/graphql"
    socket = await connect(url, subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {installation.key}"}}
    await socket.send(json.dumps(init))
    assert json.loads(await socket.recv())["type"] == "connection_ack"
    message = {"id": "1", "type": "subscribe", "payload": {"query": EVENTS}}
    await socket.send(json.dumps(message))
    return socket


async def _configure(installation: Installation, provider: FakeProvider) -> None:
    made = await installation.graphql(
        CREATE_PROVIDER,
        input={"slug": "local", "name": "Local", "type": "CUSTOM", "baseUrl": provider.base_url},
    )
    provider_id = made["createProvider"]["provider"]["id"]
    secret = {"provider": provider_id, "name": "first", "secret": "sk-local-0123456789abcdef"}
    made = await installation.graphql(CREATE_CREDENTIAL, input=secret)
    assert made == {"createCredential": {"credential": {"mask": "sk-…cdef", "state": "ACTIVE"}}}
    for name, price in (
        ("fake-i1000-o20", {"input": "1.00", "output": "4.00"}),
        ("fake-n4", {"input": "3.00", "output": "12.00"}),
    ):
        values = {"provider": provider_id, "name": name, "price": price}
        await installation.graphql(CREATE_MODEL, input=values)


async def _ask(installation: Installation) -> str:
    client = AsyncOpenAI(base_url=f"{installation.base_url}/v1", api_key=installation.key)
    stream = await client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    text = [chunk.choices[0].delta.content or "" async for chunk in stream]
    await client.close()
    return "".join(text)


async def _event(socket: ClientConnection) -> Any:
    async with asyncio.timeout(10):
        return json.loads(await socket.recv())["payload"]["data"]["usageEvents"]


async def test_a_request_is_routed_metered_and_explained(
    open_folder: Path, fake_provider: FakeProvider
) -> None:
    host = fake_provider.base_url.split("/")[2]
    async with running(open_folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=host) as installation:
        await _configure(installation, fake_provider)
        messages = [{"role": "user", "content": QUESTION}]
        question = {"model": "auto", "messages": messages, "stream": True}
        explained = (await installation.graphql(EXPLAIN, input=question))["explainRoute"]
        socket = await _subscribe(installation)
        text = await _ask(installation)
        record = (await _event(socket))["record"]
        await socket.close()
        stored = (await installation.graphql(USAGE, id=record["id"]))["node"]

    assert text == "".join(fake_provider.log[-1].text)
    # The fake provider says 1,000 tokens in and 20 out; the price is $1 and $4 per million.
    assert record["cost"] == stored["cost"] == "0.00108"
    assert record["usageSource"] == "PROVIDER"
    assert (record["inputTokens"], record["outputTokens"]) == (1000, 20)
    assert stored["status"] == "OK"
    assert explained["winner"] == {"reference": "local/fake-i1000-o20"}
    assert stored["decision"] == explained


async def test_what_was_answered_survives_kill_9(
    open_folder: Path, fake_provider: FakeProvider
) -> None:
    host = fake_provider.base_url.split("/")[2]
    installation = await start(open_folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=host)
    await _configure(installation, fake_provider)
    for _ in range(5):
        assert await _ask(installation)
    await installation.kill()

    async with running(open_folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=host) as again:
        again.key = installation.key
        query = "{ usage(period: DAYS_7) { totals { requests cost } } }"
        async with asyncio.timeout(20):
            while True:
                totals = (await again.graphql(query))["usage"]["totals"]
                if totals["requests"] == 5:
                    break
                await asyncio.sleep(0.2)

    assert totals == {"requests": 5, "cost": "0.0054"}
