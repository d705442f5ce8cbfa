"""A Messages request as providers of each format get it."""

from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from domain.ruleset import Alias
from domain.snapshot import ProviderType
from gateway.anthropic.blocks import UNSIGNED
from tests.gateway.adapter.formats import serve
from tests.gateway.messages.asking import HELLO, ask
from tests.gateway.plane import KEY, Plane
from tests.provider.server import FakeProvider

both_modes = pytest.mark.parametrize("stream", [False, True])
other_formats = pytest.mark.parametrize("type", [ProviderType.CUSTOM, ProviderType.GOOGLE])


@both_modes
async def test_anthropic_gets_the_request_as_it_came(
    plane: Plane, fake_provider: FakeProvider, claude: AsyncAnthropic, stream: bool
) -> None:
    serve(plane, fake_provider, ProviderType.ANTHROPIC, "fake")
    kept: Any = {"type": "ephemeral", "ttl": "1h"}
    asked: Any = {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": kept}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        "metadata": {"user_id": "u-1"},
        "tools": [{"type": "custom", "name": "f", "input_schema": {"type": "object"}}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    headers = {"anthropic-beta": "context-1m-2025-08-07", "anthropic-version": "2026-10-21"}

    await ask(claude, stream, max_tokens=2048, extra_headers=headers, **asked)

    [sent] = fake_provider.chats
    more = {"stream": True} if stream else {}
    assert sent.body == {"model": "fake", "max_tokens": 2048, **asked, **more}
    assert {name: sent.headers[name] for name in headers} == headers
    assert sent.headers["x-api-key"] == "sk-native"


async def test_a_beta_that_cannot_be_a_header_is_refused(plane: Plane) -> None:
    headers = {"x-api-key": KEY, "anthropic-beta": "a\tb"}
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        body = {"model": "auto", "max_tokens": 1, "messages": HELLO}
        answer = await client.post(f"{plane.base_url}/messages", headers=headers, json=body)
    assert answer.status_code == 400
    assert "anthropic-beta" in answer.json()["error"]["message"]


@both_modes
async def test_everything_openai_can_say_is_said(
    plane: Plane, fake_provider: FakeProvider, claude: AsyncAnthropic, stream: bool
) -> None:
    serve(plane, fake_provider, ProviderType.CUSTOM, "fake")

    await ask(claude, stream, **ASKED)

    streams = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    assert fake_provider.chats[0].body == SAID | streams


SCHEMA: Any = {"type": "object", "properties": {}}
IMAGE: Any = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
RESULT: Any = [{"type": "text", "text": "cloudy"}, {"type": "image", "source": IMAGE}]
ASKED: Any = dict(
    system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    messages=[
        {"role": "user", "content": "Look."},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": RESULT,
                    "is_error": True,
                },
                {"type": "text", "text": "And?"},
            ],
        },
    ],
    stop_sequences=["END"],
    max_tokens=50,
    tools=[{"name": "f", "description": "F.", "input_schema": SCHEMA, "strict": True}],
    tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    thinking={"type": "enabled", "budget_tokens": 4096},
    output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
    metadata={"user_id": "u-1"},
)
CALL: Any = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
URL: Any = {"url": "data:image/png;base64,iVBORw0KGgo="}
SAID: Any = {
    "model": "fake",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": "I look.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "t1", "content": "Error: cloudy"},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": URL},
                {"type": "text", "text": "And?"},
            ],
        },
    ],
    "stop": ["END"],
    "max_tokens": 50,
    "reasoning_effort": "medium",
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "F.",
                "parameters": SCHEMA,
                "strict": True,
            },
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    },
}


@other_formats
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"container": "c-1"}, "container"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"tools": [{"type": "web_search_20260209", "name": "web_search"}]}, "tools[0].type"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "The"}]}, "messages[1].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "container_upload"}]}]},
            "messages[0].content[0].type",
        ),
    ],
)
async def test_what_others_cannot_honour_is_refused_by_name_and_goes_to_anthropic(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    claude: AsyncAnthropic,
    type: ProviderType,
    fields: Any,
    param: str,
) -> None:
    serve(plane, fake_provider, type, "fake")
    asked: Any = {"model": "fake", "max_tokens": 9, "messages": HELLO} | fields

    with pytest.raises(anthropic.BadRequestError) as refused:
        await claude.post("/v1/messages", body=asked, cast_to=object)
    assert f"`{param}`" in str(refused.value)

    serve(plane, second_provider, ProviderType.ANTHROPIC, "spare", slug="two")
    plane.rules(aliases={"smart": Alias(targets=("one/fake",), fallbacks=("two/spare",))})
    await claude.post("/v1/messages", body=asked | {"model": "smart"}, cast_to=object)

    assert fake_provider.chats == []
    assert second_provider.chats[0].body == asked | {"model": "spare"}
    *_, outcome = await plane.records.settled(2)
    assert [attempt.outcome for attempt in outcome.attempts] == ["UNSUPPORTED", "OK"]


