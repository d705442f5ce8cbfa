"""Keeping connections: only clean ones are used again, and a stale one is replaced unseen."""

import asyncio

import pytest

from gateway.egress.client import HttpClient, Outbound
from gateway.egress.connection import Connection
from gateway.egress.errors import ConnectionLost, MalformedResponse
from gateway.egress.limits import Limits
from tests.gateway.egress.conftest import Clients, Upstreams
from tests.gateway.egress.scripted import CHUNKED, HANG_UP, OK, WHOLE, answer, ask


@pytest.mark.parametrize(
    ("first", "reused"),
    [
        ([WHOLE], True),
        ([CHUNKED + b"2\r\nhi\r\n0\r\n\r\n"], True),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], True),
        ([OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi"], False),
        ([b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi"], False),
        ([CHUNKED + b"2\r\nhi\r\n0\r\nx: y\r\n\r\n"], False),
        ([WHOLE + WHOLE], False),
        ([WHOLE + b"junk"], False),
        ([WHOLE + OK + b"x: "], False),
    ],
)
async def test_only_a_connection_that_is_surely_clean_is_used_again(
    upstreams: Upstreams, first: list[bytes], reused: bool
) -> None:
    http, server = await upstreams.start(first, [WHOLE])
    await answer(http, server)
    assert await answer(http, server) == b"hi"
    assert server.connections == (1 if reused else 2)


async def test_an_answer_nobody_asked_for_is_given_to_nobody(upstreams: Upstreams) -> None:
    poison = OK + b"content-length: 6\r\n\r\npoison"
    http, server = await upstreams.start([WHOLE], [WHOLE])
    await answer(http, server)
    server.blurt(poison)
    await asyncio.wait_for(server.gone.wait(), 5)
    assert await answer(http, server) == b"hi"
    assert server.connections == 2


async def test_a_send_cancelled_as_its_answer_begins_closes_its_connection(
    upstreams: Upstreams,
) -> None:
    class Cancelling(Connection):
        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            sending.cancel()

    keeper, server = await upstreams.start([CHUNKED, b"2\r\nhi\r\n"])
    key = (False, "127.0.0.1", server.port, True)
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Cancelling(key, Limits(), keeper), "127.0.0.1", server.port
    )
    sending = asyncio.ensure_future(connection.exchange(b"GET / HTTP/1.1\r\n\r\n"))
    await asyncio.wait([sending])
    await asyncio.wait_for(server.gone.wait(), 5)
    assert (sending.cancelled(), connection.closed) == (True, True)


async def test_what_comes_before_the_request_has_left_is_no_answer_to_it(
    upstreams: Upstreams,
) -> None:
    keeper, server = await upstreams.start([WHOLE])
    connection = await _connected(keeper, server.port)
    sending = asyncio.ensure_future(connection.exchange(b"GET / HTTP/1.1\r\n\r\n"))
    asyncio.get_running_loop().call_soon(connection.data_received, WHOLE)
    with pytest.raises(MalformedResponse):
        await sending
    await asyncio.wait_for(server.gone.wait(), 5)
    assert (connection.closed, server.requests) == (True, [])


async def _connected(keeper: HttpClient, port: int) -> Connection:
    key = (False, "127.0.0.1", port, True)
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(key, Limits(), keeper), "127.0.0.1", port
    )
    return connection


async def test_a_connection_closed_while_idle_is_replaced_unseen(upstreams: Upstreams) -> None:
    http, server = await upstreams.start([WHOLE], [WHOLE])
    await answer(http, server)
    server.hang_up()
    assert await answer(http, server) == b"hi"
    assert server.connections == 2


async def test_a_kept_connection_lost_late_is_not_tried_again(upstreams: Upstreams) -> None:
    http, server = await upstreams.start([WHOLE], [HANG_UP], limits=Limits(stale_time=0))
    await answer(http, server)
    with pytest.raises(ConnectionLost) as lost:
        await ask(http, server)
    assert (lost.value.before_headers, len(server.requests)) == (True, 2)


async def test_a_kept_connection_cut_inside_the_head_is_not_tried_again(
    upstreams: Upstreams,
) -> None:
    http, server = await upstreams.start([WHOLE], [b"HTTP/1.1 2", HANG_UP], [WHOLE])
    await answer(http, server)
    with pytest.raises(ConnectionLost) as lost:
        await ask(http, server)
    assert (lost.value.before_headers, len(server.requests)) == (True, 2)


async def test_an_answer_to_half_a_request_ends_the_use_of_its_connection(
    clients: Clients,
) -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(WHOLE)

    server = await asyncio.start_server(impatient, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    http = clients(place)
    request = Outbound("POST", f"http://{place}/", body=b"a" * 30_000_000, private_allowed=True)
    assert await (await http.send(request)).read(10) == b"hi"
    await asyncio.sleep(0)
    assert http.connections == 0
    server.close()
