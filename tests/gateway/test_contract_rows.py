"""Rows of the failure contract that have no test elsewhere, on the wire."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import openai
import pytest

from domain.health import Failure, Health
from domain.ruleset import Alias
from domain.snapshot import Timeouts
from tests.gateway.plane import Plane
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider


async def _ask(plane: Plane, model: str, **more: Any) -> Any:
    return await plane.client.chat.completions.create(model=model, messages=HELLO, **more)


async def test_one_deadline_bounds_all_attempts(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    brief = Timeouts(total_ms=600)
    plane.model(plane.provider("one", fake_provider.base_url, timeouts=brief), "fake-silent")
    plane.model(plane.provider("two", second_provider.base_url, timeouts=brief), "fake-silent")
    plane.rules(aliases={"smart": Alias(("one/fake-silent",), ("two/fake-silent",))})
    began = asyncio.get_running_loop().time()

    with pytest.raises(openai.APIStatusError) as error:
        await _ask(plane, "smart")

    assert error.value.status_code == 504
    assert asyncio.get_running_loop().time() - began < 5
    assert len(fake_provider.chats) + len(second_provider.chats) == 1


@pytest.mark.parametrize("model", ["fake-fail400", "fake-fail413", "fake-fail422"])
async def test_what_is_the_requests_fault_never_counts_against_a_deployment(
    plane: Plane, fake_provider: FakeProvider, model: str
) -> None:
    made = plane.model(plane.provider("one", fake_provider.base_url), model)
    for _ in range(10):
        with pytest.raises(openai.APIStatusError):
            await _ask(plane, f"one/{model}")

    assert made.id not in plane.configuration.live.vitals
    assert len(fake_provider.chats) == 10


async def test_when_every_circuit_is_open_the_least_bad_is_tried_once(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    for slug, server in (("one", fake_provider), ("two", second_provider)):
        made = plane.model(plane.provider(slug, server.base_url), "fake-fail503")
        for _ in range(3):
            plane.configuration.observatory.failed(made, Failure.SERVER_ERROR)
    plane.rules(aliases={"smart": Alias(("one/fake-fail503", "two/fake-fail503"))})

    with pytest.raises(openai.APIStatusError):
        await _ask(plane, "smart")

    assert len(fake_provider.chats) + len(second_provider.chats) == 1


async def test_a_lone_one_that_is_well_again_climbs_the_ramp_and_closes(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    made = plane.model(plane.provider("one", fake_provider.base_url), "fake")
    for _ in range(3):
        plane.configuration.observatory.failed(made, Failure.SERVER_ERROR)
    tripped = plane.configuration.live.vitals[made.id]
    async with asyncio.timeout(60):
        while True:
            if plane.configuration.live.vitals[made.id].health is Health.HALF_OPEN:
                break
            await asyncio.sleep(0.1)

    admitted = []
    for count in range(1, 6):
        await _ask(plane, "one/fake")
        await plane.records.settled(count)
        admitted.append(plane.configuration.live.vitals[made.id].admitted)

    assert tripped.health is Health.OPEN
    assert admitted == [0.1, 0.2, 0.4, 0.7, 1.0]
    assert not plane.configuration.live.vitals[made.id].is_tripped


async def test_a_pool_shares_its_traffic_by_weight(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    made = plane.provider("one", fake_provider.base_url, keys=("sk-light", "sk-heavy"))
    plane.model(made, "fake-n1")
    held = plane.configuration.snapshot
    light, heavy = held.credentials[made.id]
    weighted = (light, msgspec.structs.replace(heavy, weight=3))
    plane._swap(credentials=held.credentials | {made.id: weighted})

    await asyncio.gather(*(_ask(plane, "one/fake-n1") for _ in range(200)))

    used = Counter(entry.headers["authorization"] for entry in fake_provider.chats)
    # Of 200, three quarters are expected at the heavier: 150, give or take four deviations.
    assert 125 <= used["Bearer sk-heavy"] <= 175


@pytest.mark.parametrize("wait", [1, 30])
async def test_a_wait_that_is_short_is_waited_and_one_that_is_long_is_kept(
    plane: Plane, fake_provider: FakeProvider, wait: int
) -> None:
    model = f"fake-fail429r{wait}x1"
    made = plane.model(plane.provider("one", fake_provider.base_url, keys=("sk",)), model)
    asked = _ask(plane, f"one/{model}")
    if wait == 1:
        await asked
        assert len(fake_provider.chats) == 2
        return
    with pytest.raises(openai.RateLimitError) as error:
        await asked

    resting = plane.configuration.live.resting
    [(key, version, deployment)] = resting
    assert (key is not None, version, deployment) == (True, 1, made.id)
    assert float(error.value.response.headers["retry-after"]) >= 25
    assert len(fake_provider.chats) == 1
