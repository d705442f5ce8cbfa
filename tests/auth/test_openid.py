"""Tokens of an OpenID provider: what is taken, and the hundred ways not to get in."""

from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from auth.openid import LEEWAY, Claims
from domain.errors import Unauthenticated
from tests.auth.installation import NOW, Clock
from tests.auth.provider import EC, ED, RSA, RULES, Provider, claims, token

STRONG: dict[str, Any] = {"realm_access": {"roles": ["fairlead-admin"]}}


async def read(payload: dict[str, Any], rules: Any = RULES, **header: Any) -> Claims:
    verifier = Provider().verifier(Clock(NOW), rules)
    return (await verifier.verify(token(payload, **header))).claims


async def test_a_good_token_tells_who_it_is() -> None:
    found = await read(
        claims(NOW, realm_access={"roles": ["fairlead-admin"]}, groups=["/organizations/acme"])
    )

    assert (found.name, found.email, found.is_admin) == ("Ada Lovelace", "ada@example.com", True)
    assert found.groups == {"/organizations/acme": False}
    assert (found.issued_at, found.expires_at) == (int(NOW), int(NOW) + 300)


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        *((RSA, alg) for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        (EC, "ES256"),
        (ED, "EdDSA"),
    ],
)
async def test_every_algorithm_that_the_key_is_for_is_taken(key: Any, alg: str) -> None:
    assert (await read(claims(NOW), key=key, alg=alg)).name == "Ada Lovelace"


WHOLE = "b5f1c8d2-0000-4000-8000-000000000001"
STRANGE = [None, "", 0, 1, -1, True, False, [], {}, ["fairlead"], {"a": 1}, "x", "\x00", 1.5]
BAD: list[tuple[str, Any]] = [
    *(("iss", value) for value in [*STRANGE, "https://id.example/realms/fairlead/"]),
    ("iss", "https://id.example/realms/Fairlead"),
    ("iss", "https://id.example/realms/fairlead "),
    ("iss", "http://id.example/realms/fairlead"),
    ("iss", "https://evil.example/realms/fairlead"),
    ("iss", ["https://id.example/realms/fairlead"]),
    *(("aud", value) for value in [*(v for v in STRANGE if v != ["fairlead"]), "account"]),
    ("aud", ["account"]),
    ("aud", ["fairlead2", "Fairlead", " fairlead"]),
    ("aud", [["fairlead"]]),
    ("aud", {"fairlead": "fairlead"}),
    ("aud", "fairlead account"),
    *(("sub", value) for value in STRANGE if value != "x"),
    ("sub", "x" * 256),
    ("sub", "a\nb"),
    *(("exp", value) for value in STRANGE),
    ("exp", str(int(NOW) + 300)),
    ("exp", int(NOW) - int(LEEWAY) - 1),
    ("exp", 2**60),
    *(("iat", value) for value in STRANGE if value not in (1, 1.5)),
    ("iat", int(NOW) + int(LEEWAY) + 2),
    ("iat", str(int(NOW))),
    *(("nbf", value) for value in STRANGE if value not in (None, 1, 1.5)),
    ("nbf", int(NOW) + int(LEEWAY) + 2),
    *(("typ", value) for value in ["ID", "Refresh", "Offline", "Logout", "bearer", "", 1, [], {}]),
    ("cnf", {"jkt": "x"}),
    ("cnf", {}),
]


@pytest.mark.parametrize("number", range(len(BAD)))
async def test_a_token_that_is_not_for_us_now_is_refused(number: int) -> None:
    claim, value = BAD[number]
    with pytest.raises(Unauthenticated):
        await read(claims(NOW, **{claim: value}))


def test_there_are_a_hundred_of_them() -> None:
    assert len(BAD) >= 100


@pytest.mark.parametrize(
    ("changed", "header"),
    [
        ({"typ": None, "scope": None}, {}),
        ({"typ": None, "nonce": "n"}, {}),
        ({"typ": None, "at_hash": "h"}, {}),
        ({"typ": None, "events": {}}, {}),
        ({}, {"typ": "logout+jwt"}),
        ({}, {"typ": "secevent+jwt"}),
        ({}, {"typ": "dpop+jwt"}),
        ({}, {"typ": 1}),
    ],
)
async def test_what_is_no_access_token_is_refused(
    changed: dict[str, Any], header: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await read(claims(NOW, **changed), **header)


@pytest.mark.parametrize(
    ("changed", "header"),
    [({"typ": None}, {}), ({"typ": None, "scope": None}, {"typ": "at+jwt"}), ({}, {"typ": None})],
)
async def test_access_tokens_of_other_providers_are_taken(
    changed: dict[str, Any], header: dict[str, Any]
) -> None:
    assert await read(claims(NOW, **changed), **header)


async def test_keys_that_must_not_verify_are_not_used() -> None:
    weak, secret = RSAKey.generate_key(1024, {"kid": "weak"}), OctKey.generate_key(256)
    sealing = RSAKey.generate_key(2048, {"kid": "seal", "use": "enc"})
    other = ECKey.generate_key("secp256k1", {"kid": "k1"})
    provider = Provider(RSA, weak, secret, other)
    verifier = provider.verifier(Clock(NOW))
    for key, alg in ((weak, "RS256"), (secret, "HS256"), (sealing, "RS256"), (other, "ES256K")):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token(claims(NOW), key, alg))


