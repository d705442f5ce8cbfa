"""Rules of organisations and people in the planner: who they hold for, and what they cost."""

import uuid

import msgspec
import pytest

from domain.configuration import build, essence_of
from domain.decision import Reason
from domain.health import Live
from domain.routing import Plan, cell_of, governed, plan, proposed, ruleset_of
from domain.routing.index import index_of
from domain.ruleset import (
    Alias,
    PowerLevel,
    RuleBody,
    RuleScope,
    Ruleset,
    ScopedRules,
    Strategy,
    Weights,
    override,
)
from domain.snapshot import Snapshot
from tests.domain.routing.catalogue import (
    USER,
    deployment,
    identity,
    price,
    provider,
    request,
    snapshot,
    vitals,
)

CHEAP, DEAR = price(0.6, 0.6), price(6.0, 6.0)
ACME, OTHER = identity("acme"), identity("other")


def scoped(scope: RuleScope, **body: object) -> ScopedRules:
    return ScopedRules(scope, 1, RuleBody(**body))  # type: ignore[arg-type]


def house(*, ruleset: Ruleset | None = None, **rules: ScopedRules) -> Snapshot:
    """A cheap model and a good one; `rules` by the name of an identity, `me` the caller's."""
    keys = {USER if name == "me" else identity(name): each for name, each in rules.items()}
    return snapshot(
        deployment("a/cheap", CHEAP, quality=0.5),
        deployment("b/good", DEAR, quality=0.9),
        ruleset=ruleset or Ruleset(strategy=Strategy.COST),
        scoped=keys,
    )


def won(found: Plan) -> str:
    return found.candidates[0].deployment.reference


def test_everybody_is_routed_by_their_own() -> None:
    best = Weights(0, 0, 10_000)
    here = house(
        acme=scoped(RuleScope.ORGANIZATION, strategy=Strategy.CUSTOM, weights=best),
        me=scoped(RuleScope.USER, strategy=Strategy.COST),
    )
    stranger = request(user_id=OTHER)
    member = request(user_id=OTHER, organization_id=ACME)
    me = request(organization_id=ACME)

    assert won(plan(here, stranger, Live())) == "a/cheap"
    assert won(plan(here, member, Live())) == "b/good"
    assert won(plan(here, me, Live())) == "a/cheap"


def test_callers_without_rules_of_their_own_share_the_snapshot() -> None:
    here = house(acme=scoped(RuleScope.ORGANIZATION, max_attempts=1))
    assert governed(here, OTHER, USER) is here
    assert governed(here, None, None) is here
    theirs = governed(here, ACME, USER)
    assert theirs.derived is here.derived
    assert theirs.deployments is here.deployments
    assert ruleset_of(here, ACME, USER) is ruleset_of(here, ACME, OTHER)


def test_the_same_inputs_give_the_same_bytes_whoever_asked_before() -> None:
    rules = scoped(RuleScope.USER, strategy=Strategy.LATENCY)
    facts = request(stream=True)
    first = plan(house(me=rules), facts, Live())
    here = house(me=rules)
    for one in range(20):
        plan(here, request(user_id=identity(f"{one}")), Live())
    again = plan(here, facts, Live())
    assert msgspec.json.encode(first.decision) == msgspec.json.encode(again.decision)


def test_whoever_has_rules_of_their_own_has_incumbents_of_their_own() -> None:
    here = house(ruleset=Ruleset(), me=scoped(RuleScope.USER, weights=Weights(10_000, 0, 0)))
    mine = cell_of(plan(here, request(), Live()).decision)
    others = cell_of(plan(here, request(user_id=OTHER), Live()).decision)
    assert others == "auto|BALANCED|"
    assert mine.startswith(f"{others}|")
    assert str(USER) not in mine


def test_price_bands_and_wider_limits_hold_for_everybody() -> None:
    base = Ruleset(max_attempts=3, regions=("eu", "us"))
    body = RuleBody(
        eco_below=1, precision_from=2, max_attempts=9, regions=("asia", "us"), priority_tiers=True
    )
    held = override(base, body, RuleScope.USER, 4)
    assert (held.eco_below, held.precision_from) == (base.eco_below, base.precision_from)
    assert (held.max_attempts, held.regions, held.priority_tiers) == (3, ("us",), False)
    assert held.origins == {"regions": RuleScope.USER}
    assert held.versions == {RuleScope.USER: 4}


def test_proposed_rules_decide_as_if_in_force_and_leave_what_is_served_alone() -> None:
    here = house(acme=scoped(RuleScope.ORGANIZATION, strategy=Strategy.COST))
    member, stranger = request(organization_id=ACME), request(user_id=OTHER)
    assert won(plan(here, member, Live())) == "a/cheap"
    best = RuleBody(strategy=Strategy.CUSTOM, weights=Weights(0, 0, 10_000))

    theirs = proposed(here, RuleScope.ORGANIZATION, ACME, best)
    everybodys = proposed(here, RuleScope.GLOBAL, None, best)

    assert won(plan(theirs, member, Live())) == "b/good"
    assert won(plan(theirs, stranger, Live())) == "a/cheap"
    assert won(plan(everybodys, stranger, Live())) == "b/good"
    assert won(plan(everybodys, member, Live())) == "a/cheap"
    decided = plan(theirs, member, Live()).decision.rules.versions
    assert decided[RuleScope.ORGANIZATION] == 0
    assert won(plan(here, member, Live())) == "a/cheap"


