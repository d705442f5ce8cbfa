"""Wrong keys are counted together at every door, each of which refuses in its own words."""

import time
from collections.abc import AsyncIterator

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from auth import apikey
from domain.health import Observatory
from gateway.app import DataPlane
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from tests.fairlead.conftest import Door, hear, listening, say
from tests.gateway.ports import Plain, Records, Running

QUERY = {"query": "{ __typename }"}
EVENTS = {"accept": "text/event-stream"}


def wrong() -> dict[str, str]:
    return {"authorization": f"Bearer {apikey.generate().secret.reveal()}"}


@pytest.fixture
async def inference(door: Door) -> AsyncIterator[httpx2.AsyncClient]:
    """`/v1`, which asks the same authenticator as the other doors."""
    observatory = Observatory(time.time, 7)
    http = HttpClient(AddressGuard())
    app = DataPlane(
        authenticator=door.authenticator,
        configuration=Running(observatory),
        recorder=Records(),
        cipher=Plain(),
        http=http,
        observatory=observatory,
    )
    async with listening(app) as url, httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
    await http.close()


async def closing(door: Door) -> tuple[int, str]:
    """How a socket that gives a wrong key ends."""
    async with door.socket(init=False) as socket:
        await say(socket, type="connection_init", payload=wrong())
        with pytest.raises(ConnectionClosed) as ended:
            await hear(socket)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


async def test_each_door_counts_and_all_refuse(door: Door, inference: httpx2.AsyncClient) -> None:
    for _ in range(2):
        assert (await door.http.post("/graphql", json=QUERY, headers=wrong())).status_code == 401
        assert (await inference.get("/v1/models", headers=wrong())).status_code == 401
        refused = await door.http.post("/graphql", json=QUERY, headers=wrong() | EVENTS)
        assert refused.status_code == 401
        key = wrong()["authorization"].removeprefix("Bearer ")
        assert (await door.http.post("/session", json={"key": key})).status_code == 401
        assert (await closing(door))[0] == 4403

    graphql = await door.http.post("/graphql", json=QUERY, headers=wrong())
    events = await door.http.post("/graphql", json=QUERY, headers=wrong() | EVENTS)
    session = await door.http.post("/session", json={"key": "fl_no"})
    listed = await inference.get("/v1/models", headers=wrong())
    asked = await inference.post("/v1/messages", headers=wrong(), json={})

    for answer in (graphql, events, session, listed, asked):
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 7
    assert graphql.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert session.json()["error"]["code"] == "LIMIT_EXCEEDED"
    assert listed.json()["error"]["code"] == "rate_limit_exceeded"
    assert asked.json()["error"]["type"] == "rate_limit_error"
    code, reason = await closing(door)
    assert code == 4429
    assert "try again in" in reason


async def test_a_key_that_was_used_before_goes_on_at_every_door(
    door: Door, inference: httpx2.AsyncClient
) -> None:
    assert (await inference.get("/v1/models", headers=door.bearer)).status_code == 200
    for _ in range(11):
        last = await inference.get("/v1/models", headers=wrong())
    assert last.status_code == 429

    assert (await inference.get("/v1/models", headers=door.bearer)).status_code == 200
    assert (await door.ask("{ __typename }")).status_code == 200
    assert await door.cookie()
    async with door.socket():
        pass


async def test_the_right_key_waits_too_where_it_is_new(door: Door) -> None:
    for _ in range(10):
        await door.http.post("/graphql", json=QUERY, headers=wrong())

    assert (await door.http.post("/session", json={"key": door.key})).status_code == 429


async def test_addresses_that_a_trusted_proxy_tells_are_told_apart(door: Door) -> None:
    for _ in range(10):
        headers = wrong() | {"x-forwarded-for": "198.51.100.7"}
        await door.http.post("/graphql", json=QUERY, headers=headers)

    there = wrong() | {"x-forwarded-for": "198.51.100.7"}
    elsewhere = wrong() | {"x-forwarded-for": "198.51.100.8"}
    assert (await door.http.post("/graphql", json=QUERY, headers=there)).status_code == 429
    assert (await door.http.post("/graphql", json=QUERY, headers=elsewhere)).status_code == 401