async def test_the_keys_own_algorithm_counts() -> None:
    narrow = RSAKey.generate_key(2048, {"kid": "narrow", "alg": "PS256"})
    verifier = Provider(narrow).verifier(Clock(NOW))
    assert await verifier.verify(token(claims(NOW), narrow, "PS256"))
    with pytest.raises(Unauthenticated):
        await verifier.verify(token(claims(NOW), narrow, "RS256"))


ADMIN = "fairlead-admin"
SPOOFS: list[dict[str, Any]] = [
    {"roles": [ADMIN]},
    {"role": ADMIN},
    {"is_admin": True},
    {"realm_access": {"roles": ADMIN}},
    {"realm_access": {"roles": {ADMIN: True}}},
    {"realm_access": {"roles": [[ADMIN]]}},
    {"realm_access": {"roles": [ADMIN.upper(), f" {ADMIN}", f"{ADMIN} ", f"{ADMIN}s"]}},
    {"realm_access": [{"roles": [ADMIN]}]},
    {"realm_access": {"role": [ADMIN]}},
    {"realm_access": ADMIN},
    {"Realm_Access": {"roles": [ADMIN]}},
    {"realm_access.roles": [ADMIN]},
    {"resource_access": {"fairlead": {"roles": [ADMIN]}}},
    {"resource_access": {"realm": {"roles": [ADMIN]}}},
    {"groups": [ADMIN, f"/{ADMIN}", "/organizations/x/admins"]},
    {"scope": f"openid {ADMIN}"},
    {"name": ADMIN, "preferred_username": ADMIN},
    {"azp": ADMIN},
]


@pytest.mark.parametrize("changed", SPOOFS)
async def test_no_other_claim_makes_an_administrator(changed: dict[str, Any]) -> None:
    assert not (await read(claims(NOW, **changed))).is_admin


async def test_roles_are_where_the_operator_says() -> None:
    by_client = replace(RULES, roles="client")
    by_claim = replace(RULES, roles="roles")
    access = {"fairlead": {"roles": [ADMIN]}, "account": {"roles": []}}
    foreign = {"account": {"roles": [ADMIN]}}

    assert (await read(claims(NOW, resource_access=access), by_client)).is_admin
    assert not (await read(claims(NOW, resource_access=foreign), by_client)).is_admin
    assert not (await read(claims(NOW, **STRONG), by_client)).is_admin
    assert (await read(claims(NOW, roles=[ADMIN]), by_claim)).is_admin


async def test_the_operator_may_ask_for_a_role_of_everybody() -> None:
    closed = replace(RULES, user_role="fairlead-user")
    with pytest.raises(Unauthenticated, match="no role"):
        await read(claims(NOW), closed)
    for role in ("fairlead-user", ADMIN):
        assert await read(claims(NOW, realm_access={"roles": [role]}), closed)


async def test_groups_below_the_prefix_are_organizations() -> None:
    groups = [
        "/organizations/acme",
        "/organizations/acme/admins",
        "/organizations/corp/team one",
        "/organizations/corp/admins/deep",
        "/organizations/",
        "/organizations",
        "/other/x/admins",
        "organizations/y",
        "/organizations/\x00",
        "/organizations/" + "z" * 300,
        7,
    ]
    found = await read(claims(NOW, groups=groups))
    assert found.groups == {"/organizations/acme": True, "/organizations/corp": False}
    without = replace(RULES, organization_prefix=None)
    assert (await read(claims(NOW, groups=groups), without)).groups == {}
    assert (await read(claims(NOW, groups="/organizations/acme"))).groups == {}


async def test_odd_names_are_made_plain() -> None:
    assert (await read(claims(NOW, name="A\x00d\na\u202e "))).name == "Ada"
    assert (await read(claims(NOW, name=None))).name == "ada"
    bare = await read(claims(NOW, name=None, preferred_username=7, email=None))
    assert (bare.name, bare.email) == (WHOLE, None)
    assert len((await read(claims(NOW, name="x" * 500))).name) == 100
