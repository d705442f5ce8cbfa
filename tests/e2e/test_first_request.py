"""The whole promise in one walk: add a provider, ask through the SDK, see cost and decision."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.installation import Installation, running
from tests.provider.server import FakeProvider

CREATE_PROVIDER = """
mutation ($input: CreateProviderInput!) {
  createProvider(input: $input) {
    ... on CreateProviderPayload { provider { id } }
    ... on Error { message }
  }
}
"""
CREATE_CREDENTIAL = """
mutation ($input: CreateCredentialInput!) {
  createCredential(input: $input) {
    ... on CreateCredentialPayload { credential { mask state } }
    ... on Error { message }
  }
}
"""
CREATE_MODEL = """
mutation ($input: CreateModelInput!) {
  createModel(input: $input) {
    ... on CreateModelPayload { model { reference powerLevel } }
    ... on Error { message }
  }
}
"""
EVENTS = """
subscription {
  usageEvents {
    __typename
    ... on UsageEvent { record { requestedModel inputTokens outputTokens cost usageSource } }
  }
}
"""
DECISION = """
  strategy winner { reference } margin snapshotNumber
  candidates { reference eligible rank total expectedCost exclusions { code } }
"""
USAGE = "{ usageRecords(first: 1) { edges { node { cost status decision { %s } } } } }" % DECISION


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
        model="auto", messages=[{"role": "user", "content": "Say something."}], stream=True
    )
    text = [chunk.choices[0].delta.content or "" async for chunk in stream]
    await client.close()
    return "".join(text)


async def _event(socket: ClientConnection) -> Any:
    async with asyncio.timeout(10):
        return json.loads(await socket.recv())["payload"]["data"]["usageEvents"]


@pytest.mark.e2e
async def test_a_request_is_routed_metered_and_explained(
    tmp_path: Path, fake_provider: FakeProvider
) -> None:
    host = fake_provider.base_url.split("/")[2]
    async with running(tmp_path, FAIRLEAD_ALLOW_PRIVATE_HOSTS=host) as installation:
        await _configure(installation, fake_provider)
        socket = await _subscribe(installation)
        text = await _ask(installation)
        event = await _event(socket)
        await socket.close()

        served = fake_provider.log[-1]
        assert text
        assert event["record"]["inputTokens"] == str(served.prompt_tokens)
        assert event["record"]["usageSource"] == "PROVIDER"
        stored = (await installation.graphql(USAGE))["usageRecords"]["edges"][0]["node"]
        nano = served.prompt_tokens * 1000 + served.completion_tokens * 4000
        assert stored["cost"] == event["record"]["cost"] == f"{nano / 1e9:.9f}"
