"""Whose money pays: policies of own keys, alone and on top of an organisation's."""

import msgspec
import pytest

from domain.errors import NothingEligible
from domain.health import Live
from domain.health.live import Rest
from domain.routing import Candidate, plan
from domain.routing.keys import after_limit, after_refusal
from domain.snapshot import Credential, CredentialState, KeyOwner, KeyPolicy, ProviderType
from tests.domain.routing.catalogue import (
    NOW,
    USER,
    credential,
    deployment,
    identity,
    price,
    provider,
    request,
    snapshot,
)

OPENAI = provider("openai", type=ProviderType.OPENAI)
ORGANIZATION = identity("organization")
OFF, NEEDED = CredentialState.DISABLED, CredentialState.NEEDS_KEY
SYSTEM = credential("system", OPENAI)


def own(policy: KeyPolicy, *, name: str = "own", **changes: object) -> Credential:
    made = credential(name, OPENAI, owner=KeyOwner.USER, owner_id=USER, policy=policy)
    return msgspec.structs.replace(made, **changes)


def shared(policy: KeyPolicy, **changes: object) -> Credential:
    owner = KeyOwner.ORGANIZATION
    made = credential("shared", OPENAI, owner=owner, owner_id=ORGANIZATION, policy=policy)
    return msgspec.structs.replace(made, **changes)


def tried(*keys: Credential, live: Live | None = None) -> Candidate | None:
    """The only candidate, for a caller of the organisation."""
    house = snapshot(deployment("openai/m", price(2.0, 6.0), at=OPENAI), credentials=keys)
    facts = request("openai/m", organization_id=ORGANIZATION)
    found = plan(house, facts, live or Live())
    if found.refusal is not None:
        assert isinstance(found.refusal, NothingEligible)
        assert found.candidates == ()
        return None
    [candidate] = found.candidates
    assert found.decision.candidates[0].key_owner is candidate.key_owner
    return candidate


def names(*keys: Credential, live: Live | None = None) -> list[str]:
    """Owners of the keys, in the order to try; none: refused."""
    found = tried(*keys, live=live)
    return [] if found is None else [key.owner_kind.value for key in found.credentials]


@pytest.mark.parametrize(
    ("policy", "order"),
    [
        (KeyPolicy.ONLY_MINE, ["USER"]),
        (KeyPolicy.MINE_THEN_SYSTEM, ["USER", "SYSTEM"]),
        (KeyPolicy.SYSTEM_THEN_MINE, ["SYSTEM", "USER"]),
    ],
)
def test_a_policy_says_in_which_order_owners_pay(policy: KeyPolicy, order: list[str]) -> None:
    assert names(SYSTEM, own(policy)) == order
    found = tried(SYSTEM, own(policy))
    assert found is not None
    assert found.key_owner == order[0]


@pytest.mark.parametrize("policy", KeyPolicy)
def test_without_a_system_key_ones_own_serves_alone(policy: KeyPolicy) -> None:
    assert names(own(policy)) == ["USER"]


@pytest.mark.parametrize("state", [OFF, NEEDED])
def test_an_own_key_out_of_use_is_an_error_unless_the_systems_comes_first(
    state: CredentialState,
) -> None:
    assert names(SYSTEM, own(KeyPolicy.ONLY_MINE, state=state)) == []
    assert names(SYSTEM, own(KeyPolicy.MINE_THEN_SYSTEM, state=state)) == []
    assert names(SYSTEM, own(KeyPolicy.SYSTEM_THEN_MINE, state=state)) == ["SYSTEM"]


def test_a_system_key_out_of_use_leaves_ones_own() -> None:
    broken = msgspec.structs.replace(SYSTEM, state=OFF)
    assert names(broken, own(KeyPolicy.SYSTEM_THEN_MINE)) == ["USER"]
    assert names(broken, own(KeyPolicy.MINE_THEN_SYSTEM)) == ["USER"]


def test_of_several_own_keys_the_strictest_policy_counts() -> None:
    loose = own(KeyPolicy.SYSTEM_THEN_MINE)
    strict = own(KeyPolicy.ONLY_MINE, id=identity("strict"))
    middle = own(KeyPolicy.MINE_THEN_SYSTEM, id=identity("middle"))
    assert names(SYSTEM, loose, strict, middle) == ["USER", "USER", "USER"]
    assert names(SYSTEM, loose, middle) == ["USER", "USER", "SYSTEM"]
    assert names(SYSTEM, loose, msgspec.structs.replace(strict, state=OFF)) == ["USER"]


