"""Plans: order of trying, sessions, incumbents, and the record that is kept."""

import json

import msgspec
import pytest

from domain.decision import KEPT, Decision
from domain.health import Health, Live, Pace, Warmth
from domain.routing import Plan, cell_of, plan
from domain.ruleset import Alias, RuleScope, Ruleset, Strategy
from domain.snapshot import Assumption
from tests.domain.routing.catalogue import (
    NOW,
    deployment,
    identity,
    price,
    provider,
    request,
    snapshot,
    vitals,
)

FAIR = price(1.0, 3.0)


def tried(found: Plan) -> list[str]:
    return [one.deployment.reference for one in found.candidates]


def test_the_second_try_is_at_another_provider() -> None:
    house = snapshot(
        deployment("a/best", price(1.0, 1.0)),
        deployment("a/good", price(1.1, 1.1)),
        deployment("b/poor", price(9.0, 9.0)),
    )
    assert tried(plan(house, request("auto"), Live())) == ["a/best", "b/poor", "a/good"]


def test_a_list_of_fallbacks_overrides_the_automatic_order() -> None:
    house = snapshot(
        deployment("a/best", price(1.0, 1.0)),
        deployment("b/good", price(1.1, 1.1)),
        deployment("c/listed", price(0.1, 0.1)),
        ruleset=Ruleset(fallbacks=("c/listed", "b/gone")),
    )
    found = plan(house, request("auto"), Live())
    assert tried(found) == ["a/best", "c/listed", "b/good"]
    assert found.decision.unresolved == ("b/gone",)
    assert tried(plan(house, request("b/good"), Live())) == ["b/good", "c/listed"]


def test_an_aliases_fallbacks_come_after_its_targets_in_their_order() -> None:
    rules = Ruleset(
        aliases={"mine": Alias(targets=("a/one", "b/two"), fallbacks=("d/four", "c/three"))},
        fallbacks=("e/never",),
        max_attempts=4,
    )
    names = ("a/one", "b/two", "c/three", "d/four", "e/never")
    house = snapshot(*(deployment(name, FAIR) for name in names), ruleset=rules)
    order = tried(plan(house, request("mine"), Live()))
    assert sorted(order[:2]) == ["a/one", "b/two"]
    assert order[2:] == ["d/four", "c/three"]


def test_a_cheaper_model_that_is_listed_comes_after_the_level_that_serves() -> None:
    house = snapshot(
        deployment("a/fair", FAIR),
        deployment("b/small", price(0.1, 0.1)),
        ruleset=Ruleset(fallbacks=("b/small",)),
    )
    found = plan(house, request("auto"), Live())
    assert tried(found) == ["a/fair", "b/small"]
    assert [one.fallback for one in found.decision.candidates] == [False, True]


def test_fallbacks_serve_when_no_target_can() -> None:
    rules = Ruleset(fallbacks=("b/spare",))
    house = snapshot(
        deployment("a/m", FAIR, enabled=False), deployment("b/spare", FAIR), ruleset=rules
    )
    found = plan(house, request("a/m"), Live())
    assert tried(found) == ["b/spare"]
    assert found.refusal is None
    assert not found.decision.last_resort


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_no_more_are_tried_than_the_rule_says(attempts: int) -> None:
    rules = Ruleset(max_attempts=attempts)
    house = snapshot(*(deployment(f"p{n}/m", FAIR) for n in range(8)), ruleset=rules)
    assert len(plan(house, request("m"), Live()).candidates) == attempts


def test_a_cold_deployment_takes_the_median_of_its_provider_and_is_marked() -> None:
    house = snapshot(deployment("a/m", FAIR), deployment("b/m", FAIR))
    live = Live(number=3, built_at=NOW - 2, paces={provider("b").id: Pace(ttft=0.4, speed=100.0)})
    found = plan(house, request("m", stream=True), live).decision
    records = {one.reference: one for one in found.candidates}
    assert (records["b/m"].ttft, records["b/m"].speed) == (0.4, 100.0)
    assert (records["a/m"].ttft, records["a/m"].speed) == (1.0, 50.0)
    assert records["a/m"].warmth is records["b/m"].warmth is Warmth.COLD
    assert found.winner is not None
    assert found.winner.reference == "b/m"
    assert (found.live, found.live_age) == (3, 2.0)


def test_the_expected_answer_is_the_median_seen_under_every_cap() -> None:
    seen = {identity("a/m"): vitals(0.5, 50.0, output=900)}
    live = Live(vitals=seen)
    house = snapshot(deployment("a/m", FAIR, longest=700))
    for facts, expected in ((request("a/m"), 700), (request("a/m", max_tokens=50), 50)):
        found = plan(house, facts, live)
        assert found.decision.candidates[0].output == expected
        assert found.decision.candidates[0].expected_cost == 1_000 * 1_000 + expected * 3_000


def test_cached_input_is_expected_at_its_own_price() -> None:
    live = Live(vitals={identity("a/m"): vitals(0.5, 50.0, output=0, cached_share=0.5)})
    house = snapshot(deployment("a/m", price(2.0, 3.0, cached=0.2)))
    assert plan(house, request("a/m"), live).decision.candidates[0].expected_cost == 1_100_000


