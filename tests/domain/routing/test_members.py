"""Under auto most models are only counted: looking at every one of them must say the same."""

import math
import random
from collections import Counter

import msgspec
import pytest

from domain.decision import KEPT, Decision, Exclusion, Reason
from domain.health import Health, Live, Pace, Vitals
from domain.health.live import Rest
from domain.pricing import blended, level_of
from domain.request import RequestFacts
from domain.routing import plan
from domain.routing.filters import Examiner, Option
from domain.routing.gather import DEAREST_FIRST
from domain.routing.index import Entry, index_of
from domain.routing.lots import digest
from domain.routing.order import diverse, rank
from domain.routing.resolve import allows
from domain.routing.score import Scorer, scale_of
from domain.ruleset import Alias, PowerLevel, Ruleset, Strategy, Weights
from domain.snapshot import (
    Capability,
    Credential,
    CredentialState,
    Deployment,
    KeyOwner,
    KeyPolicy,
    Modality,
    Price,
    Provider,
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

CASES = 150
EVERYONE = 1_000
STREAMS, TOOLS = (Capability.STREAMING,), (Capability.STREAMING, Capability.TOOLS)
STATES = (CredentialState.ACTIVE, CredentialState.ACTIVE, CredentialState.DISABLED)
CONDITIONS = (*[Health.HEALTHY] * 6, Health.DEGRADED, Health.OPEN, Health.HALF_OPEN)


class Case(msgspec.Struct):
    house: Snapshot
    facts: RequestFacts
    live: Live


def random_case(seed: int, strategy: Strategy, *models: str, fallbacks: int = 0) -> Case:
    """Up to 70 models of 1 to 5 providers; anything may be wrong with any, and prices change."""
    chance = random.Random(seed)
    providers = [_provider(chance, n) for n in range(chance.randint(1, 5))]
    deployments = _deployments(chance, providers)
    keys = [key for one in providers for key in _keys(chance, one)]
    names = [one.reference for one in deployments]
    rules = Ruleset(
        strategy=strategy,
        weights=Weights(3_000, 3_000, 4_000),
        fallbacks=tuple(chance.sample(names, fallbacks)),
        aliases={"mixed": Alias(("auto:balanced", *chance.sample(names, 2)), ("auto:eco",))},
        max_attempts=chance.choice((1, 3, 5)),
        priority_tiers=chance.random() < 0.2,
        regions=chance.choice((None, None, None, ("eu",), ("eu", "us"))),
    )
    allowed = frozenset(chance.sample([*names, "c1"], 3)) if chance.random() < 0.2 else None
    facts = request(
        chance.choice(models),
        id=identity(f"request {seed}"),
        stream=chance.random() < 0.5,
        max_tokens=chance.choice((None, None, 50, 300)),
        session=chance.choice((None, None, "a", "b")),
        needs=frozenset({Capability.TOOLS} if chance.random() < 0.15 else ()),
        modalities=frozenset(
            {Modality.TEXT, chance.choice((Modality.TEXT,) * 9 + (Modality.PDF,))}
        ),
        allowed_models=allowed,
    )
    incumbent = chance.choice(deployments).id
    live = Live(
        vitals={one.id: _vitals(chance) for one in deployments if chance.random() < 0.6},
        paces={one.id: Pace(0.4, 70.0) for one in providers if chance.random() < 0.3},
        resting=_resting(chance, keys, deployments),
        incumbents={f"{facts.model}|{level}|": incumbent for level in PowerLevel},
    )
    return Case(snapshot(*deployments, ruleset=rules, credentials=keys), facts, live)


def _deployments(chance: random.Random, providers: list[Provider]) -> list[Deployment]:
    alike = chance.random() < 0.3
    return [
        _deployment(chance, f"m{n}", chance.choice(providers), alike)
        for n in range(chance.choice((3, 12, 70)))
    ]


def _provider(chance: random.Random, n: int) -> Provider:
    return provider(
        f"p{n}",
        type=chance.choice((ProviderType.OPENAI, ProviderType.CUSTOM)),
        enabled=chance.random() < 0.9,
        priority=chance.choice((100, 100, 1)),
        region=chance.choice((None, "eu", "eu", "us")),
    )


def _deployment(chance: random.Random, name: str, at: Provider, alike: bool) -> Deployment:
    base = 1.0 if alike else chance.choice((0.0, 1.0, 10 ** chance.uniform(-2, 2.5)))
    plain = deployment(
        f"{at.slug}/{name}",
        None,
        at=at,
        canonical=chance.choice((None, "c1", "c2")),
        quality=chance.choice((None, 0.7, 0.7, chance.uniform(0.3, 1.0))),
        context=chance.choice((None, 128_000, 128_000, 1_000, 1_200)),
        longest=chance.choice((None, None, 100, 500)),
        capabilities=chance.choice((STREAMS, STREAMS, TOOLS, ())),
        pin=chance.choice((None,) * 8 + ("ECO", "PRECISION")),
        enabled=chance.random() < 0.9,
    )
    return msgspec.structs.replace(plain, prices=_prices(chance, base))


def _prices(chance: random.Random, base: float) -> tuple[Price, ...]:
    later = msgspec.structs.replace(price(base * 10, base * 20), valid_from=NOW + 5)
    known = (price(base, base * 4), later)
    return known[: chance.choice((0, 1, 1, 1, 2, 2))] if chance.random() < 0.9 else (later,)


def _keys(chance: random.Random, at: Provider) -> list[Credential]:
    return [
        credential(
            f"{at.slug} key {n}",
            at,
            state=chance.choice(STATES),
            owner=chance.choice((KeyOwner.SYSTEM, KeyOwner.SYSTEM, KeyOwner.USER)),
            owner_id=USER,
            policy=chance.choice(list(KeyPolicy)),
        )
        for n in range(chance.choice((0, 1, 1, 2)))
    ]


def _vitals(chance: random.Random) -> Vitals:
    return vitals(
        chance.choice((0.5, 0.5, chance.uniform(0.1, 5.0))),
        chance.choice((60.0, 90.0)),
        health=chance.choice(CONDITIONS),
        output=chance.choice((None, 100, 400)),
        retry_at=NOW + chance.choice((-3, 4, 9)),
        admitted=0.5,
    )


def _resting(
    chance: random.Random, keys: list[Credential], deployments: list[Deployment]
) -> dict[Rest, float]:
    places = [None, *(one.id for one in chance.sample(deployments, 3))]
    limited = [key for key in keys if chance.random() < 0.3]
    return {
        (key.id, 1, place): NOW + chance.choice((-5, 5, 7))
        for key in limited
        for place in places
        if chance.random() < 0.5
    }


def looked_at(case: Case, levels: tuple[PowerLevel, ...]) -> list[Option]:
    """Every model that the caller may use, with its exclusions."""
    house, facts = case.house, case.facts
    examiner = Examiner(house, facts, case.live, house.ruleset.strategy)
    options = []
    for place, one in enumerate(house.deployments.values()):
        known = one.price_at(facts.now)
        level = level_of(one, known, house.ruleset)
        listed = None if known is None else blended(known)
        entry = Entry(place, one, one.reference, known, listed, level)
        if allows(facts, one):
            options.append(examiner.examine(entry, by_level=True, named=False))
    able = {option.entry.level for option in options if not option.exclusions}
    served = next((level for level in levels if level in able), None)
    for option in options:
        level = option.entry.level
        if level is not None and level not in (levels if served is None else (served,)):
            option.exclusions += (Exclusion(Reason.LEVEL, detail=level.value),)
    return options


def straightforward(case: Case, decision: Decision) -> tuple[list[Option], list[Option]]:
    """All options, and those to try, worked out without an index."""
    house, facts = case.house, case.facts
    assert decision.request.level is not None
    options = looked_at(case, DEAREST_FIRST[DEAREST_FIRST.index(decision.request.level) :])
    eligible = [option for option in options if not option.exclusions]
    waiting = [option for option in options if option.passes_by_itself]
    if not eligible and waiting:
        eligible = [min(waiting, key=lambda one: (one.back_at, one.entry.deployment.id.int))]
        eligible[0].exclusions = ()
    if not eligible:
        return options, []
    examiner = Examiner(house, facts, case.live, house.ruleset.strategy)
    ranking = rank(
        [examiner.estimate(option, place) for place, option in enumerate(eligible)],
        Scorer(scale_of(house.ruleset, house.ruleset.strategy)),
        decision.incumbent,
        None if facts.session is None else digest(facts.session),
    )
    ranked = [eligible[one.place] for one in ranking.ranked]
    ordered = diverse(eligible[ranking.winner.place], ranked)
    tried = ordered[: house.ruleset.max_attempts]
    if len(tried) > 1:
        widest = max(window(one) for one in tried)
        tried += [one for one in ordered[len(tried) : KEPT] if window(one) > widest][:1]
    excluded = [option for option in options if option.exclusions]
    return [*ranked, *excluded], tried


def window(option: Option) -> float:
    return option.entry.deployment.context_length or math.inf


def counted(case: Case, options: list[Option]) -> dict[Reason, int]:
    reasons = Counter(exclusion.reason for one in options for exclusion in one.exclusions)
    reasons[Reason.NOT_ALLOWED] = len(case.house.deployments) - len(options)
    return +reasons


@pytest.mark.parametrize("strategy", list(Strategy))
def test_auto_says_what_looking_at_every_model_says(strategy: Strategy) -> None:
    served = 0
    for seed in range(CASES):
        case = random_case(seed, strategy, "auto", "auto", "auto:eco", "auto:precision")
        for later in (0, 6, 0):
            case.facts = msgspec.structs.replace(case.facts, now=NOW + later)
            short = plan(case.house, case.facts, case.live).decision
            whole = plan(case.house, case.facts, case.live, keep=EVERYONE).decision
            options, tried = straightforward(case, short)
            assert whole.order == short.order == tuple(one.entry.deployment.id for one in tried)
            assert whole.excluded == short.excluded == counted(case, options), (seed, later)
            assert [(one.reference, one.exclusions) for one in whole.candidates] == [
                (one.entry.reference, one.exclusions) for one in options
            ]
            assert len(short.candidates) + short.others == len(options)
            served += bool(tried)
    assert served > CASES


@pytest.mark.parametrize("strategy", list(Strategy))
def test_aliases_and_fallbacks_count_as_many_as_they_list(strategy: Strategy) -> None:
    for seed in range(CASES):
        case = random_case(seed, strategy, "auto", "mixed", "mixed", fallbacks=seed % 3)
        short = plan(case.house, case.facts, case.live).decision
        whole = plan(case.house, case.facts, case.live, keep=EVERYONE).decision
        listed = Counter(x.reason for one in whole.candidates for x in one.exclusions)
        listed[Reason.NOT_ALLOWED] = short.excluded.get(Reason.NOT_ALLOWED, 0)
        assert short.excluded == whole.excluded == +listed, seed
        assert (short.order, short.refusal) == (whole.order, whole.refusal)
        assert len(short.candidates) + short.others == len(whole.candidates)
        assert whole.others == 0


def test_the_index_is_kept_until_a_price_changes() -> None:
    house = snapshot(
        deployment("a/m", price(1.0, 3.0)),
        msgspec.structs.replace(deployment("b/m", None), prices=_prices_from(NOW + 5)),
    )
    now = index_of(house, NOW)
    assert index_of(house, NOW + 4.9) is now
    later = index_of(house, NOW + 5)
    assert (now.until, later.since) == (NOW + 5, NOW + 5)
    priced = [entry.price is not None for entry in later.entries.values()]
    assert priced == [True, True]
    assert [entry.price is not None for entry in now.entries.values()] == [True, False]


def _prices_from(at: float) -> tuple[Price, ...]:
    return (msgspec.structs.replace(price(1.0, 3.0), valid_from=at),)
