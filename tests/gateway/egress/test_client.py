"""The client against a provider that misbehaves over real sockets."""

import asyncio
import json
import socket

import pytest

from gateway.egress.client import HttpClient, Outbound
from gateway.egress.errors import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    ForbiddenAddress,
    ResponseTooLarge,
    UnsendableRequest,
)
from gateway.egress.inbound import Inbound
from gateway.egress.limits import Limits
from tests.gateway.egress.conftest import Clients
from tests.provider import FakeProvider

LIMIT = 1_000_000


def _chat(provider: FakeProvider, model: str, *, stream: bool = True, text: str = "") -> Outbound:
    message = {"role": "user", "content": text or "hello"}
    body = {"model": model, "stream": stream, "messages": [message]}
    headers = [("authorization", "Bearer k"), ("content-type", "application/json")]
    url = f"{provider.base_url}/chat/completions"
    return Outbound("POST", url, headers, json.dumps(body).encode(), private_allowed=True)


async def _read(http: HttpClient, request: Outbound) -> bytes:
    inbound = await http.send(request)
    return await inbound.read(LIMIT)


async def _collect(inbound: Inbound, into: bytearray) -> None:
    async for data in inbound.chunks():
        into += data


async def test_an_answer_comes_with_status_headers_and_body(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    inbound = await http.send(_chat(fake_provider, "fake-n2", stream=False))
    answer = json.loads(await inbound.read(LIMIT))
    assert (inbound.status, inbound.headers["content-type"]) == (200, "application/json")
    assert answer["choices"][0]["message"]["content"] == "word0 word1 "
    sent = fake_provider.log[0].headers
    assert sent["host"] == fake_provider.host_port
    assert (sent["authorization"], sent["accept-encoding"]) == ("Bearer k", "identity")


async def test_a_stream_comes_as_it_is_sent(http: HttpClient, fake_provider: FakeProvider) -> None:
    inbound = await http.send(_chat(fake_provider, "fake-stall1"))
    got = b""
    async for data in inbound.chunks():
        got += data
        if b"word0" in got:
            break
    inbound.abort()
    await fake_provider.idle()
    assert fake_provider.log[0].aborted
    with pytest.raises(ConnectionLost):
        await inbound.read(LIMIT)


async def test_connections_are_kept_and_the_last_used_comes_first(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    both = [_read(http, _chat(fake_provider, "fake")) for _ in range(2)]
    await asyncio.gather(*both)
    for stream in (True, False):
        await _read(http, _chat(fake_provider, "fake", stream=stream))
    used = [entry.connection for entry in fake_provider.log]
    assert (sorted(used[:2]), http.connections) == ([1, 2], 2)
    assert used[2] == used[3]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", ["cut", "rst"])
@pytest.mark.parametrize("at", range(9))
async def test_a_body_that_breaks_off_is_never_a_clean_end(
    http: HttpClient, fake_provider: FakeProvider, stream: bool, fault: str, at: int
) -> None:
    inbound = await http.send(_chat(fake_provider, f"fake-{fault}{at}", stream=stream))
    got = bytearray()
    with pytest.raises(ConnectionLost) as lost:
        await _collect(inbound, got)
    assert (lost.value.before_headers, http.connections) == (False, 0)
    if stream:
        assert (got.count(b"data: "), got.count(b"word")) == (at + 1, at)
    else:
        assert len(got) == int(inbound.headers["content-length"]) // 2


async def test_a_reset_before_headers_says_so_and_is_not_repeated_on_a_new_connection(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    with pytest.raises(ConnectionLost) as lost:
        await http.send(_chat(fake_provider, "fake-reset"))
    assert (lost.value.before_headers, len(fake_provider.log)) == (True, 1)


async def test_a_kept_connection_that_dies_before_answering_is_replaced_once(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    await _read(http, _chat(fake_provider, "fake"))
    answer = await _read(http, _chat(fake_provider, "fake-resetx1"))
    assert answer.endswith(b"data: [DONE]\n\n")
    assert [entry.connection for entry in fake_provider.log] == [1, 1, 2]
    with pytest.raises(ConnectionLost) as lost:
        await http.send(_chat(fake_provider, "fake-reset"))
    assert (lost.value.before_headers, len(fake_provider.log)) == (True, 5)


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
async def test_an_error_status_is_an_answer(
    http: HttpClient, fake_provider: FakeProvider, status: int
) -> None:
    inbound = await http.send(_chat(fake_provider, f"fake-fail{status}r2"))
    assert (inbound.status, inbound.headers["retry-after"]) == (status, "2")
    assert json.loads(await inbound.read(LIMIT))["error"]["message"] != ""
    assert http.connections == 1


async def test_a_cancelled_send_closes_its_connection(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    call = asyncio.create_task(http.send(_chat(fake_provider, "fake-silent")))
    await fake_provider.arrived(1)
    call.cancel()
    await fake_provider.idle()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (fake_provider.log[0].aborted, http.connections) == (True, 0)


async def test_waiting_for_a_piece_may_be_cancelled_and_begun_again(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    chunks = (await http.send(_chat(fake_provider, "fake-g100-n3"))).chunks()
    got, tries = b"", 0
    while b"[DONE]" not in got:
        tries += 1
        try:
            async with asyncio.timeout(0.01):
                got += await anext(chunks)
        except TimeoutError:
            continue
    assert (got.count(b"word"), tries > 4) == (3, True)


async def test_500_cancels_leave_a_client_that_answers(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    for number in range(500):
        stream = number % 2 == 0
        call = asyncio.create_task(_read(http, _chat(fake_provider, "fake-t1", stream=stream)))
        for _ in range(number % 20):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
    await fake_provider.idle()
    calls = [_read(http, _chat(fake_provider, "fake-echo", text=f"n{n}")) for n in range(50)]
    for number, answer in enumerate(await asyncio.gather(*calls)):
        assert f'"content":"n{number} "'.encode() in answer
    assert http.connections == fake_provider.open


async def test_reading_stops_at_the_callers_limit(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    inbound = await http.send(_chat(fake_provider, "fake-n1000"))
    with pytest.raises(ResponseTooLarge):
        await inbound.read(1000)
    await fake_provider.idle()
    assert http.connections == 0


async def test_nobody_listening_is_a_failed_connection(clients: Clients) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConnectFailed, match=f"`{place}` cannot be reached"):
            await clients(place).send(Outbound("GET", f"http://{place}/", private_allowed=True))


async def test_a_host_that_does_not_accept_is_given_up_in_time(clients: Clients) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = f"127.0.0.1:{full.getsockname()[1]}"
        with socket.create_connection(full.getsockname()):
            request = Outbound("GET", f"http://{place}/", connect_timeout=0.2, private_allowed=True)
            with pytest.raises(ConnectTimeout):
                await clients(place).send(request)


async def test_a_private_host_is_refused_where_the_request_does_not_allow_it(
    http: HttpClient, fake_provider: FakeProvider
) -> None:
    request = _chat(fake_provider, "fake")
    await _read(http, request)
    request.private_allowed = False
    with pytest.raises(ForbiddenAddress):
        await http.send(request)
    assert len(fake_provider.log) == 1


async def test_a_redirect_is_an_answer_and_proxies_are_not_asked(
    http: HttpClient, fake_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    inbound = await http.send(_chat(fake_provider, "fake-fail302"))
    assert (inbound.status, len(fake_provider.log)) == (302, 1)
    inbound.abort()


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", "Bearer k\r\nx-admin: yes"),
        ("authorization", "Bearer k\n"),
        ("authorization", "Bearer \x00"),
        ("authorization", "Bearer é"),
        ("x a", "b"),
        ("", "b"),
        ("a:b", "c"),
        ("Host", "elsewhere"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("accept-encoding", "gzip"),
    ],
)
async def test_a_header_that_could_break_out_is_not_sent(
    http: HttpClient, fake_provider: FakeProvider, header: tuple[str, str]
) -> None:
    request = _chat(fake_provider, "fake")
    request.headers = [header]
    with pytest.raises(UnsendableRequest) as refused:
        await http.send(request)
    assert "Bearer" not in str(refused.value)
    assert (fake_provider.log, http.connections) == ([], 0)


async def test_idle_connections_are_closed_after_a_while(
    clients: Clients, fake_provider: FakeProvider
) -> None:
    http = clients(fake_provider.host_port, limits=Limits(idle_time=0.02))
    await _read(http, _chat(fake_provider, "fake"))
    await fake_provider.until(lambda provider: provider.open == 0)
    await _read(http, _chat(fake_provider, "fake"))
    assert fake_provider.connections == 2


async def test_no_more_connections_are_kept_or_opened_than_the_limits_say(
    clients: Clients, fake_provider: FakeProvider
) -> None:
    http = clients(fake_provider.host_port, limits=Limits(connections=3, idle=1))
    streams = [await http.send(_chat(fake_provider, "fake-g5-n2")) for _ in range(3)]
    with pytest.raises(ConnectFailed, match="Too many"):
        await http.send(_chat(fake_provider, "fake"))
    await asyncio.gather(*(stream.read(LIMIT) for stream in streams))
    await fake_provider.until(lambda provider: provider.open == 1)
    assert fake_provider.connections == 3
