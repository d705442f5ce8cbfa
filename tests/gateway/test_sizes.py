"""A prompt is counted where its size has a say, and estimated by its length where it has none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from domain.decision import Request
from domain.limits import Limited, LimitOwner, Limits
from domain.snapshot import KeyPolicy
from domain.usage import UsageSource
from tests.gateway.plane import Plane, counter, identity, serving
from tests.provider import FakeProvider

TEXT = "Zählt man Wörter, so zählt man anders als bei Bytes. " * 20
ATTACHED = [{"type": "text", "text": "data:text/plain;base64," + "A" * 4_000}]


@pytest.fixture
async def plane(fake_provider: FakeProvider, second_provider: FakeProvider) -> AsyncIterator[Plane]:
    """One that looks at what it observed less often than a test sends requests."""
    allowed = (fake_provider.host_port, second_provider.host_port)
    async with serving(*allowed, interval=600.0) as plane:
        yield plane


async def asked(plane: Plane, model: str, content: Any = TEXT, **more: Any) -> Request:
    """What the last of three requests of a kind was decided on."""
    for _ in range(3):
        await plane.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": content}], **more
        )
    facts: Request = (await plane.records.settled(3))[-1].decision.request
    return facts


def raw(content: Any = TEXT) -> bytes:
    return msgspec.json.encode([{"role": "user", "content": content}])


@pytest.mark.parametrize("model", ["fake", "fake-nousage"])
async def test_where_it_has_no_say_it_is_estimated_and_usage_is_counted(
    plane: Plane, fake_provider: FakeProvider, model: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), model)
    facts = await asked(plane, f"one/{model}")
    first, _, last = plane.records.outcomes
    exact = counter().count(raw()).tokens
    counted = first.decision.request
    assert (counted.input_tokens, counted.input_estimated) == (exact, False)
    assert (facts.input_tokens, facts.input_estimated) == (-(-len(raw()) // 4), True)
    assert abs(facts.input_tokens - exact) > 10
    # What the fake provider says, or our count, where it says nothing.
    assert last.usage.input == first.usage.input
    if model == "fake-nousage":
        assert (last.usage.input, last.usage_source) == (exact, UsageSource.ESTIMATED)


async def test_a_stream_without_usage_is_counted(plane: Plane, fake_provider: FakeProvider) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-nousage")
    for _ in range(3):
        stream = await plane.client.chat.completions.create(
            model="one/fake-nousage", messages=[{"role": "user", "content": TEXT}], stream=True
        )
        async for _ in stream:
            pass
    outcomes = await plane.records.settled(3)
    assert outcomes[-1].decision.request.input_estimated
    assert {each.usage.input for each in outcomes} == {counter().count(raw()).tokens}


async def test_of_several_that_may_serve_it_is_counted(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    for slug, provider in (("one", fake_provider), ("two", second_provider)):
        plane.model(plane.provider(slug, provider.base_url), "fake")
    assert not (await asked(plane, "fake")).input_estimated


async def test_what_may_not_fit_is_counted(plane: Plane, fake_provider: FakeProvider) -> None:
    model = plane.model(plane.provider("one", fake_provider.base_url), "fake", context=1_000)
    assert len(raw()) > 1_000 > counter().count(raw()).tokens
    assert not (await asked(plane, model.reference)).input_estimated


async def test_what_is_attached_is_counted(plane: Plane, fake_provider: FakeProvider) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    facts = await asked(plane, "one/fake", ATTACHED)
    assert facts.input_tokens == counter().count(raw(ATTACHED)).tokens < len(raw(ATTACHED)) // 4


async def test_what_may_cost_only_so_much_is_counted(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    headers = {"x-fairlead-max-cost": "1"}
    assert not (await asked(plane, "one/fake", extra_headers=headers)).input_estimated


async def test_what_an_own_key_pays_only_so_much_of_is_counted(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url, keys=("sk-house",))
    plane.own_key(one, "sk-own", KeyPolicy.MINE_THEN_SYSTEM, spend=1_000_000_000)
    plane.model(one, "fake")
    assert not (await asked(plane, "one/fake")).input_estimated


async def test_with_limits_it_is_counted(plane: Plane, fake_provider: FakeProvider) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    limited = Limited(LimitOwner.API_KEY, identity("key"), Limits(tokens_per_minute=100_000))
    plane.callers.caller = replace(plane.callers.caller, limits=(limited,))
    assert not (await asked(plane, "one/fake")).input_estimated


async def test_with_credits_it_is_counted(plane: Plane, fake_provider: FakeProvider) -> None:
    one = plane.provider("one", fake_provider.base_url, keys=())
    plane.own_key(one, "sk-own", KeyPolicy.ONLY_MINE)
    plane.model(one, "fake")
    plane.credits()
    assert not (await asked(plane, "one/fake")).input_estimated
