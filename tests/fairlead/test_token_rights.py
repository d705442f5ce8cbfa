"""Long connections opened with a provider's token end with it, or with the role it gave."""

import asyncio
import time
from typing import Any

import pytest

from auth.jwks import ProviderKeys
from auth.openid import TokenVerifier
from tests.auth.provider import DISCOVERY, ISSUER, RULES, Provider, claims, token
from tests.fairlead.conftest import Door, closed, hear, say, subscribe

LATE = 5.0
"""Seconds, beside other tests: a bound, and no measurement."""
TICKS = {"query": "subscription { ticks }"}
ADMIN: dict[str, Any] = {"realm_access": {"roles": ["fairlead-admin"]}}


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(RULES, ProviderKeys(ISSUER, DISCOVERY, Provider()))


def bearer(**changed: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {token(claims(**changed))}"}


async def test_a_socket_ends_with_its_token(door: Door) -> None:
    ends = int(time.time()) + 3
    async with door.socket(init=False) as socket:
        await say(socket, type="connection_init", payload=bearer(exp=ends))
        assert (await hear(socket))["type"] == "connection_ack"
        await subscribe(socket, "1", **TICKS)

        assert await closed(socket) == 4403
        late = time.time() - ends
    assert 0 <= late <= LATE


async def test_an_event_stream_ends_with_its_token(door: Door) -> None:
    ends = int(time.time()) + 3
    headers = {**bearer(exp=ends), "accept": "text/event-stream"}
    async with door.http.stream("POST", "/graphql", json=TICKS, headers=headers) as answer:
        text = "".join([part async for part in answer.aiter_text()])
    assert 0 <= time.time() - ends <= LATE
    assert '"FORBIDDEN"' in text
    assert text.endswith("event: complete\ndata: \n\n")


async def test_a_socket_ends_when_a_newer_token_lost_the_role(door: Door) -> None:
    now = time.time()
    async with door.socket(init=False) as socket:
        await say(socket, type="connection_init", payload=bearer(now=now - 60, **ADMIN))
        assert (await hear(socket))["type"] == "connection_ack"
        await subscribe(socket, "1", **TICKS)

        answer = await door.http.get("/session", headers=bearer(now=now))
        assert answer.json()["role"] == "USER"
        started = time.monotonic()
        assert await closed(socket) == 4403
    assert time.monotonic() - started <= LATE


async def test_a_token_signs_in_everywhere(door: Door) -> None:
    answer = await door.http.post("/graphql", json={"query": "{ __typename }"}, headers=bearer())
    described = await door.http.get("/session", headers=bearer())

    assert answer.json()["data"] == {"__typename": "Query"}
    assert described.json()["name"] == "Ada Lovelace"
    assert described.json()["expiresAt"]
    assert (await door.http.get("/session", headers=bearer(aud="x"))).status_code == 401


async def test_signing_out_ends_the_token_and_its_socket(door: Door) -> None:
    held, another = bearer(), bearer()
    async with door.socket(init=False) as socket:
        await say(socket, type="connection_init", payload=held)
        assert (await hear(socket))["type"] == "connection_ack"
        await subscribe(socket, "1", **TICKS)
        cookie = {"cookie": await door.cookie(), "origin": door.url}
        answer = await door.http.delete("/session", headers=held | cookie)
        assert answer.status_code == 204
        assert await closed(socket) == 4403

    assert (await door.http.get("/session", headers=held)).status_code == 401
    assert (await door.http.get("/session", headers=cookie)).status_code == 401
    assert (await door.http.get("/session", headers=another)).status_code == 200


async def test_a_page_learns_how_to_sign_in_before_anybody_has(door: Door) -> None:
    answer = await door.http.get("/session/methods")
    assert (answer.status_code, answer.json()) == (200, {"openid": None})
    assert await asyncio.gather(*(door.http.get("/session/other") for _ in range(2)))
