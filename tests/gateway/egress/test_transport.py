"""httpx2 over our client: the same guard, the same limits, its own errors."""

import json

import httpx2
import pytest

from gateway.egress.client import HttpClient
from gateway.egress.errors import ForbiddenAddress
from gateway.egress.transport import GuardedTransport
from tests.provider import FakeProvider


def _client(http: HttpClient, *, private_allowed: bool = True) -> httpx2.AsyncClient:
    transport = GuardedTransport(http, private_allowed=private_allowed)
    return httpx2.AsyncClient(transport=transport, trust_env=False, timeout=5)


def _body(model: str, *, stream: bool = False) -> dict[str, object]:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello"}]}


async def test_httpx2_gets_answers_through_the_guard(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    async with _client(http) as client:
        listed = await client.get(f"{fake_provider.base_url}/models")
        url = f"{fake_provider.base_url}/chat/completions"
        answered = await client.post(url, json=_body("fake-echo"), headers={"x-extra": "1"})
        async with client.stream("POST", url, json=_body("fake-n2", stream=True)) as streamed:
            lines = [line async for line in streamed.aiter_lines() if line]
    assert [model["id"] for model in listed.json()["data"]] == fake_provider.models
    assert json.loads(answered.content)["choices"][0]["message"]["content"] == "hello "
    assert (fake_provider.log[1].headers["x-extra"], len(lines)) == ("1", 5)
    assert {entry.connection for entry in fake_provider.log} == {1}


async def test_httpx2_may_not_reach_a_private_address(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    async with _client(http, private_allowed=False) as client:
        for url in (fake_provider.base_url, f"https://127.0.0.1:{fake_provider.port}/"):
            with pytest.raises(ForbiddenAddress):
                await client.get(url)
    assert (fake_provider.log, fake_provider.connections) == ([], 0)


@pytest.mark.parametrize(
    ("model", "read", "error"),
    [
        ("fake-reset", 30, httpx2.RemoteProtocolError),
        ("fake-cut2", 30, httpx2.RemoteProtocolError),
        ("fake-silent", 0.3, httpx2.ReadTimeout),
        ("fake-stall2", 0.3, httpx2.ReadTimeout),
    ],
)
async def test_failures_are_httpx2s_own_errors(
    http: HttpClient, fake_provider: FakeProvider, model: str, read: float, error: type[Exception]
) -> None:
    url = f"{fake_provider.base_url}/chat/completions"
    async with _client(http) as client:
        with pytest.raises(error):
            await client.post(
                url, json=_body(model, stream=True), timeout=httpx2.Timeout(30, read=read)
            )
    await fake_provider.idle()
    assert not fake_provider.log[0].finished


async def test_leaving_a_stream_early_closes_it(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    url = f"{fake_provider.base_url}/chat/completions"
    body = _body("fake-stall2", stream=True)
    async with _client(http) as client, client.stream("POST", url, json=body):
        await fake_provider.until(lambda provider: provider.log[0].chunks == 2)
    await fake_provider.idle()
    assert fake_provider.log[0].aborted


async def test_redirects_are_not_followed_to_where_the_guard_forbids(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    url = f"{fake_provider.base_url}/chat/completions"
    async with _client(http) as client:
        answer = await client.post(url, json=_body("fake-fail302"))
    assert (answer.status_code, len(fake_provider.log)) == (302, 1)