def test_proposed_rules_say_everything_anew() -> None:
    """What the version in force sets and they leave out is a default again."""
    here = house(ruleset=Ruleset(strategy=Strategy.COST, max_attempts=1))
    assert proposed(here, RuleScope.GLOBAL, None, RuleBody()).ruleset.max_attempts == 3


def test_models_are_counted_anew_under_other_price_bands() -> None:
    here = house()
    now = request().now
    kept = index_of(here, now)
    same = proposed(here, RuleScope.GLOBAL, None, RuleBody(max_attempts=1))
    other = proposed(here, RuleScope.GLOBAL, None, RuleBody(eco_below=1, precision_from=2))

    assert index_of(same, now) is kept
    assert index_of(other, now).tally.levels == {PowerLevel.PRECISION: 2}
    assert index_of(here, now) is kept


def test_rules_survive_on_disk() -> None:
    here = house(acme=scoped(RuleScope.ORGANIZATION, aliases={"x": Alias(("a/cheap",))}))
    kept = msgspec.json.decode(
        msgspec.json.encode(essence_of(here, 1.0)), type=type(essence_of(here, 1.0))
    )
    assert build(kept).scoped == here.scoped


@pytest.mark.parametrize(
    ("regions", "expected"),
    [(None, ["a/m", "b/m", "c/m"]), (("eu",), ["a/m"]), (("eu", "us"), ["a/m", "b/m"])],
)
def test_only_providers_of_the_allowed_regions_serve(
    regions: tuple[str, ...] | None, expected: list[str]
) -> None:
    places = {"a": "eu", "b": "us", "c": None}
    models = [
        deployment(f"{slug}/m", CHEAP, at=provider(slug, region=region))
        for slug, region in places.items()
    ]
    here = snapshot(*models, ruleset=Ruleset(regions=regions))
    for name in ("m", "auto"):
        found = plan(here, request(name), Live())
        assert sorted(one.deployment.reference for one in found.candidates) == expected
        assert found.decision.excluded.get(Reason.REGION, 0) == 3 - len(expected)


def test_a_reference_outside_the_regions_is_refused_with_the_reason() -> None:
    elsewhere = deployment("a/m", CHEAP, at=provider("a", region="us"))
    found = plan(snapshot(elsewhere, ruleset=Ruleset(regions=("eu",))), request("a/m"), Live())
    assert found.refusal is not None
    [record] = found.decision.candidates
    assert [(one.reason, one.detail) for one in record.exclusions] == [(Reason.REGION, "us")]


def windows(*sizes: int | None) -> Snapshot:
    models = [
        deployment(f"p{n}/m", price(0.6 + n / 10, 0.6), context=size)
        for n, size in enumerate(sizes)
    ]
    return snapshot(*models, ruleset=Ruleset(strategy=Strategy.COST, max_attempts=2))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((8_000, 8_000, 8_000, 32_000, 64_000), ["p0/m", "p1/m", "p3/m"]),
        ((8_000, 32_000, 8_000, 32_000), ["p0/m", "p1/m"]),
        ((8_000, 8_000, 8_000), ["p0/m", "p1/m"]),
        ((8_000, 8_000, None), ["p0/m", "p1/m", "p2/m"]),
        ((None, 8_000, 32_000), ["p0/m", "p1/m"]),
    ],
)
def test_a_larger_window_waits_behind_those_to_try(
    sizes: tuple[int | None, ...], expected: list[str]
) -> None:
    for name in ("m", "auto"):
        found = plan(windows(*sizes), request(name), Live())
        assert [one.deployment.reference for one in found.candidates] == expected
        assert found.attempts == 2


def test_a_session_keeps_to_one_of_equals_and_moves_only_when_its_own_is_gone() -> None:
    names = [f"p{n}" for n in range(5)]
    models = [deployment(f"{name}/m", CHEAP) for name in names]
    seen = {identity(f"{name}/m"): vitals(0.5, 50.0) for name in names}

    def served(session: str, *gone: str) -> str:
        there = [one for one in models if one.provider.slug not in gone]
        facts = request("m", session=session, id=uuid.uuid4())
        return won(plan(snapshot(*there), facts, Live(vitals=seen)))

    before = {f"s{n}": served(f"s{n}") for n in range(60)}
    assert len(set(before.values())) == 5
    assert before == {session: served(session) for session in before}
    after = {session: served(session, "p0") for session in before}
    moved = {session for session in before if after[session] != before[session]}
    assert moved == {session for session, name in before.items() if name == "p0/m"}


def test_tiers_go_before_everything_else_where_the_rule_says_so() -> None:
    cheap = deployment("a/m", CHEAP, at=provider("a", priority=2))
    first = deployment("b/m", DEAR, at=provider("b", priority=1))
    for tiers, expected in ((False, "a/m"), (True, "b/m")):
        rules = Ruleset(strategy=Strategy.COST, priority_tiers=tiers)
        assert won(plan(snapshot(cheap, first, ruleset=rules), request("m"), Live())) == expected
