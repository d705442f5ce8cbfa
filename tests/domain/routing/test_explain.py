"""What a stored decision says when it is read."""

import json

import msgspec
import pytest

from domain.decision import Decision
from domain.health import Health, Live, Vitals
from domain.routing import Decisive, Explanation, Lever, cell_of, explain, flips, plan
from domain.ruleset import Alias, Ruleset, Strategy, Weights
from domain.snapshot import Deployment
from tests.domain.routing.catalogue import (
    deployment,
    identity,
    price,
    provider,
    request,
    snapshot,
    vitals,
)

CHEAP, DEAR = price(0.6, 0.6), price(6.0, 6.0)


def explained(
    *deployments: Deployment,
    rules: Ruleset | None = None,
    seen: dict[str, Vitals] | None = None,
    model: str = "auto",
    session: str | None = None,
    incumbent: str | None = None,
) -> Explanation:
    """Through JSON, as a stored decision is."""
    facts = request(model, stream=True, session=session)
    live = Live(vitals={identity(name): found for name, found in (seen or {}).items()})
    house = snapshot(*deployments, ruleset=rules)
    if incumbent:
        cell = cell_of(plan(house, facts, live).decision)
        live = msgspec.structs.replace(live, incumbents={cell: identity(incumbent)})
    decision = plan(house, facts, live).decision
    return explain(msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(decision))), Decision))


def test_terms_add_up_to_the_total_and_carry_their_weights() -> None:
    found = explained(deployment("a/m", price(1.0, 3.0), quality=0.675))
    assert found.winner is not None
    cost, latency, quality = found.winner.terms
    assert (cost.weight, latency.weight, quality.weight) == (4000, 4000, 2000)
    assert (latency.raw, quality.raw) == (2.0, 0.675)
    assert quality.score == pytest.approx(0.5)
    assert cost.raw == pytest.approx(1.407643, abs=1e-6)
    total = cost.contribution + latency.contribution + quality.contribution
    assert found.winner.total == pytest.approx(total)
    assert (found.winner.rank, found.runner_up, found.margin) == (1, None, None)
    assert found.decisive is Decisive.ONLY_ONE


def test_names_winner_runner_up_margin_and_what_decided() -> None:
    found = explained(deployment("a/cheap", CHEAP), deployment("b/dear", DEAR))
    assert found.winner is not None
    assert found.runner_up is not None
    assert found.winner.record.reference == "a/cheap"
    assert found.runner_up.record.reference == "b/dear"
    assert found.margin == found.winner.total - found.runner_up.total
    assert found.decisive is Decisive.PRICE
    assert [one.record.reference for one in found.order] == ["a/cheap", "b/dear"]


def test_the_margin_of_cost_is_money_and_of_latency_seconds() -> None:
    pair = deployment("a/cheap", CHEAP), deployment("b/dear", DEAR)
    assert explained(*pair, rules=Ruleset(strategy=Strategy.COST)).margin == 6_782_400
    seen = {"a/cheap": vitals(2.0, 50.0), "b/dear": vitals(0.5, 50.0)}
    by_latency = explained(*pair, rules=Ruleset(strategy=Strategy.LATENCY), seen=seen)
    assert by_latency.margin == 1.5
    assert by_latency.decisive is Decisive.LATENCY


@pytest.mark.parametrize(
    ("first", "second", "seen", "decisive"),
    [
        ({"quality": 0.9}, {"quality": 0.5}, {}, Decisive.QUALITY),
        ({}, {}, {"a/m": vitals(0.3, 50.0)}, Decisive.LATENCY),
        (
            {},
            {},
            {"a/m": vitals(1.0, 50.0), "b/m": vitals(1.0, 50.0, health=Health.DEGRADED)},
            Decisive.HEALTH,
        ),
        ({"at": provider("a", priority=1)}, {}, {}, Decisive.PRIORITY),
    ],
)
def test_names_the_decisive_part(
    first: dict[str, object],
    second: dict[str, object],
    seen: dict[str, Vitals],
    decisive: Decisive,
) -> None:
    pair = deployment("a/m", CHEAP, **first), deployment("b/m", CHEAP, **second)  # type: ignore[arg-type]
    found = explained(*pair, seen=seen)
    assert found.winner is not None
    assert found.winner.record.reference == "a/m"
    assert found.decisive is decisive


