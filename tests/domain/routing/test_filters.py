"""Who may serve, and the exact reason when not."""

from typing import Any

import pytest

from domain.decision import Exclusion, Reason
from domain.errors import NothingEligible
from domain.health import Health, Live
from domain.health.live import Rest
from domain.request import RequestFacts
from domain.routing import plan
from domain.ruleset import Alias, PowerLevel, Ruleset, Strategy
from domain.snapshot import (
    Capability,
    Credential,
    CredentialState,
    Deployment,
    KeyOwner,
    Modality,
    ProviderType,
    Snapshot,
)
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
    vitals,
)

FAIR = price(1.0, 3.0)
OPENAI = provider("openai", type=ProviderType.OPENAI)


def exclusions(
    *, facts: RequestFacts | None = None, live: Live | None = None, **changes: Any
) -> tuple[Exclusion, ...]:
    """Of one deployment, asked for together with another that can do everything."""
    one = deployment("a/m", FAIR, **changes)
    other = deployment("b/m", FAIR, capabilities=Capability, context=None)
    rules = Ruleset(aliases={"pair": Alias(targets=("a/m", "b/m"))})
    found = plan(snapshot(one, other, ruleset=rules), facts or request("pair"), live or Live())
    return next(c.exclusions for c in found.decision.candidates if c.reference == "a/m")


def test_a_disabled_model_is_out() -> None:
    assert exclusions(enabled=False) == (Exclusion(Reason.DISABLED),)


def test_a_model_of_a_disabled_provider_is_out() -> None:
    assert exclusions(at=provider("a", enabled=False)) == (Exclusion(Reason.DISABLED),)


def test_a_missing_capability_is_named() -> None:
    facts = request("pair", needs=frozenset({Capability.TOOLS, Capability.VISION}))
    assert exclusions(facts=facts, capabilities={Capability.VISION}) == (
        Exclusion(Reason.CAPABILITY, detail="TOOLS"),
    )


def test_a_stream_needs_a_model_that_streams() -> None:
    assert exclusions(facts=request("pair", stream=True), capabilities=()) == (
        Exclusion(Reason.CAPABILITY, detail="STREAMING"),
    )


def test_a_modality_it_does_not_take_is_named() -> None:
    facts = request("a/m", modalities=frozenset({Modality.TEXT, Modality.AUDIO}))
    found = plan(snapshot(deployment("a/m", FAIR)), facts, Live())
    assert found.decision.candidates[0].exclusions == (Exclusion(Reason.MODALITY, detail="AUDIO"),)


def test_the_window_must_hold_the_prompt_and_the_longest_answer() -> None:
    asked = request("pair", input_tokens=900, max_tokens=101)
    assert exclusions(facts=asked, context=1_000) == (
        Exclusion(Reason.CONTEXT_WINDOW, needed=1_001, available=1_000),
    )
    assert exclusions(facts=request("pair", input_tokens=900, max_tokens=100), context=1_000) == ()
    assert exclusions(facts=asked, context=None) == ()


def test_a_count_that_may_be_too_high_refuses_no_model_that_is_named_alone() -> None:
    house = snapshot(deployment("a/m", FAIR, context=1_000), deployment("b/m", FAIR, context=1_000))

    def eligible(model: str, tokens: int) -> int:
        found = plan(house, request(model, input_tokens=tokens, max_tokens=100), Live())
        return len(found.candidates)

    assert [eligible("a/m", tokens) for tokens in (900, 1_028, 1_029)] == [1, 1, 0]
    assert [eligible("m", tokens) for tokens in (900, 901)] == [2, 0]


def test_under_cost_an_unknown_price_is_out_unless_the_model_is_asked_for_by_reference() -> None:
    rules = Ruleset(strategy=Strategy.COST)
    house = snapshot(deployment("a/m", None), deployment("b/m", FAIR), ruleset=rules)
    found = plan(house, request("m"), Live())
    assert [one.deployment.reference for one in found.candidates] == ["b/m"]
    assert found.decision.excluded == {Reason.PRICE_UNKNOWN: 1}
    asked = plan(house, request("a/m"), Live())
    assert asked.decision.candidates[0].expected_cost is None
    assert asked.refusal is None


def test_auto_never_takes_a_model_of_unknown_price() -> None:
    found = plan(snapshot(deployment("a/m", None, pin="BALANCED")), request("auto"), Live())
    assert isinstance(found.refusal, NothingEligible)
    assert found.refusal.reasons == ("1 of unknown price",)
    assert found.candidates == ()


def test_an_open_circuit_is_out_until_its_time() -> None:
    tripped = vitals(0.5, 80.0, health=Health.OPEN, retry_at=NOW + 4, admitted=1.0)
    live = Live(vitals={identity("a/m"): tripped})
    assert exclusions(live=live) == (Exclusion(Reason.CIRCUIT_OPEN, available=int(NOW) + 4),)
    assert exclusions(live=live, facts=request("pair", now=NOW + 4)) == ()


def test_a_half_open_circuit_admits_its_share_of_requests() -> None:
    live = Live(vitals={identity("a/m"): vitals(0.5, 80.0, health=Health.HALF_OPEN, admitted=0.2)})
    let_in = [
        exclusions(live=live, facts=request("pair", id=identity(f"request {n}"))) == ()
        for n in range(500)
    ]
    assert 70 < sum(let_in) < 130