def test_unknown_quality_is_marked_as_assumed() -> None:
    house = msgspec.structs.replace(
        snapshot(deployment("a/m", FAIR, quality=None)), assumed=Assumption(0.42, 0.2, 0.6, 9)
    )
    record = plan(house, request("a/m"), Live()).decision.candidates[0]
    assert (record.quality, record.basis) == (0.42, "ASSUMED")
    assert (record.quality_low, record.quality_high, record.quality_samples) == (0.2, 0.6, 9)


@pytest.mark.parametrize(("source", "basis"), [(None, "USER"), ("a benchmark", "BENCHMARK")])
def test_a_known_quality_says_where_it_is_from(source: str | None, basis: str) -> None:
    known = msgspec.structs.replace(deployment("a/m", FAIR), quality_source=source)
    record = plan(snapshot(known), request("a/m"), Live()).decision.candidates[0]
    assert (record.quality, record.basis) == (0.7, basis)
    assert (record.quality_low, record.quality_high, record.quality_samples) == (None, None, None)


def test_the_incumbent_stays_until_another_is_clearly_better() -> None:
    slower = {identity("a/m"): vitals(1.0, 50.0), identity("b/m"): vitals(1.05, 50.0)}
    house = snapshot(deployment("a/m", FAIR), deployment("b/m", FAIR))
    first = plan(house, request("m", stream=True), Live(vitals=slower))
    assert tried(first)[0] == "a/m"
    incumbents = {cell_of(first.decision): identity("b/m")}
    kept = plan(house, request("m", stream=True), Live(vitals=slower, incumbents=incumbents))
    assert tried(kept)[0] == "b/m"
    assert kept.decision.incumbent == identity("b/m")
    slow = {**slower, identity("b/m"): vitals(3.0, 50.0)}
    lost = plan(house, request("m", stream=True), Live(vitals=slow, incumbents=incumbents))
    assert tried(lost)[0] == "a/m"


def test_a_session_stays_on_one_deployment_and_sessions_spread() -> None:
    names = [f"p{n}/m" for n in range(4)]
    house = snapshot(*(deployment(name, FAIR) for name in names))
    served = {}
    for session in range(200):
        facts = request("m", session=f"session {session}")
        served[session] = tried(plan(house, facts, Live()))[0]
        again = msgspec.structs.replace(facts, id=identity(f"turn {session}"), input_tokens=4_000)
        assert tried(plan(house, again, Live()))[0] == served[session]
    assert set(served.values()) == set(names)


def test_only_the_sessions_of_a_lost_deployment_move() -> None:
    names = [f"p{n}/m" for n in range(4)]
    whole = snapshot(*(deployment(name, FAIR) for name in names))
    lost = snapshot(*(deployment(name, FAIR, enabled=name != "p0/m") for name in names))
    for session in range(100):
        facts = request("m", session=f"session {session}")
        before = tried(plan(whole, facts, Live()))[0]
        after = tried(plan(lost, facts, Live()))[0]
        assert after != "p0/m"
        assert after == before or before == "p0/m"


def test_a_session_never_pays_more_than_the_rule_of_cost_allows() -> None:
    house = snapshot(
        deployment("a/m", FAIR),
        deployment("b/m", price(1.1, 3.0)),
        ruleset=Ruleset(strategy=Strategy.COST),
    )
    for session in range(30):
        assert tried(plan(house, request("m", session=f"{session}"), Live()))[0] == "a/m"


def crowd() -> Plan:
    rules = Ruleset(versions={RuleScope.GLOBAL: 12}, fallbacks=("p1/m1",), max_attempts=3)
    house = snapshot(
        *(
            deployment(f"p{n % 4}/m{n}", price(1 + n * 0.1, 2 + n * 0.3), quality=0.5 + n / 50)
            for n in range(20)
        ),
        ruleset=rules,
    )
    seen = {identity(f"p{n % 4}/m{n}"): vitals(0.3 + n / 20, 40.0 + n) for n in range(0, 20, 2)}
    seen[identity("p0/m4")] = vitals(0.4, 60.0, health=Health.OPEN, retry_at=NOW + 9)
    live = Live(number=9, built_at=NOW - 1, vitals=seen)
    return plan(house, request("auto", stream=True, session="s", max_tokens=300), live)


def test_the_record_comes_back_from_json_as_it_was() -> None:
    decision = crowd().decision
    stored = json.loads(json.dumps(msgspec.to_builtins(decision)))
    assert msgspec.convert(stored, Decision) == decision


def test_the_same_inputs_give_the_same_bytes() -> None:
    first, second = crowd().decision, crowd().decision
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_a_record_keeps_the_best_and_counts_the_rest() -> None:
    decision = crowd().decision
    assert len(decision.candidates) == KEPT
    assert decision.others == 12
    assert decision.excluded == {"CIRCUIT_OPEN": 1}
    kept = {one.deployment_id for one in decision.candidates}
    assert kept.issuperset(decision.order)
    assert len(msgspec.json.encode(decision)) < 2_300


def test_a_refused_request_is_recorded_too() -> None:
    found = plan(snapshot(), request("nobody"), Live())
    assert found.refusal is not None
    assert found.decision.refusal == found.refusal.message
    assert found.decision.order == ()
    assert found.decision.winner is None
