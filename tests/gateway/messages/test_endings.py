"""How an answer to Anthropic's client ends when it does not end well."""

import json
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from domain.snapshot import ProviderType
from domain.usage import UsageSource, UsageStatus
from tests.gateway.adapter.formats import EVERY, serve
from tests.gateway.messages.asking import HELLO, ask
from tests.gateway.plane import KEY, Plane
from tests.provider.server import FakeProvider

both_modes = pytest.mark.parametrize("stream", [False, True])
every_format = pytest.mark.parametrize("type", EVERY)


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        ({"model": "auto", "messages": HELLO}, 400, "invalid_request_error", "`max_tokens`"),
        ({"model": "auto", "max_tokens": 9, "messages": []}, 400, "invalid_request_error", "mess"),
        ({"model": "no/such", "max_tokens": 9, "messages": HELLO}, 404, "not_found_error", "no/su"),
        ({"model": "auto", "max_tokens": 9, "messages": HELLO}, 422, "invalid_request_error", "No"),
    ],
)
async def test_refusals_have_anthropics_shape(
    plane: Plane, body: Any, status: int, kind: str, words: str
) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        url = f"{plane.base_url}/messages"
        answer = await client.post(url, headers={"x-api-key": KEY}, json=body)
        nobody = await client.post(url, json=body)

    assert answer.status_code == status
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == kind
    assert words in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert nobody.json()["error"]["type"] == "authentication_error"


@every_format
@pytest.mark.parametrize("fault", ["cut3", "rst3", "malformed3", "inband3"])
async def test_a_stream_that_dies_ends_with_an_error_and_never_in_order(
    plane: Plane,
    fake_provider: FakeProvider,
    claude: AsyncAnthropic,
    type: ProviderType,
    fault: str,
) -> None:
    serve(plane, fake_provider, type, f"fake-{fault}")
    texts: list[str] = []

    with pytest.raises(anthropic.APIError):
        await _read(claude, texts)

    assert "".join(texts) == "word0 word1 word2 "
    [outcome] = await plane.records.settled()
    assert (outcome.status, outcome.usage.output) == (UsageStatus.CUT, 3)


async def _read(claude: AsyncAnthropic, texts: list[str]) -> None:
    async with claude.messages.stream(model="auto", max_tokens=900, messages=HELLO) as events:
        async for text in events.text_stream:
            texts.append(text)


async def test_the_last_event_of_a_dead_stream(plane: Plane, fake_provider: FakeProvider) -> None:
    serve(plane, fake_provider, ProviderType.ANTHROPIC, "fake-cut2")
    body = {"model": "auto", "max_tokens": 9, "messages": HELLO, "stream": True}
    pieces: list[bytes] = []
    with pytest.raises(httpx2.RemoteProtocolError):
        await _read_raw(f"{plane.base_url}/messages", body, pieces)

    *_, last, end = b"".join(pieces).split(b"\n\n")
    kind, data = last.split(b"\n")
    assert (kind, end) == (b"event: error", b"")
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "error": {"type": "api_error", "message": "`one` broke off its answer."},
    }


async def _read_raw(url: str, body: Any, pieces: list[bytes]) -> None:
    headers = {"x-api-key": KEY}
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=60) as client,
        client.stream("POST", url, headers=headers, json=body) as answer,
    ):
        async for piece in answer.aiter_raw():
            pieces.append(piece)


@both_modes
@every_format
@pytest.mark.parametrize("model", ["fake-n9-nousage", "fake-n9-absurd"])
async def test_without_a_figure_that_can_be_true_ours_is_told(
    plane: Plane,
    fake_provider: FakeProvider,
    claude: AsyncAnthropic,
    type: ProviderType,
    stream: bool,
    model: str,
) -> None:
    serve(plane, fake_provider, type, model)

    answer = await ask(claude, stream)

    [outcome] = await plane.records.settled()
    assert outcome.usage_source is UsageSource.ESTIMATED
    assert answer.usage.input_tokens in (0, outcome.usage.input)
    assert answer.usage.output_tokens == outcome.usage.output > 0
