"""What is planned after a request of the same kind is, to the byte, what would be planned alone."""

import uuid
from collections import Counter
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.health import Health, Live, Vitals
from domain.health.live import Rest
from domain.request import RequestFacts
from domain.routing import Plan, plan, plan_alone
from domain.routing.precedent import precedents_of
from domain.ruleset import Alias, PowerLevel, RuleBody, RuleScope, Ruleset, ScopedRules, Strategy
from domain.snapshot import (
    Capability,
    Credential,
    CreditSettings,
    CreditsMode,
    Deployment,
    KeyOwner,
    KeyPolicy,
    Modality,
    Price,
    ProviderType,
    Snapshot,
)
from domain.tokens import BYTES_PER_TOKEN
from tests.domain.routing.catalogue import (
    NOW,
    credential,
    deployment,
    identity,
    price,
    provider,
    request,
    snapshot,
    vitals,
)

ORGANIZATIONS = [None, identity("org"), identity("other org")]
USERS = [identity(f"user {n}") for n in range(3)]
CHANGES_AT = NOW + 5
NAMES = ["p0/m0", "p1/m1", "m0", "m2", "shared", "one", "many", "open", "auto", "nobody"]


def dated(random: Random) -> tuple[Price, ...]:
    """None, one price for good, or one that changes in the middle of the test."""
    first = price(random.choice((0.5, 2.0)), random.choice((1.0, 8.0)), random.choice((None, 0.1)))
    later = msgspec.structs.replace(price(3.0, 9.0), valid_from=CHANGES_AT)
    return random.choice(((), (first,), (first,), (first, later)))


def models(random: Random) -> list[Deployment]:
    providers = [
        provider(
            f"p{n}",
            type=random.choice((ProviderType.CUSTOM, ProviderType.OPENAI)),
            region=random.choice((None, "eu")),
        )
        for n in range(3)
    ]
    found = []
    for n in range(4):
        made = deployment(
            f"p{n % 3}/m{n}",
            None,
            at=providers[n % 3],
            canonical=random.choice((None, "shared")),
            quality=random.choice((None, 0.7)),
            context=random.choice((None, 2_000, 128_000)),
            longest=random.choice((None, 100)),
            capabilities=random.choice(((), (Capability.STREAMING,), tuple(Capability))),
            enabled=random.random() < 0.95,
        )
        found.append(msgspec.structs.replace(made, prices=dated(random)))
    return found


def keys(random: Random, served: list[Deployment]) -> list[Credential]:
    owners: list[tuple[KeyOwner, uuid.UUID | None]] = [(KeyOwner.SYSTEM, None)] * 4
    owners += [(KeyOwner.ORGANIZATION, ORGANIZATIONS[1]), (KeyOwner.USER, USERS[0])]
    providers = {one.provider.slug: one.provider for one in served}
    found = []
    for n in range(random.randrange(2, 9)):
        owner, id = random.choice(owners)
        at = random.choice(list(providers.values()))
        policy = random.choice(list(KeyPolicy))
        found.append(credential(f"key {n}", at, owner=owner, owner_id=id, policy=policy))
    return found


def installation(random: Random) -> Snapshot:
    served = models(random)
    rules = Ruleset(
        strategy=random.choice(list(Strategy)),
        aliases={
            "one": Alias(("p0/m0",)),
            "many": Alias(("m0", "m2"), fallbacks=("p1/m1",)),
            "open": Alias(("p0/m0", "auto")),
        },
        fallbacks=random.choice(((), (), ("p2/m2", "missing"))),
        regions=random.choice((None, None, ("eu",))),
        max_attempts=random.choice((1, 3)),
    )
    scoped: dict[uuid.UUID, ScopedRules] = {}
    if random.random() < 0.5:
        body = RuleBody(strategy=Strategy.COST, regions=("eu",))
        scoped[USERS[1]] = ScopedRules(RuleScope.USER, 3, body)
    house = snapshot(*served, ruleset=rules, credentials=keys(random, served), scoped=scoped)
    mode = random.choice(list(CreditsMode))
    return msgspec.structs.replace(house, credits=CreditSettings(mode))


def observed(random: Random, house: Snapshot) -> Live:
    seen: dict[uuid.UUID, Vitals] = {}
    for id in house.deployments:
        if random.random() < 0.6:
            seen[id] = vitals(
                random.uniform(0.1, 3.0),
                40.0,
                output=random.choice((None, 80)),
                cached_share=random.choice((0.0, 0.4)),
                health=random.choice([*Health, Health.HEALTHY, Health.HEALTHY]),
                retry_at=NOW + random.choice((-1.0, 4.0)),
                admitted=random.choice((0.3, 1.0)),
            )
    rests: list[Rest] = [
        (key.id, key.version, random.choice((None, random.choice(list(house.deployments)))))
        for found in house.credentials.values()
        for key in found
        if random.random() < 0.3
    ]
    return Live(
        number=random.choice((0, 4)),
        built_at=NOW - 0.25,
        vitals=seen,
        resting={rest: NOW + random.choice((-1.0, 5.0)) for rest in rests[:2]},
        shares={rest: 0.5 for rest in rests[2:] if rest[2] is not None},
        incumbents={"shared||": random.choice(list(house.deployments))},
    )


