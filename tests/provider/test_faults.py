"""The fake provider's later faults are what they say on the wire."""

import gzip

import httpx2
import pytest

from tests.provider.server import FakeProvider

BODY = {"messages": [{"role": "user", "content": "x"}]}


async def _post(provider: FakeProvider, model: str, **fields: object) -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        url = f"{provider.base_url}/chat/completions"
        return await client.post(url, json={"model": model, **BODY, **fields})


async def test_it_flaps(fake_provider: FakeProvider) -> None:
    seen = [(await _post(fake_provider, "fake-flap2")).status_code for _ in range(6)]
    assert seen == [503, 503, 200, 200, 503, 503]


async def test_a_drip_changes_nothing_but_the_pieces(fake_provider: FakeProvider) -> None:
    whole = await _post(fake_provider, "fake", stream=True)
    dripped = await _post(fake_provider, "fake-d3", stream=True)
    assert dripped.text.replace("fake-d3", "fake").replace("fake-2", "fake-1") == whole.text


async def test_a_bomb_unpacks_to_far_more_than_was_sent(fake_provider: FakeProvider) -> None:
    answer = await _post(fake_provider, "fake-gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content)) < 20_000 < 8_000_000 < len(answer.content)


async def test_a_page_is_no_json(fake_provider: FakeProvider) -> None:
    answer = await _post(fake_provider, "fake-html")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_huge_line_has_no_end(fake_provider: FakeProvider, stream: bool) -> None:
    size = 0
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=60) as client,
        client.stream(
            "POST",
            f"{fake_provider.base_url}/chat/completions",
            json={"model": "fake-huge1", "stream": stream, **BODY},
        ) as answer,
    ):
        async for piece in answer.aiter_raw():
            size += len(piece)
            if size > 5_000_000:
                break
    await fake_provider.idle()
    assert fake_provider.log[0].aborted


async def test_prefill_is_refused(fake_provider: FakeProvider) -> None:
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    refused = await _post(fake_provider, "fake-noprefill", messages=turns)
    taken = await _post(fake_provider, "fake-noprefill")
    assert (refused.status_code, taken.status_code) == (400, 200)
