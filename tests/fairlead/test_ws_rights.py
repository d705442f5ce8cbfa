"""Who may open a WebSocket, and that it ends with the right it was opened by."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.fairlead.conftest import ALLOWED_ORIGIN, Door, closed, hear, say, subscribe

TICKS = {"query": "subscription { ticks }"}
WRITE = {"query": 'mutation { write(input: {text: "x"}) { __typename } }'}


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"authorization": "Bearer fl_nobody"},
        {"authorization": "fl_nobody"},
        {"authorization": ["Bearer"]},
        {"token": "x"},
    ],
)
async def test_nobody_gets_no_further_than_the_first_message(
    door: Door, payload: dict[str, Any] | None
) -> None:
    async with door.socket(init=False) as socket:
        await say(socket, type="connection_init", payload=payload)
        await subscribe(socket, "1", **WRITE)

        assert await closed(socket) == 4403
    assert door.board.written == []


FOREIGN = [
    "null",
    "",
    "https://evil.example",
    "http://evil.example",
    "https://console.example.evil.example",
    "https://evil.example/https://console.example",
    "http://console.example",
    "https://console.example:444",
    "https://sub.console.example",
    "https://127.0.0.1",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost",
    "http://[::1]",
    "http://[",
    "file://",
    "chrome-extension://abc",
    "ws://127.0.0.1",
    "javascript:0",
    "https://console.example@evil.example",
]


async def test_a_foreign_page_opens_no_socket(door: Door) -> None:
    cookie = {"cookie": await door.cookie()}
    for origin in FOREIGN:
        with pytest.raises(InvalidStatus) as refused:
            async with door.socket(init=False, origin=Origin(origin), additional_headers=cookie):
                pass
        assert refused.value.response.status_code == 403, origin


async def test_a_session_counts_only_from_our_own_pages(door: Door) -> None:
    for origin in (door.url, ALLOWED_ORIGIN):
        cookie = {"cookie": await door.cookie(origin)}
        options = {"origin": Origin(origin), "additional_headers": cookie}
        async with door.socket(init=False, **options) as socket:
            await say(socket, type="connection_init")
            assert await hear(socket) == {"type": "connection_ack"}
    with pytest.raises(InvalidStatus):
        async with door.socket(init=False, additional_headers=cookie):
            pass


async def test_a_field_above_ones_rights_does_not_start(door: Door) -> None:
    async with door.database.write(None) as session:
        await session.execute(text("UPDATE users SET role = 'USER'"))
    async with door.socket() as socket:
        await subscribe(socket, "1", query="subscription { secretTicks }")
        answer = await hear(socket)

        assert answer["type"] == "error"
        assert answer["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_revoked_key_ends_the_socket(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", **TICKS)
        await door.board.listening.wait()
        await door.revoke()
        async with asyncio.timeout(5):
            assert await closed(socket) == 4403
    assert door.board.left.is_set()


async def test_an_event_after_the_right_has_ended_is_not_told(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", **TICKS)
        await door.board.listening.wait()
        await door.revoke()
        door.board.ticks.put_nowait(1)
        with pytest.raises(ConnectionClosed) as ended:
            await socket.recv()

    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 4403


async def test_a_lost_role_ends_the_socket(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", **TICKS)
        await door.board.listening.wait()
        async with door.database.write(None) as session:
            await session.execute(text("UPDATE users SET role = 'USER'"))
        door.authenticator.forget("user", None)

        assert await closed(socket) == 4403


async def test_a_key_that_expires_ends_the_socket_on_time(door: Door) -> None:
    async with door.database.write(None) as session:
        await session.execute(text("UPDATE api_keys SET expires_at = now() + interval '1 second'"))
    async with door.socket() as socket:
        async with asyncio.timeout(10):
            assert await closed(socket) == 4403
    answer = await door.ask("{ mine }")
    assert answer.status_code == httpx2.codes.UNAUTHORIZED
