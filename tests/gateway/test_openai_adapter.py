"""Requests as providers get them, and their usage figures as we believe them."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import structs

from domain.secret import Secret
from domain.snapshot import Capability, Deployment, Provider, ProviderType
from domain.usage import TokenUsage
from gateway.adapter.adapters import ADAPTERS
from gateway.adapter.openai import Reading, outbound, read_usage
from gateway.openai.request import ChatRequest
from tests.gateway.plane import identity


def _deployment(type: ProviderType, base_url: str) -> Deployment:
    provider = Provider(identity("p"), "p", type, base_url)
    return Deployment(identity("m"), provider, "vendor/model-1", "model-1", "Model 1")


def test_the_request_goes_to_the_providers_own_path() -> None:
    request = ChatRequest.decode(b'{"model":"auto","messages":[{"content":"x"}]}')

    deployment = _deployment(ProviderType.CUSTOM, "https://llm.example/v1")
    sent = outbound(deployment, request, Secret("sk-1"), asks_usage=False)

    assert (sent.method, sent.url) == ("POST", "https://llm.example/v1/chat/completions")
    assert ("authorization", "Bearer sk-1") in sent.headers
    assert json.loads(sent.body) == {"model": "vendor/model-1", "messages": [{"content": "x"}]}
    # The same request may go to another provider next.
    assert bytes(request.fields["model"]) == b'"auto"'


def test_every_type_of_provider_is_spoken_to() -> None:
    assert set(ADAPTERS) == set(ProviderType)


def test_a_provider_without_a_key_gets_none() -> None:
    request = ChatRequest.decode(b'{"model":"auto","messages":[{}],"stream_options":null}')

    deployment = _deployment(ProviderType.CUSTOM, "https://x.test")
    sent = outbound(deployment, request, None, asks_usage=False)

    assert "authorization" not in dict(sent.headers)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_usage": False, "x": 1}, {"include_usage": True, "x": 1}),
        ({"include_usage": True, "x": 1}, {"include_usage": True, "x": 1}),
    ],
)
def test_streams_are_asked_for_usage(given: Any, sent: Any) -> None:
    body = {"model": "m", "messages": [{}], "stream": True, "stream_options": given}
    request = ChatRequest.decode(json.dumps(body).encode())

    deployment = _deployment(ProviderType.CUSTOM, "https://x.test")
    out = outbound(deployment, request, None, asks_usage=True)

    assert json.loads(out.body)["stream_options"] == sent


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"max_tokens": 5}, {"max_completion_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": None}, {"max_completion_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 7}, {"max_completion_tokens": 7}),
        ({"max_completion_tokens": 7}, {"max_completion_tokens": 7}),
        ({}, {}),
    ],
)
def test_a_model_that_reasons_is_told_its_limit_by_the_name_it_takes(given: Any, sent: Any) -> None:
    plain = _deployment(ProviderType.OPENAI, "https://x.test")
    reasons = structs.replace(plain, capabilities=frozenset({Capability.REASONING}))
    body = {"model": "m", "messages": [{}], **given}
    request = ChatRequest.decode(json.dumps(body).encode())

    told = json.loads(outbound(reasons, request, None, asks_usage=False).body)
    untouched = json.loads(outbound(plain, request, None, asks_usage=False).body)
    assert told == {"model": "vendor/model-1", "messages": [{}], **sent}
    assert untouched == {"model": "vendor/model-1", "messages": [{}], **given}


def _usage(**fields: Any) -> bytes:
    return msgspec.json.encode(fields)


@pytest.mark.parametrize(
    ("raw", "reading"),
    [
        (
            _usage(
                prompt_tokens=100,
                completion_tokens=20,
                total_tokens=120,
                prompt_tokens_details={"cached_tokens": 40, "audio_tokens": 0},
                completion_tokens_details={"reasoning_tokens": 5},
            ),
            Reading(TokenUsage(input=100, cached=40, output=20, reasoning=5)),
        ),
        (
            _usage(
                prompt_tokens=100,
                completion_tokens=20,
                prompt_tokens_details={"cached_tokens": None, "cache_write_tokens": 30},
                completion_tokens_details=None,
            ),
            Reading(TokenUsage(input=100, cache_write=30, output=20)),
        ),
        (
            # Reasoning beside the completion, told in detail.
            _usage(
                prompt_tokens=10,
                completion_tokens=5,
                total_tokens=22,
                completion_tokens_details={"reasoning_tokens": 7},
            ),
            Reading(TokenUsage(input=10, output=12, reasoning=7)),
        ),
        (
            _usage(prompt_tokens=10, completion_tokens=5, total_tokens=40),
            Reading(TokenUsage(input=10, output=5), "usage total is not the sum"),
        ),
        (
            _usage(
                prompt_tokens=10,
                completion_tokens=5,
                prompt_tokens_details={"cached_tokens": 99, "cache_write_tokens": 99},
                completion_tokens_details={"reasoning_tokens": 99},
            ),
            Reading(
                TokenUsage(input=10, cached=10, output=5, reasoning=5),
                "usage parts exceed the whole",
            ),
        ),
        (
            _usage(prompt_tokens=-5, completion_tokens=5),
            Reading(None, "usage impossible"),
        ),
        (
            _usage(prompt_tokens=5, completion_tokens=10**15),
            Reading(None, "usage impossible"),
        ),
        (_usage(prompt_tokens="5", completion_tokens=7.0), Reading(TokenUsage(input=5, output=7))),
        (_usage(prompt_tokens="some"), Reading(None, "usage unreadable")),
        (_usage(prompt_tokens=5.5), Reading(None, "usage unreadable")),
        (_usage(input_tokens=5), Reading(None, "usage unreadable")),
        (b"[]", Reading(None, "usage unreadable")),
    ],
)
def test_usage_is_read_clamped_and_checked(raw: bytes, reading: Reading) -> None:
    assert read_usage(raw) == reading
