"""What a request's model may be called."""

import pytest

from domain.decision import Selection
from domain.errors import InvalidInput, ModelNotFound
from domain.health import Live
from domain.routing import Plan, plan
from domain.ruleset import Alias, PowerLevel, Ruleset, Strategy
from domain.snapshot import Snapshot
from tests.domain.routing.catalogue import deployment, price, request, snapshot

CHEAP, FAIR, DEAR = price(0.1, 0.2), price(1.0, 3.0), price(15.0, 60.0)


def house(**aliases: Alias) -> Snapshot:
    return snapshot(
        deployment("near/small", CHEAP),
        deployment("near/large", FAIR),
        deployment("far/large", price(2.0, 6.0)),
        deployment("far/meta/giant", DEAR, canonical="giant"),
        ruleset=Ruleset(aliases=aliases),
    )


def tried(found: Plan) -> list[str]:
    return [one.deployment.reference for one in found.candidates]


def test_a_reference_is_that_deployment_only() -> None:
    found = plan(house(), request("far/large"), Live())
    assert tried(found) == ["far/large"]
    assert found.decision.selection is Selection.REFERENCE
    assert found.refusal is None


def test_a_bare_name_is_any_provider_of_that_model() -> None:
    assert tried(plan(house(), request("large"), Live())) == ["near/large", "far/large"]


def test_a_name_with_a_slash_is_found_by_reference_name_and_canonical_name() -> None:
    for model in ("far/meta/giant", "meta/giant", "giant"):
        assert tried(plan(house(), request(model), Live())) == ["far/meta/giant"]


def test_an_alias_of_aliases_gathers_every_target() -> None:
    rules = {
        "code": Alias(targets=("fast", "giant")),
        "fast": Alias(targets=("near/small", "near/large"), strategy=Strategy.COST),
    }
    found = plan(house(**rules), request("code"), Live())
    assert tried(found) == ["near/small", "far/meta/giant", "near/large"]
    assert found.decision.chain == ("code", "fast")
    assert found.decision.rules.strategy is Strategy.COST


def test_an_alias_that_leads_back_to_itself_is_refused() -> None:
    rules = {"a": Alias(targets=("b",)), "b": Alias(targets=("a",))}
    refusal = plan(house(**rules), request("a"), Live()).refusal
    assert isinstance(refusal, InvalidInput)
    assert refusal.field == "model"
    assert "a → b → a" in refusal.message


def test_two_ways_to_the_same_alias_are_no_cycle() -> None:
    rules = {
        "top": Alias(targets=("left", "right")),
        "left": Alias(targets=("leaf",)),
        "right": Alias(targets=("leaf",)),
        "leaf": Alias(targets=("near/small",)),
    }
    assert tried(plan(house(**rules), request("top"), Live())) == ["near/small"]


def test_a_target_that_is_gone_is_said_and_the_others_serve() -> None:
    rules = {"mine": Alias(targets=("near/gone", "near/small"))}
    found = plan(house(**rules), request("mine"), Live())
    assert tried(found) == ["near/small"]
    assert found.decision.unresolved == ("near/gone",)


def test_an_alias_of_nothing_that_exists_is_not_found() -> None:
    rules = {"mine": Alias(targets=("near/gone",))}
    assert isinstance(plan(house(**rules), request("mine"), Live()).refusal, ModelNotFound)


@pytest.mark.parametrize(
    ("model", "served"),
    [
        ("auto:eco", "near/small"),
        ("auto:balanced", "near/large"),
        ("auto:precision", "far/meta/giant"),
        ("auto", "near/large"),
    ],
)
def test_auto_serves_the_level_it_names_else_balanced(model: str, served: str) -> None:
    assert tried(plan(house(), request(model), Live()))[0] == served


def test_the_callers_own_level_counts_unless_the_request_names_one() -> None:
    assert tried(plan(house(), request("auto", level=PowerLevel.ECO), Live())) == ["near/small"]
    named = request("auto:precision", level=PowerLevel.ECO)
    assert tried(plan(house(), named, Live())) == ["far/meta/giant"]


def test_a_level_there_is_none_of_is_refused_by_name() -> None:
    refusal = plan(house(), request("auto:turbo"), Live()).refusal
    assert isinstance(refusal, InvalidInput)
    assert "`auto:eco`, `auto:balanced`, `auto:precision`" in refusal.message


def test_an_unknown_name_comes_with_near_matches() -> None:
    refusal = plan(house(), request("near/smal"), Live()).refusal
    assert isinstance(refusal, ModelNotFound)
    assert refusal.near[0] == "near/small"


def test_near_matches_never_name_a_model_the_caller_may_not_use() -> None:
    facts = request("near/smal", allowed_models=frozenset({"far/large"}))
    refusal = plan(house(), facts, Live()).refusal
    assert isinstance(refusal, ModelNotFound)
    assert not any("small" in name for name in refusal.near)


def test_a_model_not_allowed_cannot_be_told_from_one_that_does_not_exist() -> None:
    facts = request("near/small", allowed_models=frozenset({"far/large"}))
    found = plan(house(), facts, Live())
    assert isinstance(found.refusal, ModelNotFound)
    assert found.candidates == ()
    assert found.decision.candidates == ()


def test_a_bare_name_reaches_only_the_deployments_allowed() -> None:
    facts = request("large", allowed_models=frozenset({"far/large"}))
    assert tried(plan(house(), facts, Live())) == ["far/large"]


def test_an_allowed_alias_brings_all_it_stands_for() -> None:
    rules = {"mine": Alias(targets=("near/small",), fallbacks=("giant",))}
    facts = request("mine", allowed_models=frozenset({"mine"}))
    assert tried(plan(house(**rules), facts, Live())) == ["near/small", "far/meta/giant"]


def test_auto_chooses_among_the_allowed_and_counts_the_others() -> None:
    facts = request("auto", allowed_models=frozenset({"far/large"}))
    found = plan(house(), facts, Live())
    assert tried(found) == ["far/large"]
    assert found.decision.excluded == {"NOT_ALLOWED": 3}
    assert [one.reference for one in found.decision.candidates] == ["far/large"]
