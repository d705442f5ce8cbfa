"""One value for every field that the official SDKs can send, that asks for something."""

from typing import Any

TURNS: Any = [{"role": "user", "content": "one two three"}]
_SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}}}
_TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": _SCHEMA}}
_CLAUDE: Any = {"name": "weather", "input_schema": _SCHEMA}

CHAT: dict[str, Any] = {
    "audio": {"format": "mp3", "voice": "alloy"},
    "frequency_penalty": 0.5,
    "function_call": {"name": "weather"},
    "functions": [{"name": "weather"}],
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "max_completion_tokens": 77,
    "max_tokens": 77,
    "messages": [{"role": "user", "content": "four"}],
    "metadata": {"team": "a"},
    "modalities": ["text", "audio"],
    "model": "one/model",
    "moderation": {"model": "omni-moderation-latest"},
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "four"},
    "presence_penalty": 0.5,
    "prompt_cache_key": "a",
    "prompt_cache_options": {"mode": "explicit"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "medium",
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": _SCHEMA}},
    "safety_identifier": "a",
    "seed": 7,
    "service_tier": "flex",
    "stop": ["zzz"],
    "store": True,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "tool_choice": "required",
    "tools": [_TOOL],
    "top_logprobs": 3,
    "top_p": 0.5,
    "user": "a",
    "verbosity": "low",
    "web_search_options": {"search_context_size": "low"},
}
CHAT_BESIDE: dict[str, dict[str, Any]] = {
    "function_call": {"functions": [{"name": "weather"}]},
    "parallel_tool_calls": {"tools": [_TOOL]},
    "stream_options": {"stream": True},
    "tool_choice": {"tools": [_TOOL]},
    "top_logprobs": {"logprobs": True},
}
"""What a field means nothing without."""

MESSAGES: dict[str, Any] = {
    "billing_policy": "a",
    "cache_control": {"type": "ephemeral"},
    "compaction": {"type": "auto"},
    "container": "a",
    "context_management": {"edits": []},
    "diagnostics": {"previous_message_id": "a"},
    "fallback_credit_token": "a",
    "fallbacks": [{"model": "a"}],
    "inference_geo": "us",
    "max_tokens": 77,
    "mcp_servers": [{"type": "url", "url": "https://mcp.example.com", "name": "a"}],
    "messages": [{"role": "user", "content": "four"}],
    "metadata": {"user_id": "a"},
    "model": "one/model",
    "output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}},
    "output_format": {"type": "json_schema", "schema": _SCHEMA},
    "service_tier": "standard_only",
    "speed": "fast",
    "stop_sequences": ["zzz"],
    "stream": True,
    "system": "Be brief.",
    "temperature": 0.5,
    "thinking": {"type": "enabled", "budget_tokens": 4_000},
    "thread": {"id": "a"},
    "tool_choice": {"type": "any"},
    "tools": [_CLAUDE],
    "top_k": 5,
    "top_p": 0.5,
    "user_profile_id": "a",
    "workspace_id": "a",
}
MESSAGES_BESIDE: dict[str, dict[str, Any]] = {"tool_choice": {"tools": [_CLAUDE]}}
