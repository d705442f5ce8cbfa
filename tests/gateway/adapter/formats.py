"""Providers of each wire format behind a plane, and answers read in either mode."""

from typing import Any

from domain.snapshot import Capability, Deployment, Modality, ProviderType
from tests.gateway.plane import MICRO, Plane
from tests.provider.server import FakeProvider

NATIVE = [ProviderType.ANTHROPIC, ProviderType.GOOGLE]
EVERY = [ProviderType.CUSTOM, *NATIVE]
HELLO: Any = [{"role": "user", "content": "one two three"}]
PATHS = {
    ProviderType.CUSTOM: "/v1",
    ProviderType.ANTHROPIC: "/v1",
    ProviderType.GOOGLE: "/v1beta",
}
KEY_HEADERS = {ProviderType.ANTHROPIC: "x-api-key", ProviderType.GOOGLE: "x-goog-api-key"}
CAPABLE = frozenset(Capability)


def serve(
    plane: Plane,
    provider: FakeProvider,
    type: ProviderType,
    model: str,
    *,
    slug: str = "one",
    keys: tuple[str, ...] = ("sk-native",),
    context: int = 128_000,
) -> Deployment:
    """A deployment that can do everything; its provider is called `slug`."""
    made = plane.provider(slug, provider.origin + PATHS[type], keys=keys, type=type)
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    return plane.model(
        made,
        model,
        input=3 * MICRO,
        output=15 * MICRO,
        context=context,
        capabilities=CAPABLE,
        modalities=modalities,
    )


async def ask(plane: Plane, stream: bool, **fields: Any) -> dict[str, Any]:
    """The answer's message, `finish_reason` and `usage`; of a stream, put together."""
    asked: Any = {"model": "auto", "messages": HELLO} | fields
    if not stream:
        answer = await plane.client.chat.completions.create(**asked)
        [choice] = answer.choices
        message: dict[str, Any] = choice.message.model_dump(exclude_none=True)
        return message | {"finish_reason": choice.finish_reason, "usage": answer.usage}
    return await _joined(plane, asked)


async def _joined(plane: Plane, asked: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"content": ""}
    calls: list[dict[str, Any]] = []
    options: Any = {"include_usage": True}
    async for chunk in await plane.client.chat.completions.create(
        **asked, stream=True, stream_options=options
    ):
        message["usage"] = chunk.usage or message.get("usage")
        for choice in chunk.choices:
            message["finish_reason"] = choice.finish_reason
            delta = choice.delta.model_dump(exclude_none=True)
            message["content"] += delta.pop("content", "")
            _add_calls(calls, delta.pop("tool_calls", []))
            for name in delta.keys() - {"role"}:
                message[name] = message[name] + delta[name] if name in message else delta[name]
    return message | ({"tool_calls": calls} if calls else {})


def _add_calls(calls: list[dict[str, Any]], parts: list[dict[str, Any]]) -> None:
    for part in parts:
        index = part.pop("index")
        if index == len(calls):
            calls.append(part)
        else:
            calls[index]["function"]["arguments"] += part["function"]["arguments"]
