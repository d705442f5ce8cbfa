"""However an address is written, nothing that takes a URL connects to one that is forbidden.

The whole corpus goes through the guard in tests/gateway/egress/test_guard.py; here a sample of it
goes in at every door, and what is stored is used as it would be. Every way this process could open
a connection is watched, and a port on every local address listens.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from domain.errors import Unavailable
from domain.principal import Principal
from fairlead.openid import OpenIdProvider, OpenIdSettings
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.webhook import Deliverer
from tests.gateway.egress.corpus import PRIVATE_NAMES, forms, urls
from tests.gateway.plane import KEY, Plane, serving
from tests.resolvers.conftest import GraphQL, add_provider
from tests.resolvers.webhooks import TEST as TEST_WEBHOOK
from tests.resolvers.webhooks import UPDATE as UPDATE_WEBHOOK
from tests.resolvers.webhooks import create, created, sent

CREATE = """
mutation ($input: CreateProviderInput!) {
  createProvider(input: $input) {
    __typename ... on CreateProviderPayload { provider { id baseUrl } }
  }
}
"""
UPDATE = """
mutation ($input: UpdateProviderInput!) {
  updateProvider(input: $input) {
    __typename ... on UpdateProviderPayload { provider { baseUrl } }
  }
}
"""
TEST = """
mutation ($id: ID!) {
  testProvider(input: {id: $id}) {
    __typename ... on TestProviderPayload { provider { lastTest { ok error } } }
  }
}
"""
DISCOVER = "mutation ($id: ID!) { discoverModels(input: {provider: $id}) { __typename } }"
EVERY = 151
"""Of the corpus: a prime, so that each way of writing gets its turn."""
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngiLCJ0eXAiOiJKV1QifQ.e30.AAAA"


@dataclass
class Watch:
    """`crossed` is where this process tried to connect, `heard` what came to the listener."""

    port: int = 0
    ours: set[int] = field(default_factory=set)
    crossed: list[object] = field(default_factory=list)
    heard: list[object] = field(default_factory=list)

    def sample(self) -> list[str]:
        named = [url for name in PRIVATE_NAMES for url in forms(name, self.port)]
        return list(dict.fromkeys([*urls(self.port)[::EVERY], *named[::3]]))

    def silent(self) -> bool:
        return not self.crossed and not self.heard


async def private(host: str, port: int) -> Sequence[str]:
    """Every name is this machine."""
    return ["127.0.0.1", "::1"]


@pytest.fixture
async def plane(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plane]:
    """A data plane for which every name is this machine."""

    def guard(hosts: Sequence[str]) -> AddressGuard:
        return AddressGuard(hosts, resolve=private)

    monkeypatch.setattr("tests.gateway.plane.AddressGuard", guard)
    async with serving() as plane:
        yield plane


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    """What tests and listings of providers go out by, for which every name is this machine."""
    http = HttpClient(AddressGuard(resolve=private))
    yield http
    await http.close()


@pytest.fixture
async def watch(
    graphql: GraphQL, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watch]:
    watch = Watch(ours={graphql.database.engine.url.port or 0, urlsplit(plane.base_url).port or 0})
    connect = asyncio.BaseEventLoop.create_connection

    async def watched(
        loop: Any, protocol: Any, host: Any = None, port: Any = None, **more: Any
    ) -> Any:
        if port in watch.ours or more.get("sock") is not None:
            return await connect(loop, protocol, host, port, **more)
        watch.crossed.append((host, port))
        raise OSError

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", watched)
    server = await asyncio.start_server(lambda *pair: watch.heard.append(pair), None, 0)
    watch.port = server.sockets[0].getsockname()[1]
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{watch.port}")
    yield watch
    server.close()


async def test_no_url_of_a_provider_leads_to_a_forbidden_address(
    graphql: GraphQL, admin: Principal, plane: Plane, watch: Watch
) -> None:
    stored = {}
    id = await add_provider(graphql, admin, "moved", type="CUSTOM", baseUrl="https://a.example/v1")
    for number, url in enumerate(watch.sample()):
        new = {"slug": f"p{number}", "type": "CUSTOM", "baseUrl": url}
        made = (await graphql.data(CREATE, admin, input=new))["createProvider"]
        moved = (await graphql.data(UPDATE, admin, input={"id": id, "baseUrl": url}))[
            "updateProvider"
        ]
        if "provider" in made:
            assert moved["provider"]["baseUrl"] == made["provider"]["baseUrl"]
            stored[made["provider"]["id"]] = made["provider"]["baseUrl"]
        else:
            assert (made["__typename"], moved["__typename"]) == ("InvalidInputError",) * 2, url
    assert len(stored) >= 15
    for id, url in stored.items():
        tested = (await graphql.data(TEST, admin, id=id))["testProvider"]
        assert not tested["provider"]["lastTest"]["ok"], url
        found = await graphql.data(DISCOVER, admin, id=id)
        assert found["discoverModels"]["__typename"] == "ProviderError", url
    await asks(plane, stored.values())
    assert watch.silent()


async def asks(plane: Plane, addresses: Any) -> None:
    """Requests to models at these addresses."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(trust_env=False, headers=headers) as client:
        for url in addresses:
            plane.model(plane.provider("p", url), "m")
            body = {"model": "p/m", "messages": [{"role": "user", "content": "x"}]}
            answer = await client.post(f"{plane.base_url}/chat/completions", json=body)
            assert answer.status_code == httpx2.codes.BAD_GATEWAY, answer.text
    ends = {each.outcome for record in plane.records.outcomes for each in record.attempts}
    assert ends == {"FORBIDDEN"}