def test_the_last_candidate_is_never_lost_to_its_circuit() -> None:
    sooner = vitals(0.5, 80.0, health=Health.OPEN, retry_at=NOW + 3)
    later = vitals(0.5, 80.0, health=Health.OPEN, retry_at=NOW + 9)
    live = Live(vitals={identity("a/m"): later, identity("b/m"): sooner})
    found = plan(snapshot(deployment("a/m", FAIR), deployment("b/m", FAIR)), request("m"), live)
    assert [one.deployment.reference for one in found.candidates] == ["b/m"]
    assert found.decision.last_resort
    assert found.refusal is None


def house_with_keys(*keys: Credential) -> Snapshot:
    return snapshot(deployment("openai/m", FAIR, at=OPENAI), credentials=keys)


def test_a_provider_that_needs_a_key_and_has_none_is_out() -> None:
    found = plan(house_with_keys(), request("openai/m"), Live())
    assert isinstance(found.refusal, NothingEligible)
    assert found.refusal.reasons == ("1 without a provider key that works",)


@pytest.mark.parametrize("state", [CredentialState.DISABLED, CredentialState.NEEDS_KEY])
def test_a_key_that_does_not_work_is_no_key(state: CredentialState) -> None:
    house = house_with_keys(credential("k", OPENAI, state=state))
    assert isinstance(plan(house, request("openai/m"), Live()).refusal, NothingEligible)


def test_a_custom_provider_without_keys_needs_none() -> None:
    found = plan(snapshot(deployment("a/m", FAIR)), request("a/m"), Live())
    assert found.candidates[0].credentials == ()
    assert found.candidates[0].key_owner is None


def test_a_pool_is_tried_in_an_order_that_follows_its_weights() -> None:
    keys = (credential("heavy", OPENAI, weight=3), credential("light", OPENAI, weight=1))
    house = house_with_keys(*keys)
    firsts = []
    for n in range(400):
        found = plan(house, request("openai/m", id=identity(f"request {n}")), Live())
        assert set(found.candidates[0].credentials) == set(keys)
        assert found.candidates[0].key_owner is KeyOwner.SYSTEM
        firsts.append(found.candidates[0].credentials[0])
    assert 260 < firsts.count(keys[0]) < 340


def test_a_limited_key_gives_way_to_the_others_of_its_pool() -> None:
    keys = (credential("one", OPENAI), credential("two", OPENAI))
    resting: dict[Rest, float] = {(keys[0].id, 1, identity("openai/m")): NOW + 5}
    house = house_with_keys(*keys)
    found = plan(house, request("openai/m"), Live(resting=resting))
    assert found.candidates[0].credentials == (keys[1],)


def test_ones_own_key_is_used_alone() -> None:
    own = credential("own", OPENAI, owner=KeyOwner.USER, owner_id=USER)
    house = house_with_keys(credential("system", OPENAI), own)
    found = plan(house, request("openai/m"), Live())
    assert found.candidates[0].credentials == (own,)
    assert found.candidates[0].key_owner is KeyOwner.USER


def test_ones_own_key_that_fails_never_becomes_anothers_money() -> None:
    own = credential(
        "own", OPENAI, owner=KeyOwner.USER, owner_id=USER, state=CredentialState.DISABLED
    )
    house = house_with_keys(credential("system", OPENAI), own)
    assert isinstance(plan(house, request("openai/m"), Live()).refusal, NothingEligible)


def test_anothers_key_is_never_used() -> None:
    theirs = credential("own", OPENAI, owner=KeyOwner.USER, owner_id=identity("somebody else"))
    house = house_with_keys(theirs)
    assert isinstance(plan(house, request("openai/m"), Live()).refusal, NothingEligible)


def levels(*, eco: bool = True, fair: bool = True) -> list[Deployment]:
    return [
        deployment("a/small", price(0.1, 0.2), enabled=eco),
        deployment("a/middle", FAIR, enabled=fair),
        deployment("a/giant", price(20.0, 60.0)),
    ]


def test_a_level_with_nobody_descends_to_the_next_cheaper_and_says_so() -> None:
    found = plan(snapshot(*levels(fair=False)), request("auto"), Live())
    assert [one.deployment.reference for one in found.candidates] == ["a/small"]
    assert found.decision.request.level is PowerLevel.BALANCED
    assert found.decision.request.served_level is PowerLevel.ECO


def test_eco_with_nobody_is_refused_with_the_reasons_and_never_served_dearer() -> None:
    found = plan(snapshot(*levels(eco=False)), request("auto:eco"), Live())
    assert isinstance(found.refusal, NothingEligible)
    assert found.refusal.reasons == ("2 of another power level", "1 disabled")
    assert found.candidates == ()


def test_a_dearer_fallback_never_serves_an_automatic_request() -> None:
    rules = Ruleset(fallbacks=("a/giant", "a/middle"))
    found = plan(snapshot(*levels(), ruleset=rules), request("auto:eco"), Live())
    assert [one.deployment.reference for one in found.candidates] == ["a/small"]


def test_an_empty_installation_says_that_it_has_no_models() -> None:
    refusal = plan(snapshot(), request("auto"), Live()).refusal
    assert isinstance(refusal, NothingEligible)
    assert refusal.reasons == ("there are no models here yet",)