def test_an_organisations_policy_holds_for_its_members() -> None:
    assert names(SYSTEM, shared(KeyPolicy.ONLY_MINE)) == ["ORGANIZATION"]
    assert names(SYSTEM, shared(KeyPolicy.MINE_THEN_SYSTEM)) == ["ORGANIZATION", "SYSTEM"]
    assert names(SYSTEM, shared(KeyPolicy.SYSTEM_THEN_MINE)) == ["SYSTEM", "ORGANIZATION"]


def test_to_a_member_system_means_what_would_serve_without_their_key() -> None:
    mine = own(KeyPolicy.MINE_THEN_SYSTEM)
    assert names(SYSTEM, shared(KeyPolicy.ONLY_MINE), mine) == ["USER", "ORGANIZATION"]
    assert names(SYSTEM, shared(KeyPolicy.SYSTEM_THEN_MINE), mine) == [
        "USER",
        "SYSTEM",
        "ORGANIZATION",
    ]
    assert names(SYSTEM, shared(KeyPolicy.ONLY_MINE, state=OFF), mine) == ["USER"]
    assert names(SYSTEM, shared(KeyPolicy.ONLY_MINE), own(KeyPolicy.ONLY_MINE)) == ["USER"]


def test_another_organisations_key_is_never_used() -> None:
    theirs = shared(KeyPolicy.ONLY_MINE, owner_id=identity("another organization"))
    assert names(theirs) == []
    assert names(SYSTEM, theirs) == ["SYSTEM"]


def test_a_limited_own_key_gives_way_only_where_its_policy_says_so() -> None:
    limit: dict[Rest, float] = {(identity("own"), 1, identity("openai/m")): NOW + 5}
    live = Live(resting=limit)
    assert names(SYSTEM, own(KeyPolicy.MINE_THEN_SYSTEM), live=live) == ["SYSTEM"]
    # The last candidate is let through, with its own key.
    assert names(SYSTEM, own(KeyPolicy.ONLY_MINE), live=live) == ["USER"]


def test_a_refused_own_key_gives_way_to_nobody() -> None:
    refused: dict[Rest, float] = {(identity("own"), 1, None): NOW + 300}
    live = Live(resting=refused)
    mine = own(KeyPolicy.MINE_THEN_SYSTEM)
    assert names(SYSTEM, mine, live=live) == ["USER"]
    assert names(SYSTEM, mine, live=Live(resting={(mine.id, 1, None): NOW - 1})) == [
        "USER",
        "SYSTEM",
    ]
    assert names(SYSTEM, own(KeyPolicy.SYSTEM_THEN_MINE), live=live) == ["SYSTEM"]


def test_a_provider_that_needs_no_key_is_asked_with_ones_own() -> None:
    house = provider("house")
    key = credential(
        "own",
        house,
        owner=KeyOwner.USER,
        owner_id=USER,
        policy=KeyPolicy.SYSTEM_THEN_MINE,
    )
    models = [deployment("house/m", price(2.0, 6.0), at=house)]
    found = plan(snapshot(*models, credentials=[key]), request("house/m"), Live())
    assert found.candidates[0].credentials == (key,)
    off = msgspec.structs.replace(key, state=OFF)
    found = plan(snapshot(*models, credentials=[off]), request("house/m"), Live())
    assert found.candidates[0].credentials == ()


def test_what_may_follow_a_refusal_costs_nobody_whom_the_refused_key_was_to_spare() -> None:
    mine, ours = own(KeyPolicy.MINE_THEN_SYSTEM), shared(KeyPolicy.MINE_THEN_SYSTEM)
    keys = (SYSTEM, ours, mine)
    assert after_refusal(keys, KeyOwner.USER) == (mine,)
    assert after_refusal(keys, KeyOwner.ORGANIZATION) == (ours, mine)
    assert after_refusal(keys, KeyOwner.SYSTEM) == keys
    assert after_limit(keys, KeyOwner.USER) == (SYSTEM, ours)
