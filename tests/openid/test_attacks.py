"""Attacks on signing in, by requests: codes, PKCE, addresses, refresh tokens, copies of tokens."""

import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.openid.conftest import House, house
from tests.openid.realm import Realm, challenge_of, running_realm
from tests.openid.test_requests import close_code, statuses

HOME = "http://127.0.0.1:9/"
DISABLE = """mutation($id: ID!, $enabled: Boolean!) {
  updateUser(input: {id: $id, expectedVersion: 1, enabled: $enabled}) {
    ... on UpdateUserPayload { user { enabled } } ... on Error { message }
} }"""


async def code_for(realm: Realm, verifier: str) -> str:
    place = await realm.authorized("ada", code_challenge=challenge_of(verifier))
    [code] = parse_qs(urlsplit(place).query)["code"]
    return code


async def sign_out(home: House, headers: dict[str, str]) -> int:
    """As the web app does."""
    url = home.installation.base_url
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.delete(f"{url}/session", headers={"origin": url, **headers})
    return answer.status_code


async def test_a_code_is_good_once_for_whoever_asked_for_it() -> None:
    async with running_realm(HOME) as realm:
        verifier = secrets.token_urlsafe(32)
        wrong: dict[str, tuple[str | None, dict[str, str]]] = {
            "no verifier": (None, {}),
            "another's verifier": (secrets.token_urlsafe(32), {}),
            "the challenge as verifier": (challenge_of(verifier), {}),
            "another address": (verifier, {"redirect_uri": f"{HOME}x"}),
            "another client": (verifier, {"client_id": "account"}),
        }
        for name, (shown, changed) in wrong.items():
            refused = await realm.exchanged(await code_for(realm, verifier), shown, **changed)
            assert refused.status_code in (400, 401), name
        taken = await realm.exchanged(await code_for(realm, verifier), verifier)
        code = await code_for(realm, verifier)
        first, again = [await realm.exchanged(code, verifier) for _ in range(2)]
        renewed = await realm.refreshed(first.json()["refresh_token"])

    assert [taken.status_code, first.status_code, again.status_code] == [200, 200, 400]
    # Whoever replays a code ends what was given for it.
    assert renewed.status_code == 400


async def test_pkce_cannot_be_left_out_or_weakened() -> None:
    async with running_realm(HOME) as realm:
        for changed in (
            {"code_challenge_method": None},
            {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
            {"code_challenge": "x" * 43, "code_challenge_method": None},
            {"code_challenge": "short"},
        ):
            place = await realm.authorized("ada", **changed)
            answer = parse_qs(urlsplit(place).query)
            assert "code" not in answer, changed
            assert answer["error"] == ["invalid_request"], changed


async def test_codes_go_to_our_own_address_alone() -> None:
    challenge = challenge_of("v" * 43)
    async with running_realm(HOME) as realm:
        for address in (
            f"{HOME}x",
            f"{HOME}?next=//evil.example",
            f"{HOME}#x",
            "http://127.0.0.1:9",
            "http://127.0.0.1:9//evil.example",
            "http://127.0.0.1:9@evil.example/",
            "http://127.0.0.1:9\\@evil.example/",
            "http://127.0.0.1.evil.example:9/",
            "http://127.0.0.1:90/",
            "https://127.0.0.1:9/",
            "javascript:alert(1)//127.0.0.1:9/",
        ):
            place = await realm.authorized("ada", code_challenge=challenge, redirect_uri=address)
            assert place.startswith(realm.base_url), address
        for kind in ("token", "id_token", "code id_token", "none"):
            place = await realm.authorized("ada", code_challenge=challenge, response_type=kind)
            assert "token=" not in place, kind


async def test_a_refresh_token_is_good_once_and_no_key() -> None:
    async with running_realm(HOME) as realm:
        granted = await realm.sign_in("ada")
        first = await realm.refreshed(granted["refresh_token"])
        again = await realm.refreshed(granted["refresh_token"])
        after = await realm.refreshed(first.json()["refresh_token"])

    # Used twice, one of the two was stolen: both are worth nothing.
    assert [first.status_code, again.status_code, after.status_code] == [200, 400, 400]


async def test_after_a_sign_out_no_copy_of_the_token_counts(open_folder: Path) -> None:
    async with house(open_folder) as home:
        held = (await home.realm.sign_in("ada"))["access_token"]
        elsewhere = (await home.realm.sign_in("ada"))["access_token"]
        assert await statuses(home, held) == [200, 200, 200]

        async def leave() -> None:
            assert await sign_out(home, {"authorization": f"Bearer {held}"}) == 204

        code, late = await close_code(home, held, leave)
        assert (code, late <= 2) == (4403, True)
        assert await statuses(home, held) == [401, 401, 401]
        assert await statuses(home, elsewhere) == [200, 200, 200]
        evil = {"authorization": f"Bearer {elsewhere}", "origin": "https://evil.example"}
        assert await sign_out(home, evil) == 403
        assert await statuses(home, elsewhere) == [200, 200, 200]


async def test_a_token_in_an_address_is_none(open_folder: Path) -> None:
    async with house(open_folder) as home:
        token = (await home.realm.sign_in("ada"))["access_token"]
        url = home.installation.base_url
        async with httpx2.AsyncClient(trust_env=False) as client:
            for name in ("access_token", "token", "key", "authorization"):
                query = {name: token}
                models = await client.get(f"{url}/v1/models", params=query)
                asked = await client.post(
                    f"{url}/graphql", params=query, json={"query": "{ viewer { role } }"}
                )
                who = await client.get(f"{url}/session", params=query)
                assert models.status_code == 401, name
                assert asked.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", name
                assert who.json() is None, name


async def test_a_disabled_persons_token_ends_and_comes_back_with_them(open_folder: Path) -> None:
    async with house(open_folder) as home:
        token = (await home.realm.sign_in("ada"))["access_token"]
        id = (await home.installation.graphql("{ viewer { user { id } } }", key=token))["viewer"][
            "user"
        ]["id"]

        async def disable() -> None:
            done = await home.installation.graphql(DISABLE, id=id, enabled=False)
            assert done["updateUser"]["user"] == {"enabled": False}

        code, late = await close_code(home, token, disable)
        assert (code, late <= 5) == (4403, True)
        assert await statuses(home, token) == [401, 401, 401]
        fresh = (await home.realm.sign_in("ada"))["access_token"]
        assert await statuses(home, fresh) == [401, 401, 401]
