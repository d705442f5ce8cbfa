"""A key is exchanged for a cookie that only our own pages can use."""

import asyncio
from datetime import UTC, datetime

import httpx2
import pytest

from tests.fairlead.conftest import ALLOWED_ORIGIN, Door


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


async def test_signing_out_takes_the_cookie_away(door: Door) -> None:
    headers = {"cookie": await door.cookie(), "origin": door.url}
    answer = await door.http.delete("/session", headers=headers)

    assert answer.status_code == 204
    assert "max-age=0" in answer.headers["set-cookie"].lower()


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
