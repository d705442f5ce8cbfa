"""Testing a provider: a real call that tells what came back and never the key."""

import uuid
from collections.abc import AsyncIterator

import pytest

from domain.secret import Secret
from domain.snapshot import Provider, ProviderType
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.probe import HttpProbe
from tests.gateway.egress.scripted import Scripted
from tests.provider import FakeProvider

KEY = "sk-canary-0123456789"


@pytest.fixture
async def upstream() -> AsyncIterator[FakeProvider]:
    async with FakeProvider(key=KEY, models=["a", "b"]) as provider:
        yield provider


def _provider(base_url: str, type_: ProviderType = ProviderType.CUSTOM) -> Provider:
    return Provider(uuid.UUID(int=1), "acme", type_, base_url)


def _probe(host_port: str) -> HttpProbe:
    return HttpProbe(HttpClient(AddressGuard([host_port])), within=2)


@pytest.mark.parametrize(
    ("type_", "path", "header", "asked"),
    [
        (ProviderType.OPENAI, "/v1", "authorization", "/v1/models"),
        (ProviderType.CUSTOM, "/v1/", "authorization", "/v1/models"),
        (ProviderType.TOGETHER, "/together/v1", "authorization", "/together/v1/models"),
        (ProviderType.ANTHROPIC, "/v1", "x-api-key", "/v1/models"),
        (ProviderType.GOOGLE, "/v1beta", "x-goog-api-key", "/v1beta/models"),
        (ProviderType.GOOGLE, "/v1beta/openai", "x-goog-api-key", "/v1beta/models"),
        (ProviderType.COHERE, "/compatibility/v1", "authorization", "/v1/models"),
    ],
)
async def test_each_type_is_asked_for_its_models_in_its_own_way(
    upstream: FakeProvider, type_: ProviderType, path: str, header: str, asked: str
) -> None:
    provider = _provider(upstream.origin + path, type_)
    result = await _probe(upstream.host_port).test(provider, Secret(KEY))
    assert (result.ok, result.http_status, result.error) == (True, 200, None)
    assert (list(result.models), result.latency_ms >= 0) == (["a", "b"], True)
    [entry] = upstream.log
    bearer = "Bearer " if header == "authorization" else ""
    assert (entry.path, entry.headers[header]) == (asked, f"{bearer}{KEY}")
    assert ("anthropic-version" in entry.headers) == (type_ is ProviderType.ANTHROPIC)


async def test_a_refused_key_is_told_in_the_providers_words(upstream: FakeProvider) -> None:
    result = await _probe(upstream.host_port).test(_provider(upstream.base_url), Secret("wrong"))
    assert (result.ok, result.http_status) == (False, 401)
    assert (result.error, result.models) == ("Wrong API key.", ())


async def test_no_key_is_sent_when_there_is_none(fake_provider: FakeProvider) -> None:
    result = await _probe(fake_provider.host_port).test(_provider(fake_provider.base_url), None)
    assert result.ok
    assert "authorization" not in fake_provider.log[0].headers


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b'{"error": "boom"}', "boom"),
        (403, b'[{"error": {"message": "denied", "code": 403}}]', "denied"),
        (400, b'{"message": "bad"}', "bad"),
        (502, b"<html>Bad\x00\ngateway</html>", "<html>Bad gateway</html>"),
        (503, b"", "It answered with status 503."),
        (302, b"", "It answered with status 302."),
        (400, b"[" * 5000, "[" * 500),
        (401, f"no: {KEY}".encode() + b"x" * 600, "no: …" + "x" * 495),
        (401, b"y" * 490 + KEY.encode(), "y" * 490 + "…"),
        (200, b"[1, 2]", None),
        (200, b'{"data": 7}', "It answered, but not with a list of models."),
        (200, b"\xff", "It answered, but not with a list of models."),
        (200, b"[" * 5000, "It answered, but not with a list of models."),
    ],
)
async def test_whatever_comes_back_is_told_without_the_key(
    status: int, body: bytes, error: str | None
) -> None:
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    async with Scripted([head + body]) as server:
        result = await _probe(server.host_port).test(_provider(server.url), Secret(KEY))
    assert (result.http_status, result.error) == (status, error)
    assert result.ok == (error is None)


async def test_silence_and_refusals_are_results_too(upstream: FakeProvider) -> None:
    async with Scripted([]) as server:
        silent = await HttpProbe(HttpClient(AddressGuard([server.host_port])), within=0.2).test(
            _provider(server.url), Secret(KEY)
        )
    forbidden = await _probe("elsewhere:1").test(_provider(upstream.base_url), Secret(KEY))
    broken = await _probe(upstream.host_port).test(_provider(upstream.base_url), Secret(KEY + "\n"))
    assert silent.error == "No answer within 0.2 seconds."
    assert forbidden.error == f"`{upstream.host_port}` must be reached by https."
    assert broken.error == "The value of header `authorization` has forbidden characters."
    assert (silent.ok, forbidden.ok, broken.ok, upstream.log) == (False, False, False, [])


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_one_that_lists_no_models_is_asked_for_a_token(status: int) -> None:
    head = f"HTTP/1.1 {status} X\r\nconnection: close\r\n"
    nothing = f"{head}content-length: 0\r\n\r\n".encode()
    answer = b'{"choices":[{"message":{"content":"Hi"}}]}'
    said = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer
    async with Scripted([nothing], [said]) as server:
        probe, provider = _probe(server.host_port), _provider(server.url)
        result = await probe.test(provider, Secret(KEY), "small")
    assert (result.ok, result.http_status, result.error) == (True, 200, None)

    refused = b"HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n"
    async with Scripted([nothing], [refused]) as server:
        result = await _probe(server.host_port).test(_provider(server.url), Secret(KEY), "small")
    assert (result.ok, result.http_status) == (False, 401)

    async with Scripted([nothing]) as server:
        result = await _probe(server.host_port).test(_provider(server.url), Secret(KEY))
    assert (result.ok, result.http_status) == (False, status)
