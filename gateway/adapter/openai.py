"""Speaks OpenAI's chat format to every provider that takes it, and reads the usage they report."""

from collections.abc import Mapping, Sequence

import msgspec

from domain.secret import Secret
from domain.snapshot import Capability, Deployment, ProviderType
from domain.usage import TokenUsage
from gateway.adapter.base import Translate
from gateway.egress.client import Outbound
from gateway.failure import UpstreamFailure, of_status
from gateway.openai.embedding import EmbeddingRequest
from gateway.openai.request import ChatRequest

MOST_TOKENS = 100_000_000
"""A figure above this is no count of one answer."""

_USAGE_WANTED = msgspec.Raw(b'{"include_usage":true}')
_TRUE, _FALSE = msgspec.Raw(b"true"), msgspec.Raw(b"false")
_options = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def outbound(
    deployment: Deployment, request: ChatRequest, key: Secret | None, *, asks_usage: bool
) -> Outbound:
    """The caller's request with the provider's name of the model.

    `asks_usage`: a stream is asked for usage that its caller did not ask for.
    """
    fields = request.fields | {"model": msgspec.Raw(_encode(deployment.name))}
    if (
        "max_tokens" in fields
        and deployment.provider.type is ProviderType.OPENAI
        and Capability.REASONING in deployment.capabilities
    ):
        fields = _renamed(fields)
    if request.prefills and deployment.provider.type is ProviderType.CUSTOM:
        # What serves open models puts the answer's beginning into a turn of its own otherwise.
        fields |= {"continue_final_message": _TRUE, "add_generation_prompt": _FALSE}
    if asks_usage:
        fields["stream_options"] = _asking(fields.get("stream_options"))
    return _posted(deployment, key, "chat/completions", _encode(fields))


def _renamed(fields: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """OpenAI's models that reason refuse the older name of a limit."""
    renamed = dict(fields)
    older, newer = renamed.pop("max_tokens"), fields.get("max_completion_tokens")
    if newer is None or bytes(newer) == b"null":
        renamed["max_completion_tokens"] = older
    return renamed


def embed(deployment: Deployment, request: EmbeddingRequest, key: Secret | None) -> Outbound:
    """The caller's request with the provider's name of the model."""
    fields = request.fields | {"model": msgspec.Raw(_encode(deployment.name))}
    return _posted(deployment, key, "embeddings", _encode(fields))


def unembedded(request: EmbeddingRequest) -> Sequence[str]:
    """Every field is passed on."""
    return ()


def embedded(body: bytes, deployment: Deployment, request: EmbeddingRequest) -> bytes:
    """As it is."""
    return body


def _posted(deployment: Deployment, key: Secret | None, path: str, body: bytes) -> Outbound:
    provider = deployment.provider
    headers = [("content-type", "application/json"), ("user-agent", "fairlead")]
    if key is not None:
        headers.append(("authorization", f"Bearer {key.reveal()}"))
    return Outbound(
        "POST",
        f"{provider.base_url}/{path}",
        headers,
        body,
        connect_timeout=provider.timeouts.connect_ms / 1000,
        # Providers are made by administrators only, so the operator's list applies.
        private_allowed=True,
    )


def ignored(request: ChatRequest) -> Sequence[str]:
    """Every field is passed on."""
    return ()


def answer(body: bytes, deployment: Deployment) -> bytes:
    """As it is."""
    return body


def stream(deployment: Deployment, request: ChatRequest) -> Translate | None:
    """Nothing to translate."""
    return None


def error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    return of_status(status, headers, body)


def _asking(options: msgspec.Raw | None) -> msgspec.Raw:
    if options is None or bytes(options) == b"null":
        return _USAGE_WANTED
    return msgspec.Raw(_encode(_options.decode(options) | {"include_usage": _TRUE}))


class _InputDetails(msgspec.Struct, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None


class _OutputDetails(msgspec.Struct, gc=False):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int
    completion_tokens: int = 0
    total_tokens: int | None = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    billed_beside: bool = False


# Lax: some servers write whole numbers as `11.0` or "11".
_usage = msgspec.json.Decoder(_Usage, strict=False)
_NO_INPUT_DETAILS = _InputDetails()
_NO_OUTPUT_DETAILS = _OutputDetails()


class Reading(msgspec.Struct, frozen=True):
    """`usage` is None when the figures cannot be true; `flaw` says what is odd about them."""

    usage: TokenUsage | None
    flaw: str | None = None


def read_usage(raw: bytes | msgspec.Raw) -> Reading:
    """A provider's figures, clamped and checked."""
    try:
        said = _usage.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return Reading(None, "usage unreadable")
    inputs = said.prompt_tokens_details or _NO_INPUT_DETAILS
    outputs = said.completion_tokens_details or _NO_OUTPUT_DETAILS
    cached, written = inputs.cached_tokens or 0, inputs.cache_write_tokens or 0
    hour, reasoning = inputs.cache_write_1h_tokens or 0, outputs.reasoning_tokens or 0
    figures = (said.prompt_tokens, said.completion_tokens, cached, written, hour, reasoning)
    if min(figures) < 0 or max(figures) > MOST_TOKENS:
        return Reading(None, "usage impossible")
    output, beside = said.completion_tokens, 0
    if said.total_tokens is not None:
        beside = said.total_tokens - said.prompt_tokens - output
    if beside > 0 and beside == reasoning:
        # This provider counts reasoning beside the completion; it is charged as output.
        output, beside = output + beside, 0
    parts_exceed = cached + written > said.prompt_tokens or reasoning > output or hour > written
    cached = min(cached, said.prompt_tokens)
    written = min(written, said.prompt_tokens - cached)
    usage = TokenUsage(
        said.prompt_tokens,
        cached,
        written,
        output,
        min(reasoning, output),
        min(hour, written),
        said.billed_beside,
    )
    if beside:
        return Reading(usage, "usage total is not the sum")
    return Reading(usage, "usage parts exceed the whole" if parts_exceed else None)