def kinds(random: Random) -> list[RequestFacts]:
    """Each differs from the first in one thing, so that what is forgotten of a kind shows."""
    first = request(
        random.choice(NAMES),
        user_id=random.choice(USERS),
        organization_id=random.choice(ORGANIZATIONS),
        stream=random.random() < 0.5,
        allowed_models=random.choice((None, None, None, frozenset({"p0/m0", "many"}))),
    )
    return [
        msgspec.structs.replace(first, **changes)
        for changes in (
            {},
            {"model": random.choice(NAMES)},
            {"user_id": random.choice(USERS)},
            {"organization_id": random.choice(ORGANIZATIONS)},
            {"stream": not first.stream},
            {"needs": frozenset({Capability.TOOLS})},
            {"level": random.choice(list(PowerLevel))},
            {"allowed_models": frozenset({"p0/m0"})},
            {"task": "sums"},
            {"modalities": frozenset({Modality.TEXT, Modality.IMAGE})},
        )
    ]


def asked(random: Random, kind: RequestFacts) -> RequestFacts:
    return msgspec.structs.replace(
        kind,
        id=uuid.UUID(int=random.getrandbits(128)),
        now=NOW + random.uniform(0.0, 10.0),
        input_tokens=random.choice((10, 1_950, 60_000)),
        input_estimated=random.random() < 0.5,
        max_tokens=random.choice((None, 20, 100)),
        session=random.choice((None, "s", "t")),
    )


def alone(house: Snapshot, facts: RequestFacts, live: Live) -> Plan:
    """As if nothing had been planned before."""
    return plan(msgspec.structs.replace(house), facts, msgspec.structs.replace(live))


def is_followed(house: Snapshot, facts: RequestFacts, live: Live) -> bool:
    known = precedents_of(house, live)
    return known.find(known.kind(facts), facts) is not None


def is_the_same_for_any_size(
    house: Snapshot, facts: RequestFacts, live: Live, expected: Plan
) -> bool:
    """Whether the size was said to have no say, which then is true of each that it may have."""
    found = plan_alone(house, facts, live)
    if found is None:
        return False
    assert msgspec.json.encode(found.decision) == msgspec.json.encode(expected.decision)
    for tokens in (0, facts.input_tokens * BYTES_PER_TOKEN):
        other = alone(house, msgspec.structs.replace(facts, input_tokens=tokens), live)
        assert (other.candidates, other.refusal) == (found.candidates, None)
    return True


def differences(seed: int, followed: Counter[str]) -> None:
    random = Random(seed)
    house = installation(random)
    live = observed(random, house)
    alike = kinds(random)
    for _ in range(80):
        facts = asked(random, random.choice(alike))
        followed[facts.model] += is_followed(house, facts, live)
        found, expected = plan(house, facts, live), alone(house, facts, live)
        assert msgspec.json.encode(found.decision) == msgspec.json.encode(expected.decision)
        assert found.candidates == expected.candidates
        assert str(found.refusal) == str(expected.refusal)
        assert (found.attempts, found.passes_filter) == (
            expected.attempts,
            expected.passes_filter,
        )
        followed["any size"] += is_the_same_for_any_size(house, facts, live, expected)


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_plan_that_follows_another_is_the_plan_it_would_be_alone(seed: int) -> None:
    differences(seed, Counter())


def test_names_of_one_and_of_several_are_followed_and_auto_is_not() -> None:
    followed: Counter[str] = Counter()
    for seed in range(60):
        differences(seed, followed)
    assert all(followed[name] for name in ("p0/m0", "p1/m1", "m0", "one", "many", "shared"))
    assert followed["any size"] > 50
    assert followed.total() > 200
    assert followed["open"] == followed["auto"] == followed["nobody"] == 0


def test_nothing_is_followed_into_another_snapshot_or_view() -> None:
    house, facts = snapshot(deployment("a/m", price(1.0, 4.0))), request("a/m")
    live = Live()
    plan(house, facts, live)
    assert is_followed(house, facts, live)
    dearer = snapshot(deployment("a/m", price(2.0, 8.0)))
    assert plan(dearer, facts, live).decision.candidates[0].expected_cost == 2 * (
        plan(house, facts, live).decision.candidates[0].expected_cost or 0
    )
    plan(house, facts, live)
    assert not is_followed(house, facts, Live())


def test_a_prompt_that_may_be_too_long_is_to_be_counted() -> None:
    house, live = snapshot(deployment("a/m", price(1.0, 4.0), context=1_000)), Live()
    plan(house, request("a/m", input_tokens=10), live)
    assert plan_alone(house, request("a/m", input_tokens=225, max_tokens=100), live) is not None
    assert plan_alone(house, request("a/m", input_tokens=226, max_tokens=100), live) is None


def test_what_is_kept_is_bounded() -> None:
    house, live = snapshot(deployment("a/m", price(1.0, 4.0))), Live()
    for n in range(2_500):
        plan(house, request("a/m", task=f"{n}"), live)
    known = precedents_of(house, live)
    assert 0 < len(known) <= 1_000