def test_a_price_that_decides_is_not_called_a_cost_that_is_higher() -> None:
    """A score goes by the price of a token; an answer that is longer may cost more at less."""
    pair = deployment("a/wordy", price(0.6, 0.6)), deployment("b/terse", price(1.2, 1.2))
    seen = {
        "a/wordy": vitals(1.0, 50.0, output=60_000),
        "b/terse": vitals(1.0, 50.0, output=100),
    }
    found = explained(*pair, seen=seen)
    assert found.winner is not None
    assert found.runner_up is not None
    costs = found.winner.record.expected_cost, found.runner_up.record.expected_cost
    assert found.winner.record.reference == "a/wordy"
    assert None not in costs
    assert costs > costs[::-1]
    assert found.winner.price is not None
    assert found.runner_up.price is not None
    assert found.winner.price < found.runner_up.price
    assert found.decisive is Decisive.PRICE


def test_a_winner_by_incumbency_or_session_is_said_to_be_that() -> None:
    pair = deployment("a/m", CHEAP), deployment("b/m", price(0.61, 0.61))
    kept = explained(*pair, incumbent="b/m")
    assert kept.winner is not None
    assert (kept.winner.record.reference, kept.winner.rank) == ("b/m", 2)
    assert kept.runner_up is not None
    assert kept.runner_up.record.reference == "a/m"
    assert kept.decisive is Decisive.INCUMBENT
    sessions = {explained(*pair, session=f"{n}").decisive for n in range(20)}
    assert sessions == {Decisive.PRICE, Decisive.SESSION}


def test_a_fallback_that_serves_is_said_to_be_one() -> None:
    found = explained(
        deployment("a/m", CHEAP, enabled=False),
        deployment("b/spare", DEAR),
        rules=Ruleset(aliases={"x": Alias(("a/m",))}, fallbacks=("b/spare",)),
        model="x",
    )
    assert found.winner is not None
    assert found.winner.record.fallback
    assert found.candidates[1].rank is None
    assert flips(found.decision) == ()


def test_flip_conditions_say_who_wins_from_where() -> None:
    """Alike but for cost and quality, so the turning point can be computed by hand."""
    rules = Ruleset(strategy=Strategy.CUSTOM, weights=Weights(cost=5000, latency=0, quality=5000))
    found = explained(
        deployment("a/cheap", CHEAP, quality=0.4),
        deployment("b/good", DEAR, quality=0.7),
        rules=rules,
    )
    assert found.winner is not None
    assert found.winner.record.reference == "b/good"
    by_weight = next(one for one in flips(found.decision) if one.lever is Lever.COST_WEIGHT)
    # One price is ten times the other, a third of the scale of three decades; quality differs by
    # 0.3 of a scale of 0.55: w / 3 = (1 - w) * 0.5455 at w = 0.6207.
    assert by_weight.rising
    assert by_weight.winner == "a/cheap"
    assert by_weight.threshold == pytest.approx(6_207, abs=70)


def test_the_price_that_would_turn_a_rule_of_cost_is_exact() -> None:
    rules = Ruleset(strategy=Strategy.COST)
    found = explained(deployment("a/cheap", CHEAP), deployment("b/dear", DEAR), rules=rules)
    dearer, cheaper = flips(found.decision)
    assert (dearer.lever, dearer.rising, dearer.subject) == (Lever.PRICE, True, "a/cheap")
    assert dearer.threshold == pytest.approx(10.0, rel=1e-6)
    assert (cheaper.rising, cheaper.subject, cheaper.winner) == (False, "b/dear", "b/dear")
    assert cheaper.threshold == pytest.approx(0.1, rel=1e-6)


def test_a_lone_candidate_and_a_refusal_have_no_flip_conditions() -> None:
    assert flips(explained(deployment("a/m", CHEAP)).decision) == ()
    refused = explained(deployment("a/m", CHEAP), model="nobody")
    assert (refused.winner, refused.decisive, refused.order) == (None, None, ())
    assert flips(refused.decision) == ()
