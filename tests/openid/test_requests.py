"""Tokens of a real provider, used by requests: who they make, what they open, when they end."""

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.openid.conftest import House, house

LATE = 5.0
"""Seconds, beside other tests: a bound, and no measurement."""
VIEWER = """{ viewer {
  role organizationRole user { name email issuer }
  memberships { nodes { role origin organization { slug groupName } } }
} }"""
KEY = """mutation { createApiKey(input: {name: "app", scopes: [READ, INFERENCE]}) {
  ... on CreateApiKeyPayload { secret apiKey { id } }
} }"""
ADMIN, ACME = ["fairlead-admin"], ["/organizations/acme/admins"]


async def viewer(home: House, token: str) -> Any:
    return (await home.installation.graphql(VIEWER, key=token))["viewer"]


async def statuses(home: House, token: str) -> list[int]:
    """Of GraphQL, the data plane and the session."""
    headers = {"authorization": f"Bearer {token}"}
    url = home.installation.base_url
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        asked = await client.post(f"{url}/graphql", json={"query": VIEWER}, headers=headers)
        others = [await client.get(f"{url}/{path}", headers=headers) for path in PATHS]
    return [asked.status_code, *(answer.status_code for answer in others)]


PATHS = ("v1/models", "session")


async def close_code(home: House, token: str, later: Any) -> tuple[int | None, float]:
    """Of a subscription under this token, and how long after `later` was done it came."""
    url = home.installation.base_url.replace("http", "ws") + "/graphql"
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(url, proxy=None, subprotocols=[protocol]) as socket:
        payload = {"authorization": f"Bearer {token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        subscribe = {"query": "subscription { usageEvents { __typename } }"}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": subscribe}))
        await later()
        started = time.monotonic()
        try:
            async with asyncio.timeout(20):
                while True:
                    await socket.recv()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            return code, time.monotonic() - started


async def test_people_roles_and_organizations_follow_a_real_providers_tokens(
    open_folder: Path,
) -> None:
    async with house(open_folder) as home:
        await home.realm.set("ada", ADMIN, ACME)
        granted = await home.realm.sign_in("ada")
        first = await viewer(home, granted["access_token"])
        assert (first["role"], first["organizationRole"]) == ("ADMIN", "ADMIN")
        assert first["user"] == {
            "name": "ada",
            "email": "ada@example.com",
            "issuer": home.realm.issuer,
        }
        place = {"slug": "acme", "groupName": "/organizations/acme"}
        held = {"role": "ADMIN", "origin": "TOKEN", "organization": place}
        assert first["memberships"]["nodes"] == [held]
        assert await statuses(home, granted["access_token"]) == [200, 200, 200]
        made = await home.installation.graphql(KEY, key=granted["access_token"])
        assert await statuses(home, made["createApiKey"]["secret"]) == [200, 200, 200]
        for wrong in (granted["id_token"], granted["refresh_token"], f"{granted['access_token']}x"):
            assert await statuses(home, wrong) == [401, 401, 401]

        async def lose_the_role() -> None:
            await asyncio.sleep(1.1)
            await home.realm.set("ada", [], ["/organizations/corp"])
            later = (await home.realm.sign_in("ada"))["access_token"]
            now = await viewer(home, later)
            assert (now["role"], now["organizationRole"]) == ("USER", "MEMBER")
            assert [m["organization"]["slug"] for m in now["memberships"]["nodes"]] == ["corp"]

        code, late = await close_code(home, granted["access_token"], lose_the_role)
        assert (code, late <= LATE) == (4403, True)
        assert (await viewer(home, granted["access_token"]))["role"] == "USER"


async def test_a_subscription_ends_with_its_token(open_folder: Path) -> None:
    async with house(open_folder, token_seconds=10) as home:
        token = (await home.realm.sign_in("ben"))["access_token"]
        ends = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["exp"]

        async def nothing() -> None:
            assert (await viewer(home, token))["role"] == "USER"

        code, _ = await close_code(home, token, nothing)
        assert code == 4403
        assert 0 <= time.time() - ends <= LATE


async def test_a_provider_that_is_away_refuses_nobody(open_folder: Path) -> None:
    async with house(open_folder) as home:
        first = (await home.realm.sign_in("ada"))["access_token"]
        await viewer(home, first)
        second = (await home.realm.sign_in("cem"))["access_token"]
        await home.realm.stop()
        assert await statuses(home, first) == [200, 200, 200]
        assert await statuses(home, second) == [200, 200, 200]
        await home.installation.kill()


async def test_a_server_that_never_reached_the_provider_says_503(open_folder: Path) -> None:
    async with house(open_folder) as home:
        token = (await home.realm.sign_in("ada"))["access_token"]
        await home.realm.stop()
        assert await statuses(home, token) == [503, 503, 503]
