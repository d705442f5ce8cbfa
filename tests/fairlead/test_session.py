"""A key is exchanged for a cookie that only our own pages can use."""

import asyncio
from datetime import UTC, datetime

import httpx2
import pytest

from tests.fairlead.conftest import ALLOWED_ORIGIN, Door, closed, hear, say, subscribe

TICKS = {"query": "subscription { ticks }"}
MINE = "{ mine }"


async def test_a_key_opens_a_session_that_scripts_cannot_read(door: Door) -> None:
    answer = await door.http.post("/session", json={"key": door.key})
    found = answer.json()

    assert answer.status_code == 200
    assert (found["name"], found["role"]) == ("Administrator", "ADMIN")
    assert found["organization"]
    ends = datetime.fromisoformat(found["expiresAt"]) - datetime.now(UTC)
    assert 11.9 * 3600 < ends.total_seconds() <= 12 * 3600
    cookie = answer.headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert "secure" not in parts
    assert door.key not in answer.text + cookie


async def test_a_session_says_who_is_signed_in(door: Door) -> None:
    cookie = await door.cookie()
    opened = await door.http.get("/session", headers={"cookie": cookie})
    by_key = await door.http.get("/session", headers=door.bearer)
    nobody = await door.http.get("/session")

    assert opened.status_code == 200
    assert opened.json()["expiresAt"] is not None
    assert by_key.json() == opened.json() | {"expiresAt": None}
    assert (nobody.status_code, nobody.json()) == (200, None)


@pytest.mark.parametrize("by", ["the page", "the proxy"])
async def test_over_tls_the_cookie_is_of_this_host_alone(door: Door, by: str) -> None:
    """The page knows, where a proxy does not say."""
    secure = {"origin": ALLOWED_ORIGIN} if by == "the page" else {"x-forwarded-proto": "https"}
    answer = await door.http.post("/session", json={"key": door.key}, headers=secure)
    [cookie] = answer.headers.get_list("set-cookie")

    name, *parts = [part.strip().lower() for part in cookie.split(";")]
    assert name.startswith("__host-fairlead_session=")
    assert {"httponly", "samesite=strict", "path=/", "secure"} <= set(parts)
    assert not [part for part in parts if part.startswith("domain")]


async def test_over_tls_a_planted_cookie_signs_nobody_in(door: Door) -> None:
    planted, own = await door.cookie(), await door.cookie(ALLOWED_ORIGIN)
    page = {"origin": ALLOWED_ORIGIN}
    beside = await door.ask(MINE, signed_in=False, headers={**page, "cookie": planted})
    asked = await door.ask(MINE, signed_in=False, headers={**page, "cookie": f"{planted}; {own}"})

    assert beside.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert asked.json()["data"] == {"mine": "ADMIN"}


async def test_signing_out_takes_the_cookie_away(door: Door) -> None:
    headers = {"cookie": await door.cookie(), "origin": door.url}
    answer = await door.http.delete("/session", headers=headers)

    assert answer.status_code == 204
    taken = [each.lower() for each in answer.headers.get_list("set-cookie")]
    assert [each.partition("=")[0] for each in taken] == [
        "fairlead_session",
        "__host-fairlead_session",
    ]
    assert all("max-age=0" in each for each in taken)
    assert ["secure" in each for each in taken] == [False, True]


async def test_signing_out_ends_every_copy_and_what_it_holds_open(door: Door) -> None:
    headers = {"cookie": await door.cookie(), "origin": door.url}
    events = {**headers, "accept": "text/event-stream"}
    async with door.socket(init=False, additional_headers=headers) as socket:
        await say(socket, type="connection_init")
        assert (await hear(socket))["type"] == "connection_ack"
        await subscribe(socket, "1", **TICKS)
        async with door.http.stream("POST", "/graphql", json=TICKS, headers=events) as stream:
            await door.http.delete("/session", headers=headers)
            async with asyncio.timeout(5):
                said = "".join([part async for part in stream.aiter_text()])
        assert await closed(socket) == 4403

    assert '"FORBIDDEN"' in said
    assert (await door.http.get("/session", headers=headers)).status_code == 401
    assert (await door.ask(MINE, signed_in=False, headers=headers)).status_code == 401
    assert (await door.http.get("/session", headers=door.bearer)).status_code == 200


async def test_a_session_ends_with_its_key(door: Door) -> None:
    cookie = await door.cookie()
    await door.revoke()

    answer = await door.http.get("/session", headers={"cookie": cookie})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"null", 400),
        ({}, b"{", 400),
        ({}, b"\xff", 400),
        ({}, b'{"key": 1}', 400),
        ({}, b'{"key": ""}', 401),
        ({}, b'{"key": "fl_nobody"}', 401),
        ({}, b'{"key": "\\u0000"}', 401),
        ({}, b'{"key": "' + b"x" * 5_000 + b'"}', 413),
        ({"content-type": "text/plain"}, b'{"key": "fl_nobody"}', 400),
        ({"content-type": "application/x-www-form-urlencoded"}, b"key=fl_nobody", 400),
    ],
)
async def test_anything_but_a_key_opens_nothing(
    door: Door, headers: dict[str, str], body: bytes, status: int
) -> None:
    headers = {"content-type": "application/json"} | headers
    answer = await door.http.post("/session", content=body, headers=headers)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("self", 200),
        (ALLOWED_ORIGIN, 200),
        ("null", 403),
        ("https://evil.example", 403),
    ],
)
async def test_foreign_pages_open_no_session(door: Door, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"origin": door.url if origin == "self" else origin}
    answer = await door.http.post("/session", json={"key": door.key}, headers=headers)

    assert answer.status_code == status
    assert ("set-cookie" in answer.headers) is (status == 200)


async def test_a_foreign_page_signs_nobody_out(door: Door) -> None:
    cookie = {"cookie": await door.cookie()}
    foreign = await door.http.delete(
        "/session", headers=cookie | {"origin": "https://evil.example"}
    )
    silent = await door.http.delete("/session", headers=cookie)

    for answer in (foreign, silent):
        assert answer.status_code == httpx2.codes.FORBIDDEN
        assert "set-cookie" not in answer.headers


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.session._BODY_DEADLINE", 0.2)
    host, port = door.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /session HTTP/1.1\r\nhost: {host}:{port}\r\norigin: {door.url}\r\n"
    writer.write(f"{head}content-type: application/json\r\ncontent-length: 9\r\n\r\n{{".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 408")
