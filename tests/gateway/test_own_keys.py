"""BYOK on the wire: whose key is sent, what may follow it, and whose it says it was."""

from dataclasses import replace
from typing import Any

import openai
import pytest

from domain.ruleset import Alias
from domain.snapshot import Deployment, KeyPolicy, ProviderType
from domain.usage import Outcome, UsageStatus
from tests.gateway.plane import MICRO, Plane, identity
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

STREAMS = pytest.mark.parametrize("stream", [False, True])
OWNER = "x-fairlead-key-owner"


def model(plane: Plane, fake: FakeProvider, name: str, policy: KeyPolicy) -> Deployment:
    """At provider `one`, with a system key and one of the caller's."""
    one = plane.provider("one", fake.base_url, keys=("sk-system",))
    plane.own_key(one, "sk-own", policy)
    return plane.model(one, name, input=1 * MICRO, output=4 * MICRO)


async def asked(plane: Plane, model: str, stream: bool) -> tuple[str, Outcome]:
    """The header that says whose key served, and the outcome."""
    raw: Any = await plane.client.chat.completions.with_raw_response.create(
        model=model, messages=HELLO, stream=stream
    )
    if stream:
        async for _ in raw.parse():
            pass
    return raw.headers[OWNER], (await plane.records.settled())[-1]


def sent(fake: FakeProvider) -> list[str]:
    return [entry.headers["authorization"].removeprefix("Bearer ") for entry in fake.chats]


def owners(outcome: Outcome) -> list[tuple[str | None, str]]:
    return [(attempt.key_owner, attempt.outcome) for attempt in outcome.attempts]


@STREAMS
async def test_ones_own_key_serves_and_its_shadow_cost_is_recorded(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    model(plane, fake_provider, "fake-i10-o2", KeyPolicy.ONLY_MINE)

    owner, outcome = await asked(plane, "one/fake-i10-o2", stream)

    assert owner == "USER"
    assert sent(fake_provider) == ["sk-own"]
    assert outcome.key_owner == "USER"
    assert outcome.cost == 10 * 1_000 + 2 * 4_000
    assert outcome.attempts[0].credential_id == identity("one:sk-own")


@pytest.mark.parametrize("fault", ["fail429", "fail401", "fail503"])
async def test_only_mine_never_becomes_the_systems_money(
    plane: Plane, fake_provider: FakeProvider, fault: str
) -> None:
    model(plane, fake_provider, f"fake-{fault}", KeyPolicy.ONLY_MINE)

    with pytest.raises(openai.APIStatusError):
        await asked(plane, f"one/fake-{fault}", stream=False)

    (outcome,) = await plane.records.settled()
    assert set(sent(fake_provider)) == {"sk-own"}
    assert (outcome.status, outcome.cost, outcome.key_owner) == (UsageStatus.ERROR, 0, None)


@STREAMS
async def test_mine_then_system_switches_at_the_limit_of_ones_own(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    model(plane, fake_provider, "fake-fail429x1", KeyPolicy.MINE_THEN_SYSTEM)

    owner, outcome = await asked(plane, "one/fake-fail429x1", stream)

    assert owner == "SYSTEM"
    assert sent(fake_provider) == ["sk-own", "sk-system"]
    assert owners(outcome) == [("USER", "RATE_LIMITED"), ("SYSTEM", "OK")]
    assert outcome.key_owner == "SYSTEM"


@pytest.mark.parametrize("fault", ["fail401", "fail402", "fail403"])
async def test_mine_then_system_never_switches_when_ones_own_is_refused(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider, fault: str
) -> None:
    """Nor does a fallback serve at the installation's expense."""
    model(plane, fake_provider, f"fake-{fault}", KeyPolicy.MINE_THEN_SYSTEM)
    plane.model(plane.provider("two", second_provider.base_url, keys=("sk-two",)), "spare")
    plane.rules(aliases={"smart": Alias((f"one/fake-{fault}",), fallbacks=("two/spare",))})

    with pytest.raises(openai.APIStatusError) as refused:
        await asked(plane, "smart", stream=False)
    # Known to be refused by now: still no switch.
    with pytest.raises(openai.APIStatusError):
        await asked(plane, f"one/fake-{fault}", stream=False)

    outcomes = await plane.records.settled(2)
    assert "`one` refused its key" in refused.value.message
    assert set(sent(fake_provider)) == {"sk-own"}
    assert sent(second_provider) == []
    assert owners(outcomes[0]) == [("USER", "KEY_REFUSED")]


async def test_mine_then_system_does_not_switch_when_the_provider_fails(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    model(plane, fake_provider, "fake-fail503x1", KeyPolicy.MINE_THEN_SYSTEM)

    with pytest.raises(openai.APIStatusError):
        await asked(plane, "one/fake-fail503x1", stream=False)

    assert sent(fake_provider) == ["sk-own"]


async def test_nothing_is_switched_once_the_answer_has_begun(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    model(plane, fake_provider, "fake-cut3", KeyPolicy.MINE_THEN_SYSTEM)

    with pytest.raises(openai.APIError):
        await asked(plane, "one/fake-cut3", stream=True)

    (outcome,) = await plane.records.settled()
    assert sent(fake_provider) == ["sk-own"]
    assert (outcome.status, outcome.key_owner) == (UsageStatus.CUT, "USER")


@pytest.mark.parametrize(
    ("fault", "end"), [("fail429x1", "RATE_LIMITED"), ("fail401x1", "KEY_REFUSED")]
)
async def test_system_then_mine_takes_ones_own_when_the_systems_does_not_serve(
    plane: Plane, fake_provider: FakeProvider, fault: str, end: str
) -> None:
    model(plane, fake_provider, f"fake-{fault}", KeyPolicy.SYSTEM_THEN_MINE)

    owner, outcome = await asked(plane, f"one/fake-{fault}", stream=False)

    assert owner == "USER"
    assert sent(fake_provider) == ["sk-system", "sk-own"]
    assert owners(outcome) == [("SYSTEM", end), ("USER", "OK")]
    assert outcome.key_owner == "USER"


async def test_somebody_elses_key_is_never_sent(plane: Plane, fake_provider: FakeProvider) -> None:
    one = plane.provider("one", fake_provider.base_url, type=ProviderType.OPENAI)
    plane.model(one, "fake")
    mine = plane.callers.caller
    plane.callers.caller = replace(mine, user_id=identity("else"))
    plane.own_key(one, "sk-theirs", KeyPolicy.SYSTEM_THEN_MINE)
    plane.callers.caller = mine

    with pytest.raises(openai.APIStatusError):
        await asked(plane, "one/fake", stream=False)

    assert sent(fake_provider) == []
