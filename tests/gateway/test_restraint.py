"""No provider is hammered: outages are not multiplied, limits kept, refused keys let be."""

import asyncio

import openai
import pytest

from domain.health import Health
from domain.ruleset import Alias
from tests.gateway.plane import Plane
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider


async def _ask(plane: Plane, model: str) -> None:
    await plane.client.chat.completions.create(model=model, messages=HELLO)


async def _fail(plane: Plane, model: str, times: int) -> None:
    async def once() -> None:
        with pytest.raises(openai.InternalServerError):
            await _ask(plane, model)

    for _ in range(times // 10):
        await asyncio.gather(*(once() for _ in range(10)))


@pytest.mark.parametrize("fault", ["fail500", "fail503", "reset"])
async def test_an_outage_is_not_amplified(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider, fault: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), f"fake-{fault}")
    plane.model(plane.provider("two", second_provider.base_url), f"spare-{fault}")
    plane.rules(aliases={"smart": Alias((f"one/fake-{fault}",), (f"two/spare-{fault}",))})
    requests = 600
    await _fail(plane, "smart", requests)

    attempts = len(fake_provider.chats) + len(second_provider.chats)
    assert requests <= attempts <= 1.2 * requests
    health = {vitals.health for vitals in plane.configuration.live.vitals.values()}
    assert health <= {Health.OPEN, Health.HALF_OPEN}


async def test_a_refused_key_is_told_and_not_asked_again(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    fake_provider.key = "sk-right"
    one = plane.provider("one", fake_provider.base_url, keys=("sk-wrong", "sk-right"))
    plane.model(one, "fake")
    for _ in range(20):
        await _ask(plane, "one/fake")

    wrong, _ = plane.configuration.snapshot.credentials[one.id]
    refused = [chat for chat in fake_provider.chats if chat.status == 401]
    assert len(refused) == len(plane.refused) == 1
    assert plane.refused == [(one.id, wrong.id)]


async def test_a_model_that_is_missing_is_left_alone_for_a_while(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-fail404")
    plane.model(plane.provider("two", second_provider.base_url), "spare")
    plane.rules(aliases={"smart": Alias(("one/fake-fail404",), ("two/spare",))})
    for _ in range(5):
        await _ask(plane, "smart")

    assert len(fake_provider.chats) == 1
    assert len(second_provider.chats) == 5


async def test_what_a_limited_key_is_spared_goes_to_others(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-fail429r0x1")
    plane.model(plane.provider("two", second_provider.base_url), "spare")
    plane.rules(aliases={"smart": Alias(("one/fake-fail429r0x1",), ("two/spare",))})
    for _ in range(60):
        await _ask(plane, "smart")

    assert 25 <= len(fake_provider.chats) <= 56
    assert len(fake_provider.chats) + len(second_provider.chats) == 61