async def test_what_gemini_cannot_honour_is_refused_by_the_callers_own_name(
    plane: Plane, fake_provider: FakeProvider, claude: AsyncAnthropic
) -> None:
    serve(plane, fake_provider, ProviderType.GOOGLE, "fake")
    choice: Any = {"type": "any", "disable_parallel_tool_use": True}
    tools: Any = [{"name": "f", "input_schema": SCHEMA}]

    with pytest.raises(anthropic.BadRequestError) as refused:
        await ask(claude, False, tools=tools, tool_choice=choice)

    assert "cannot honour `tool_choice.disable_parallel_tool_use`" in str(refused.value)


@other_formats
async def test_what_changes_nothing_is_reported(
    plane: Plane, fake_provider: FakeProvider, claude: AsyncAnthropic, type: ProviderType
) -> None:
    serve(plane, fake_provider, type, "fake")
    kept: Any = {"type": "ephemeral"}

    raw = await claude.messages.with_raw_response.create(
        model="auto",
        max_tokens=9,
        messages=HELLO,
        system=[{"type": "text", "text": "x", "cache_control": kept}],
        metadata={"user_id": "u"},
        extra_headers={"anthropic-beta": "b-1"},
    )

    assert raw.headers["x-fairlead-ignored"] == "anthropic-beta, cache_control, metadata"


async def test_thoughts_of_another_model_are_shown_and_not_sent_to_anthropic(
    plane: Plane, fake_provider: FakeProvider, claude: AsyncAnthropic
) -> None:
    serve(plane, fake_provider, ProviderType.ANTHROPIC, "fake")
    theirs: Any = {"type": "thinking", "thinking": "Hm.", "signature": UNSIGNED}
    signed: Any = {"type": "thinking", "thinking": "Ah.", "signature": "s"}
    said: Any = [theirs, signed, {"type": "text", "text": "Hi."}]

    await ask(claude, False, messages=[*HELLO, {"role": "assistant", "content": said}, *HELLO])

    assert fake_provider.chats[0].body["messages"][1]["content"] == said[1:]


TEXT: Any = {"type": "text", "text": "Found."}
DOCUMENT: Any = {"type": "document", "source": {"type": "text", "data": "x"}, "title": None}
FETCHED: Any = {"type": "web_fetch_result", "url": "https://x.example", "content": DOCUMENT}
RAN: Any = {"type": "code_execution_result", "stdout": "4", "content": [{"type": "output"}]}
VIEWED: Any = {"type": "text_editor_code_execution_view_result", "content": "a\nb"}
TOOLS_FOUND: Any = {"type": "tool_search_tool_search_result", "tool_references": []}
FAILED: Any = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
SEARCHED: Any = [{"type": "web_search_result", "title": "X", "encrypted_content": "e"}]
BLOCKS: list[Any] = [
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": SEARCHED},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": FAILED},
    {"type": "web_fetch_tool_result", "tool_use_id": "s1", "content": FETCHED},
    {"type": "code_execution_tool_result", "tool_use_id": "s1", "content": RAN},
    {"type": "text_editor_code_execution_tool_result", "tool_use_id": "s", "content": VIEWED},
    {"type": "tool_search_tool_result", "tool_use_id": "s1", "content": TOOLS_FOUND},
    {"type": "mcp_tool_result", "tool_use_id": "s1", "content": "x", "is_error": False},
    {"type": "compaction", "content": None},
    {"type": "search_result", "source": "s", "title": "t", "content": [TEXT]},
    {"type": "container_upload", "file_id": "f"},
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["type"])
async def test_every_block_of_anthropics_goes_to_anthropic_as_it_came_and_to_no_other(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    claude: AsyncAnthropic,
    block: Any,
) -> None:
    serve(plane, fake_provider, ProviderType.CUSTOM, "fake")
    serve(plane, second_provider, ProviderType.ANTHROPIC, "fake", slug="two")
    role = "user" if block["type"] in ("search_result", "container_upload") else "assistant"
    turns = [*HELLO, {"role": role, "content": [TEXT, block]}, *HELLO]
    asked: Any = {"model": "two/fake", "max_tokens": 9, "messages": turns}

    await claude.post("/v1/messages", body=asked, cast_to=object)
    counted = await claude.messages.count_tokens(model="two/fake", messages=turns)
    with pytest.raises(anthropic.BadRequestError) as refused:
        await claude.post("/v1/messages", body=asked | {"model": "one/fake"}, cast_to=object)

    assert second_provider.chats[0].body == asked | {"model": "fake"}
    assert counted.input_tokens > 0
    assert "`messages[1].content[1].type`" in str(refused.value)
    assert fake_provider.chats == []
