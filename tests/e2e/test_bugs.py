"""A bug behind every kind of door, whose exception holds a secret: none of it is told or logged."""

import json
import secrets
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.e2e.canaries import Canaries
from tests.e2e.installation import Installation, running
from tests.e2e.local import add_models
from tests.e2e.test_secrets import BYOK, CREDENTIAL
from tests.provider.server import FakeProvider

DOORS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("POST", "/v1/chat/completions", {}),
    ("POST", "/v1/messages", {}),
    ("POST", "/v1/embeddings", {}),
    ("POST", "/v1/messages/count_tokens", {}),
    ("GET", "/v1/models", {}),
    ("GET", "/v1/models/x", {}),
    ("POST", "/graphql", {}),
    ("POST", "/graphql", {"accept": "text/event-stream"}),
    ("GET", "/session", {}),
)
COMPLETION = """subscription ($i: CompleteInput!) {
  completion(input: $i) { __typename } }"""


class House:
    """A faulty installation; everything that is answered is looked at."""

    def __init__(self, installation: Installation, client: httpx2.AsyncClient) -> None:
        self.installation = installation
        self.client = client
        self.canaries = Canaries()

    def invent(self, label: str) -> str:
        return self.canaries.add(label, f"{label}-{secrets.token_hex(20)}")

    async def send(self, method: str, path: str, headers: dict[str, str], body: Any) -> None:
        answer = await self.client.request(method, path, headers=headers, json=body)
        self.canaries.look("answers", answer.content)
        self.canaries.look("answers", json.dumps(answer.headers.multi_items()))
        bad = answer.status_code == 500 or "Internal" in answer.text
        assert bad, (method, path, answer.text[:300])

    async def ask(self, document: str, **input: Any) -> None:
        headers = {"authorization": f"Bearer {self.installation.key}"}
        await self.send("POST", "/graphql", headers, {"query": document, "variables": {"i": input}})


async def knock(house: House) -> None:
    """At every door of HTTP and of the socket, before anybody is known."""
    for method, path, more in DOORS:
        headers = more | {"x-bug": "1", "authorization": f"Bearer {house.invent('token')}"}
        headers |= {"cookie": f"fairlead={house.invent('cookie')}"} if path == "/session" else {}
        await house.send(method, path, headers, {"query": "{ __typename }"})
    url = house.installation.base_url.replace("http", "ws") + "/graphql"
    offered = [Subprotocol("graphql-transport-ws")]
    bug = {"x-bug": house.invent("header")}
    async with connect(url, proxy=None, subprotocols=offered, additional_headers=bug) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        with pytest.raises(WebSocketException):
            house.canaries.look("answers", await socket.recv())
        assert socket.close_code == 4500
        house.canaries.look("answers", socket.close_reason or "")


async def trip(house: House, provider: str) -> None:
    """Inside mutations, and on the data plane."""
    for document in (CREDENTIAL, BYOK):
        await house.ask(document, provider=provider, name="x", secret=house.invent("bug-key"))
    key = {"authorization": f"Bearer {house.installation.key}"}
    for kind in ("bug-serve", "bug-pump", "bug-task bug-serve"):
        for path in ("/v1/chat/completions", "/v1/messages"):
            turn = {"role": "user", "content": f"{kind} {house.invent('prompt')}"}
            body = {"model": "local/fake", "messages": [turn], "max_tokens": 5}
            await house.send("POST", path, key, body)
        words = [{"role": "user", "content": f"{kind} {house.invent('prompt')}"}]
        await house.client.post(
            "/graphql",
            headers=key | {"accept": "text/event-stream"},
            json={
                "query": COMPLETION,
                "variables": {"i": {"model": "local/fake", "messages": words}},
            },
        )


async def test_exceptions_with_secrets_in_them_tell_none(folder: Path) -> None:
    async with (
        FakeProvider() as upstream,
        running(
            folder,
            module="tests.e2e.faulty",
            FAIRLEAD_ALLOW_PRIVATE_HOSTS=upstream.host_port,
            LOG_LEVEL="debug",
        ) as installation,
        # A connection whose request met a bug may be closed after the answer.
        httpx2.AsyncClient(
            base_url=installation.base_url,
            trust_env=False,
            timeout=30,
            limits=httpx2.Limits(max_keepalive_connections=0),
        ) as client,
    ):
        house = House(installation, client)
        provider = await add_models(installation, upstream, "fake")
        await knock(house)
        await trip(house, provider)
        assert (await installation.graphql("{ viewer { role } }"))["viewer"]["role"] == "ADMIN"
    log = installation.output.read_text().replace(installation.key, "", 1)
    house.canaries.look("log", log)

    assert house.canaries.met == []
    for kind in ("ValueError", "KeyError", "LookupError", "which led to"):
        assert kind in log, kind
    assert "Task exception was never retrieved" in log
    assert log.count("Traceback") >= len(DOORS) + 10