async def test_no_url_of_a_webhook_leads_to_a_forbidden_address(
    graphql: GraphQL, admin: Principal, watch: Watch
) -> None:
    """The operator's list does not apply, so the listener is on it."""
    id, stored = await created(graphql, admin), 0
    http = HttpClient(AddressGuard([f"127.0.0.1:{watch.port}"], resolve=private))
    deliverer = Deliverer(graphql.database, http, graphql.cipher, poll_seconds=0.02)
    await deliverer.start()
    for url in watch.sample():
        moved = await graphql.data(UPDATE_WEBHOOK, admin, input={"id": id, "url": url})
        if "webhook" not in moved["updateWebhook"]:
            made = await create(graphql, admin, url=url)
            assert made["__typename"] == "InvalidInputError", url
            continue
        stored += 1
        await graphql.data(TEST_WEBHOOK, admin, id=id)
        async with asyncio.timeout(15):
            while any(not row.attempts for row in await sent(graphql)):
                deliverer.wake()
                await asyncio.sleep(0.01)
    await deliverer.stop()
    await http.close()
    attempts = [row.attempts[0] for row in await sent(graphql)]
    assert len(attempts) == stored >= 15
    assert all(each["status"] is None for each in attempts)
    assert watch.silent()


async def test_no_configuration_of_an_openid_provider_leads_to_a_forbidden_address(
    watch: Watch,
) -> None:
    """The operator names the provider, which may be private; what it names in turn may not."""

    async def discovery(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        url = pending.pop(0)
        body = json.dumps({"issuer": issuer, "jwks_uri": url}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    pending = watch.sample()[::2]
    server = await asyncio.start_server(discovery, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    watch.ours.add(port)
    issuer = f"http://127.0.0.1:{port}"
    settings = OpenIdSettings(FAIRLEAD_OPENID_ISSUER=issuer)
    rules = settings.openid_rules
    assert rules is not None
    for _ in list(pending):
        provider = OpenIdProvider(settings, rules)
        with pytest.raises(Unavailable):
            await provider.verifier.verify(TOKEN)
        await provider.close()
    server.close()
    assert pending == []
    assert watch.silent()
