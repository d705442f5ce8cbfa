"""What the native formats are asked, field by field, and what they refuse to be asked."""

import json
from typing import Any

import pytest

from domain.snapshot import Deployment, Provider, ProviderType
from gateway.adapter.adapters import ADAPTERS
from gateway.failure import End, UpstreamFailure
from gateway.openai.request import ChatRequest
from tests.gateway.plane import identity

CLAUDE, GEMINI = ProviderType.ANTHROPIC, ProviderType.GOOGLE
HELLO: Any = [{"role": "user", "content": "Hello."}]


def _sent(type: ProviderType, name: str = "m", limit: int | None = None, **fields: Any) -> Any:
    provider = Provider(identity("p"), "p", type, "https://p.test/v1")
    deployment = Deployment(identity(name), provider, name, name, name, max_output_tokens=limit)
    body = {"model": "auto", "messages": HELLO} | fields
    request = ChatRequest.decode(json.dumps(body).encode())
    sent = ADAPTERS[type].outbound(deployment, request, None, asks_usage=True)
    return json.loads(sent.body)


@pytest.mark.parametrize(
    ("type", "path", "fields"),
    [
        (CLAUDE, "n", {"n": 2}),
        (CLAUDE, "seed", {"seed": 1}),
        (CLAUDE, "logprobs", {"logprobs": True}),
        (CLAUDE, "frequency_penalty", {"frequency_penalty": 0.1}),
        (CLAUDE, "presence_penalty", {"presence_penalty": -1}),
        (CLAUDE, "temperature", {"temperature": 1.5}),
        (CLAUDE, "response_format", {"response_format": {"type": "json_object"}}),
        (CLAUDE, "reasoning_effort", {"reasoning_effort": "enormous"}),
        (CLAUDE, "service_tier", {"service_tier": "flex"}),
        (CLAUDE, "modalities", {"modalities": ["text", "audio"]}),
        (CLAUDE, "functions", {"functions": [{"name": "f"}]}),
        (CLAUDE, "made_up", {"made_up": {"a": 1}}),
        (CLAUDE, "tools[0]", {"tools": [{"type": "custom", "custom": {"name": "x"}}]}),
        (CLAUDE, "messages[0].role", {"messages": [{"role": "function", "content": "x"}]}),
        (GEMINI, "logit_bias", {"logit_bias": {"1": 1}}),
        (GEMINI, "parallel_tool_calls", {"parallel_tool_calls": False}),
        (GEMINI, "reasoning_effort", {"reasoning_effort": "none"}),
        (GEMINI, "made_up", {"made_up": 1}),
        (GEMINI, "messages[0].role", {"messages": [{"role": "king", "content": "x"}]}),
        (
            GEMINI,
            "messages[0].tool_call_id",
            {"messages": [{"role": "tool", "tool_call_id": "x", "content": "y"}]},
        ),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(
    type: ProviderType, path: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        _sent(type, **fields)
    assert (refused.value.end, refused.value.param) == (End.UNSUPPORTED, path)


@pytest.mark.parametrize("type", [CLAUDE, GEMINI])
def test_what_asks_for_nothing_is_left_out(type: ProviderType) -> None:
    neutral: dict[str, Any] = {
        "n": 1,
        "logprobs": False,
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "logit_bias": {},
        "modalities": ["text"],
        "parallel_tool_calls": True,
        "service_tier": "auto",
        "seed": None,
        "temperature": None,
        "response_format": {"type": "text"},
        "tools": [],
        "tool_choice": "auto",
        "prompt_cache_key": "k",
        "made_up": None,
    }
    assert _sent(type, **neutral) == _sent(type)


@pytest.mark.parametrize("type", [CLAUDE, GEMINI])
@pytest.mark.parametrize(
    ("arguments", "refused"), [("{", True), ("[1]", True), ("", False), ('{"a":1}', False)]
)
def test_arguments_of_a_call_are_an_object(
    type: ProviderType, arguments: str, refused: bool
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [*HELLO, {"role": "assistant", "tool_calls": [call]}]
    if not refused:
        assert json.dumps(json.loads(arguments or "{}")) in json.dumps(
            _sent(type, messages=messages)
        )
        return
    with pytest.raises(UpstreamFailure) as failure:
        _sent(type, messages=messages)
    assert failure.value.param == "messages[1].tool_calls[0].function.arguments"


@pytest.mark.parametrize(
    ("limit", "fields", "most"),
    [
        (None, {}, 8192),
        (64_000, {}, 8192),
        (4096, {}, 4096),
        (4096, {"max_tokens": 100_000}, 100_000),
        (None, {"max_completion_tokens": 7}, 7),
    ],
)
def test_claude_is_always_given_a_limit(
    limit: int | None, fields: dict[str, Any], most: int
) -> None:
    assert _sent(CLAUDE, limit=limit, **fields)["max_tokens"] == most


def _thinking(name: str, **fields: Any) -> Any:
    sent = _sent(CLAUDE, name, 64_000, **fields)
    return sent.get("thinking"), sent.get("output_config"), sent["max_tokens"]


@pytest.mark.parametrize(
    ("name", "effort", "told"),
    [
        ("claude-sonnet-4-5", "low", ({"type": "enabled", "budget_tokens": 1024}, None, 9216)),
        ("claude-haiku-4-5-20251001", "minimal", (None, None, 8192)),
        ("claude-sonnet-4-20250514", "none", (None, None, 8192)),
        ("claude-opus-4-6", "minimal", ({"type": "adaptive"}, {"effort": "low"}, 8192)),
        ("claude-opus-5-5", "max", ({"type": "adaptive"}, {"effort": "max"}, 8192)),
        ("claude-sonnet-5", "none", ({"type": "disabled"}, None, 8192)),
        ("claude-sonnet-5", None, (None, None, 8192)),
    ],
)
def test_claude_is_told_how_hard_to_think(name: str, effort: str | None, told: Any) -> None:
    assert _thinking(name, reasoning_effort=effort) == told


def test_a_budget_stays_below_the_callers_limit() -> None:
    thinking, _, most = _thinking("claude-sonnet-4-5", reasoning_effort="high", max_tokens=2000)
    assert (thinking["budget_tokens"], most) == (1999, 2000)
    with pytest.raises(UpstreamFailure) as refused:
        _thinking("claude-sonnet-4-5", reasoning_effort="high", max_tokens=1000)
    assert refused.value.param == "reasoning_effort"


def test_claude_does_not_think_within_a_turn_whose_thoughts_are_lost() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turn = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c"}]
    lost = _thinking("claude-sonnet-4-5", reasoning_effort="low", messages=[*HELLO, *turn])
    assert lost == (None, None, 8192)
    over = _thinking("claude-sonnet-4-5", reasoning_effort="low", messages=[*HELLO, *turn, *HELLO])
    assert over[0] == {"type": "enabled", "budget_tokens": 1024}


def test_claude_is_told_to_call_one_tool_at_a_time() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    sent = _sent(CLAUDE, tools=[tool], parallel_tool_calls=False)
    assert sent["tools"][0]["input_schema"] == {"type": "object", "properties": {}}
    assert sent["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert _sent(CLAUDE, tools=[tool], tool_choice="required")["tool_choice"] == {"type": "any"}


def test_what_claude_is_to_cache_is_marked() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    part = {"type": "text", "text": "Long.", "cache_control": mark}
    tool = {"type": "function", "function": {"name": "f"}, "cache_control": mark}
    sent = _sent(CLAUDE, messages=[{"role": "system", "content": [part]}, *HELLO], tools=[tool])
    assert sent["system"] == [part]
    assert sent["tools"][0]["cache_control"] == mark


def test_images_and_documents_by_address() -> None:
    url = "https://pictures.test/cat.png"
    pdf = "data:application/pdf;base64,JVBERg=="
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
    ]
    messages = [{"role": "user", "content": content}]
    assert _sent(CLAUDE, messages=messages)["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "url", "url": url}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
        },
    ]
    assert _sent(GEMINI, messages=messages)["contents"][0]["parts"] == [
        {"fileData": {"fileUri": url, "mimeType": "image/png"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}},
    ]


def test_what_only_gemini_can_say() -> None:
    sent = _sent(
        GEMINI,
        "gemini-2.5-flash",
        n=2,
        seed=7,
        logprobs=True,
        top_logprobs=3,
        frequency_penalty=0.5,
        reasoning_effort="none",
        response_format={"type": "json_object"},
        tools=[{"type": "function", "function": {"name": "f", "strict": True}}],
    )
    assert sent["generationConfig"] == {
        "candidateCount": 2,
        "seed": 7,
        "responseLogprobs": True,
        "logprobs": 3,
        "frequencyPenalty": 0.5,
        "thinkingConfig": {"thinkingBudget": 0},
        "responseMimeType": "application/json",
    }
    assert sent["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    later = _sent(GEMINI, "gemini-3.5-flash", reasoning_effort="high")
    assert later["generationConfig"] == {"thinkingConfig": {"thinkingLevel": "high"}}


def test_calls_another_provider_made_are_signed_for_gemini() -> None:
    calls = [
        {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for id in ("a", "b")
    ]
    messages = [*HELLO, {"role": "assistant", "tool_calls": calls}]
    later = _sent(GEMINI, "gemini-3-pro", messages=messages)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in later] == [
        "skip_thought_signature_validator",
        None,
    ]
    earlier = _sent(GEMINI, "gemini-2.5-pro", messages=messages)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in earlier] == [None, None]
