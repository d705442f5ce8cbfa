"""Rates of a caller on /v1: refused in OpenAI's words, told in headers, given back at the end."""

from dataclasses import replace

import httpx2
import openai
import pytest

from domain.limits import Limited, LimitOwner, Limits
from tests.gateway.plane import Plane
from tests.gateway.ports import KEY, identity
from tests.provider.server import FakeProvider


def limit(plane: Plane, **limits: int) -> None:
    """Of the key that calls."""
    limited = Limited(LimitOwner.API_KEY, identity("key"), Limits(**limits))
    plane.callers.caller = replace(plane.callers.caller, limits=(limited,))


@pytest.fixture
def limited(plane: Plane, fake_provider: FakeProvider) -> Plane:
    """A plane with models that answer, fail, and take their time."""
    provider = plane.provider("one", fake_provider.base_url, keys=("sk-one",))
    for name in ("fake-n8", "fake-n64-g20", "fake-500"):
        plane.model(provider, name)
    return plane


async def ask(
    plane: Plane, model: str = "fake-n8", max_tokens: int | None = None
) -> httpx2.Response:
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    async with httpx2.AsyncClient() as client:
        return await client.post(
            f"{plane.base_url}/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {KEY}"},
        )


async def test_the_request_above_the_rate_is_refused_and_nothing_is_sent(
    limited: Plane, fake_provider: FakeProvider
) -> None:
    limit(limited, requests_per_minute=2)

    answers = [await ask(limited) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["x-ratelimit-limit-requests"] == "2"
    assert [a.headers["x-ratelimit-remaining-requests"] for a in answers[:2]] == ["1", "0"]
    assert 55 <= int(answers[2].headers["retry-after"]) <= 65
    error = answers[2].json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert len(limited.records.intents) == 2


async def test_the_official_client_knows_a_rate_limit_when_it_meets_one(limited: Plane) -> None:
    limit(limited, requests_per_minute=0)

    with pytest.raises(openai.RateLimitError):
        await limited.client.chat.completions.create(
            model="fake-n8", messages=[{"role": "user", "content": "Hello"}]
        )


async def test_tokens_count_as_used_once_the_answer_is_there(limited: Plane) -> None:
    limit(limited, tokens_per_minute=1_000)

    first = await ask(limited, max_tokens=900)
    second = await ask(limited, max_tokens=900)

    used = first.json()["usage"]["total_tokens"]
    assert int(first.headers["x-ratelimit-remaining-tokens"]) <= 100
    assert second.status_code == 200
    left = int(second.headers["x-ratelimit-remaining-tokens"])
    assert left == int(first.headers["x-ratelimit-remaining-tokens"]) - used


async def test_a_request_that_asks_for_more_than_a_minute_holds_is_not_to_be_repeated(
    limited: Plane,
) -> None:
    limit(limited, tokens_per_minute=100)

    refused = await ask(limited, max_tokens=5_000)

    assert refused.status_code == 429
    assert refused.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.headers


async def test_one_that_runs_holds_its_place_until_its_client_leaves(limited: Plane) -> None:
    limit(limited, concurrency=1)
    stream = await limited.client.chat.completions.create(
        model="fake-n64-g20", messages=[{"role": "user", "content": "Hello"}], stream=True
    )

    assert (await ask(limited)).status_code == 429
    await stream.close()
    await limited.records.settled(1)

    assert (await ask(limited)).status_code == 200


async def test_one_that_fails_gives_its_place_back(limited: Plane) -> None:
    limit(limited, concurrency=1)

    assert (await ask(limited, "fake-500")).status_code == 502
    assert (await ask(limited)).status_code == 200


async def test_one_that_cannot_be_recorded_gives_its_place_back(limited: Plane) -> None:
    limit(limited, concurrency=1)
    limited.records.away = True
    assert (await ask(limited)).status_code == 503
    limited.records.away = False

    assert (await ask(limited)).status_code == 200
