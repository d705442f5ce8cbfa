"""Whatever a Messages request or an answer looks like: said, refused by name, or told in shape."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import MalformedRequest
from domain.snapshot import Deployment, Provider, ProviderType
from domain.usage import TokenUsage
from gateway.anthropic.messages import decode
from gateway.anthropic.writer import Writer
from gateway.bill import Bill
from gateway.failure import End, UpstreamFailure, to_error
from gateway.stream import Scanner
from tests.gateway.adapter.test_shapes import ANY, TEXT
from tests.gateway.plane import identity

BILL = Bill(TokenUsage(5, output=3), estimated=False, cost=7)
SOURCE = st.fixed_dictionaries(
    {"type": st.sampled_from(["base64", "url", "text", "file"])},
    optional={"media_type": TEXT, "data": TEXT, "url": TEXT},
)
BLOCK: Any = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["text", "image", "document", "tool_use", "tool_result", "thinking", "made_later"]
        )
    },
    optional={
        "text": TEXT,
        "source": SOURCE,
        "id": TEXT,
        "name": TEXT,
        "input": ANY,
        "tool_use_id": TEXT,
        "content": TEXT | ANY,
        "signature": ANY,
        "cache_control": ANY,
    },
)
TURN = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "system", "other"]),
        "content": TEXT | st.lists(BLOCK, max_size=3),
    }
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        name: ANY
        for name in ("system", "thinking", "tool_choice", "output_config", "top_k", "made_up")
    }
    | {"tools": st.lists(ANY, max_size=2), "stop_sequences": st.lists(TEXT, max_size=2)},
)


def _deployment(type: ProviderType) -> Deployment:
    provider = Provider(identity("p"), "p", type, "https://p.test/v1")
    return Deployment(identity("m"), provider, "m", "m", "m")


@pytest.mark.parametrize("type", [ProviderType.OPENAI, ProviderType.GOOGLE, ProviderType.ANTHROPIC])
@settings(max_examples=150, deadline=None)
@given(turns=st.lists(TURN, min_size=1, max_size=4), fields=FIELDS)
def test_any_request_is_said_or_refused(
    type: ProviderType, turns: list[Any], fields: dict[str, Any]
) -> None:
    body = {"model": "auto", "max_tokens": 9, "messages": turns} | fields
    deployment = _deployment(type)
    try:
        request = decode(json.dumps(body).encode(), {})
    except MalformedRequest:
        return
    said = _or_failure(lambda: request.outbound(deployment, None, asks_usage=True))
    if isinstance(said, UpstreamFailure):
        assert type is not ProviderType.ANTHROPIC
        assert said.end is End.UNSUPPORTED
        assert to_error(said, "p").status == 400
    else:
        assert isinstance(json.loads(said.body), dict)
        assert all(isinstance(name, str) for name in request.ignored(deployment))


def _or_failure(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except UpstreamFailure as failure:
        return failure


DELTA = st.fixed_dictionaries(
    {},
    optional={
        "content": ANY | TEXT,
        "reasoning_content": ANY | TEXT,
        "tool_calls": ANY
        | st.lists(
            st.fixed_dictionaries(
                {"index": st.integers(0, 2)},
                optional={"id": ANY, "function": ANY | st.fixed_dictionaries({"arguments": TEXT})},
            )
        ),
    },
)
CHUNK = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"delta": DELTA}), max_size=2)},
    optional={"id": ANY, "model": ANY},
)


@settings(max_examples=200, deadline=None)
@given(chunks=st.lists(CHUNK, max_size=6), thinks=st.booleans())
def test_any_chunks_become_blocks_that_open_and_close(chunks: list[Any], thinks: bool) -> None:
    scanner = Scanner(shows_usage=False, careful=True)
    writer = Writer(5, thinks=thinks)
    end = {"choices": [{"delta": {"content": "."}, "finish_reason": "stop"}]}
    told = b""
    for chunk in [*chunks, end]:
        told += writer.write(scanner.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n"))
        if scanner.failure is not None:
            # Infinity, which is no JSON.
            return
    told += writer.finish(scanner, BILL)

    events = [json.loads(line[6:]) for line in told.splitlines() if line.startswith(b"data: ")]
    assert [events[0]["type"], events[-2]["type"], events[-1]["type"]] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    open_blocks: list[int] = []
    known = 0
    for event in events:
        if event["type"] == "content_block_start":
            assert (event["index"], open_blocks) == (known, [])
            open_blocks.append(event["index"])
            known += 1
        elif event["type"] == "content_block_delta":
            assert event["index"] < known
        elif event["type"] == "content_block_stop":
            assert open_blocks == [event["index"]]
            open_blocks.clear()
    assert open_blocks == []
