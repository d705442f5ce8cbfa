"""Whatever a request looks like, a native format is asked in JSON or refuses by name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import MalformedRequest
from domain.snapshot import Deployment, Provider, ProviderType
from gateway.adapter.adapters import ADAPTERS
from gateway.failure import End, UpstreamFailure, to_error
from gateway.openai.request import ChatRequest
from gateway.stream import Scanner
from tests.gateway.adapter.formats import NATIVE
from tests.gateway.plane import identity

NUMBERS = st.integers() | st.integers(2**63, 2**70) | st.floats(allow_nan=False)
ANY: Any = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
DEPLOYMENT = Deployment(
    identity("m"), Provider(identity("p"), "p", ProviderType.CUSTOM, ""), "m", "m", "m"
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            [
                "message_start",
                "content_block_start",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop",
                "error",
                "ping",
            ]
        ),
        "index": ANY,
        "delta": ANY | st.fixed_dictionaries({"stop_reason": st.text()}),
        "usage": st.fixed_dictionaries({"input_tokens": NUMBERS, "output_tokens": NUMBERS}),
        "error": ANY,
        "candidates": ANY | st.lists(st.fixed_dictionaries({"index": NUMBERS})),
        "usageMetadata": st.fixed_dictionaries({"promptTokenCount": NUMBERS}),
    },
)
TEXT = st.text(max_size=20)
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "file", "input_audio", "refusal", "x"])},
    optional={
        "text": TEXT,
        "image_url": ANY | st.fixed_dictionaries({"url": TEXT | st.just("data:a/b;base64,")}),
        "file": ANY,
        "input_audio": ANY,
        "cache_control": ANY,
    },
)
CALL = st.fixed_dictionaries(
    {"function": ANY | st.fixed_dictionaries({"name": TEXT, "arguments": TEXT})},
    optional={"id": TEXT, "extra_content": ANY},
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "developer", "function"])},
    optional={
        "content": st.none() | TEXT | st.lists(PART, max_size=3),
        "tool_calls": ANY | st.lists(CALL, max_size=2),
        "tool_call_id": ANY | TEXT,
        "thinking_blocks": ANY,
        "reasoning_content": ANY,
    },
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        name: ANY
        for name in (
            "temperature",
            "top_p",
            "top_k",
            "stop",
            "seed",
            "tool_choice",
            "reasoning_effort",
            "parallel_tool_calls",
            "logprobs",
            "made_up",
        )
    }
    | {
        "tools": st.lists(ANY, max_size=2),
        "response_format": st.fixed_dictionaries({"type": TEXT}, optional={"json_schema": ANY}),
    },
)


@pytest.mark.parametrize("type", NATIVE)
@settings(max_examples=150, deadline=None)
@given(messages=st.lists(MESSAGE, min_size=1, max_size=4), fields=FIELDS)
def test_any_request_is_said_or_refused(
    type: ProviderType, messages: list[Any], fields: dict[str, Any]
) -> None:
    body = {"model": "auto", "messages": messages} | fields
    try:
        request = ChatRequest.decode(json.dumps(body).encode())
    except MalformedRequest:
        return
    said = _or_failure(lambda: ADAPTERS[type].outbound(DEPLOYMENT, request, None, asks_usage=True))
    if isinstance(said, UpstreamFailure):
        assert said.end is End.UNSUPPORTED
        assert to_error(said, "p").status == 400
    else:
        assert isinstance(json.loads(said.body), dict)


@pytest.mark.parametrize("type", NATIVE)
@settings(max_examples=150, deadline=None)
@given(said=ANY | st.dictionaries(st.sampled_from(["candidates", "type", "content"]), ANY))
def test_any_answer_is_read_or_a_failure(type: ProviderType, said: Any) -> None:
    body = json.dumps(said).encode()
    answer = _or_failure(lambda: ADAPTERS[type].answer(body, DEPLOYMENT))
    if isinstance(answer, UpstreamFailure):
        assert to_error(answer, "p").status >= 400
    else:
        assert json.loads(answer)["object"] == "chat.completion"


@pytest.mark.parametrize("type", NATIVE)
@settings(max_examples=150, deadline=None)
@given(events=st.lists(st.binary(max_size=30) | EVENT.map(lambda e: json.dumps(e).encode())))
def test_any_stream_is_read_or_a_failure(type: ProviderType, events: list[bytes]) -> None:
    request = ChatRequest.decode(b'{"model":"m","messages":[{}],"stream":true}')
    scanner = Scanner(shows_usage=True, translate=ADAPTERS[type].stream(DEPLOYMENT, request))
    stream = b"".join(b"data: " + event + b"\n\n" for event in events)
    passed = _or_failure(lambda: scanner.feed(stream))
    if not isinstance(passed, UpstreamFailure):
        lines = [line for line in passed.splitlines() if line.startswith(b"data: ")]
        assert all(json.loads(line[6:])["object"] == "chat.completion.chunk" for line in lines)


def _or_failure(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except UpstreamFailure as failure:
        return failure
