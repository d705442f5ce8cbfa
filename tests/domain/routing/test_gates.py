"""The bars of routing.md 6 that are pure: figures a change must not lower."""

import random

import msgspec
import pytest

from domain.health import Health, Live, Vitals
from domain.routing import Flip, Lever, Plan, flips, plan
from domain.routing.flips import shifted
from domain.ruleset import BALANCED_WEIGHTS, Alias, Ruleset, Strategy, Weights
from domain.snapshot import Deployment, Price, Snapshot
from tests.domain.routing.catalogue import deployment, identity, price, request, snapshot, vitals

POOLS = 2_000
FLIP_POOLS = 60


class House(msgspec.Struct):
    """What a random decision is made of, so that one value can be changed."""

    deployments: list[Deployment]
    vitals: dict[str, Vitals]
    ruleset: Ruleset
    model: str

    def decide(self, *, without: str | None = None, keep: int = 8) -> Plan:
        deployments = [one for one in self.deployments if one.reference != without]
        seen = {identity(name): found for name, found in self.vitals.items()}
        facts = request(self.model, stream=True)
        return plan(self.snapshot(deployments), facts, Live(vitals=seen), keep=keep)

    def snapshot(self, deployments: list[Deployment]) -> Snapshot:
        return snapshot(*deployments, ruleset=self.ruleset)


def random_house(seed: int, strategy: Strategy, *, automatic: bool = False) -> House:
    """2 to 12 deployments: prices over five orders of magnitude, some alike, some unmeasured."""
    chance = random.Random(seed)
    cost = chance.randrange(0, 10_001, 100)
    latency = chance.randrange(0, 10_001 - cost, 100)
    names = [f"p{n % 4}/m{n}" for n in range(chance.randint(2, 12))]
    deployments, seen = [], {}
    for name in names:
        base = chance.choice((0.0, 1.0, 10 ** chance.uniform(-2, 2.8)))
        quality = chance.choice((None, 0.7, chance.uniform(0.3, 1.0)))
        deployments.append(deployment(name, price(base, base * 4), quality=quality))
        if chance.random() < 0.8:
            health = Health.DEGRADED if chance.random() < 0.1 else Health.HEALTHY
            ttft, speed = (
                chance.choice((0.5, chance.lognormvariate(-0.5, 0.7))),
                chance.choice((60.0, 90.0)),
            )
            seen[name] = vitals(ttft, speed, health=health, output=chance.choice((100, 400)))
    rules = Ruleset(
        strategy=strategy,
        weights=Weights(cost, latency, 10_000 - cost - latency),
        aliases={"any": Alias(targets=tuple(names))},
        max_attempts=1,
    )
    return House(deployments, seen, rules, "auto" if automatic else "any")


def winner(found: Plan) -> str:
    return found.candidates[0].deployment.reference


@pytest.mark.parametrize("strategy", list(Strategy))
def test_no_candidate_that_loses_ever_changes_who_wins(strategy: Strategy) -> None:
    reversals = 0
    for seed in range(POOLS // len(Strategy)):
        house = random_house(seed, strategy)
        won = winner(house.decide())
        losers = [one.reference for one in house.deployments if one.reference != won]
        lost = random.Random(seed).choice(losers)
        reversals += winner(house.decide(without=lost)) != won
    assert reversals == 0


def test_noise_in_latency_seldom_switches_an_incumbent() -> None:
    """20 % noise; at most 3 switches in 100 decisions."""
    switches = 0
    decisions = 0
    for seed in range(20):
        house = random_house(seed, Strategy.BALANCED)
        seen = {
            one.reference: 10 ** random.Random(seed).uniform(-0.5, 0.3) for one in house.deployments
        }
        incumbent = None
        for turn in range(50):
            noise = random.Random(seed * 1_000 + turn)
            live = Live(
                vitals={
                    identity(name): vitals(ttft * noise.lognormvariate(0.0, 0.2), 60.0)
                    for name, ttft in seen.items()
                },
                incumbents={} if incumbent is None else {"any||": incumbent},
            )
            found = plan(house.snapshot(house.deployments), request("any", stream=True), live)
            served = found.candidates[0].deployment.id
            switches += incumbent is not None and served != incumbent
            decisions += 1
            incumbent = served
    assert switches / decisions <= 0.03


def scaled(known: Price, factor: float) -> Price:
    return msgspec.structs.replace(
        known, input=round(known.input * factor), output=round(known.output * factor)
    )


def changed(house: House, flip: Flip, value: float) -> House:
    """The same house with the lever of `flip` at `value`."""
    if flip.lever is Lever.PRICE:
        deployments = [
            msgspec.structs.replace(one, prices=(scaled(one.prices[0], value),))
            if one.reference == flip.subject
            else one
            for one in house.deployments
        ]
        return msgspec.structs.replace(house, deployments=deployments)
    if flip.lever is Lever.LATENCY:
        assert flip.subject is not None
        old = house.vitals.get(flip.subject) or vitals(1.0, 50.0)
        # With an endless speed the time to be served is the time to the first token.
        new = msgspec.structs.replace(old, ttft=value, speed=1e12)
        return msgspec.structs.replace(house, vitals={**house.vitals, flip.subject: new})
    own = house.ruleset.strategy is Strategy.CUSTOM
    weights = house.ruleset.weights if own else BALANCED_WEIGHTS
    rules = msgspec.structs.replace(
        house.ruleset,
        strategy=Strategy.CUSTOM,
        weights=shifted(weights, flip.lever, round(value)),
    )
    return msgspec.structs.replace(house, ruleset=rules)


def around(flip: Flip, stands: dict[Lever, int]) -> tuple[float, float]:
    """One percent (of a weight, at least a basis point) short of the threshold, but not beyond
    where things stand, and one percent past it."""
    sign = 1 if flip.rising else -1
    if flip.lever not in stands:
        return flip.threshold * (1 - 0.01 * sign), flip.threshold * (1 + 0.01 * sign)
    margin = max(round(flip.threshold * 0.01), 1) * sign
    nearest = max if flip.rising else min
    short = nearest(flip.threshold - margin, stands[flip.lever])
    return short, min(max(flip.threshold + margin, 0), 10_000)


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_flip_condition_flips_the_winner_one_percent_on_either_side(
    strategy: Strategy, automatic: bool
) -> None:
    tried = 0
    for seed in range(FLIP_POOLS):
        house = random_house(seed, strategy, automatic=automatic)
        found = house.decide(keep=20)
        if found.refusal is not None:
            continue
        won = winner(found)
        weights = found.decision.rules.weights
        stands = {
            Lever.COST_WEIGHT: weights.cost,
            Lever.LATENCY_WEIGHT: weights.latency,
            Lever.QUALITY_WEIGHT: weights.quality,
        }
        for flip in flips(found.decision):
            tried += 1
            short, past = around(flip, stands)
            assert winner(changed(house, flip, short).decide()) == won, (seed, flip, short)
            assert winner(changed(house, flip, past).decide()) == flip.winner, (seed, flip, past)
    assert tried > FLIP_POOLS
