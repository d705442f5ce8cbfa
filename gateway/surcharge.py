"""What a caller may ask for that a provider bills beside its list: then the price is not known.

Some of it is billed only where a model makes use of it, and the answer tells whether it did: that
counts as asked for only where the request's money is bounded.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from domain.routing import Plan
from gateway.format import Request

Known: TypeAlias = Mapping[str, tuple[bytes, ...]]
"""Fields, with the values that ask for nothing; null never does."""

CHAT: Known = {
    "audio": (),
    "modalities": (b'["text"]',),
    "models": (b"[]",),
    "plugins": (b"[]",),
    "provider": (b"{}",),
    "service_tier": (b'"auto"', b'"default"'),
    "web_search_options": (),
}
MESSAGES: Known = {
    "fallback_credit_token": (),
    "fallbacks": (b"[]",),
    "inference_geo": (b'"global"',),
    "speed": (b'"standard"',),
}
CHAT_NAMES = frozenset(CHAT)
MESSAGES_NAMES = frozenset({*MESSAGES, "tools"})
_BY_THE_HOUR = ("code_execution_",)
_BY_USE = ("web_search_", "advisor_")
"""Tools that Anthropic runs; its usage tells how often these were used."""


class _Tool(msgspec.Struct, gc=False):
    type: str | None = None


_tools = msgspec.json.Decoder(list[_Tool] | None)


def asked(fields: Mapping[str, msgspec.Raw], known: Known) -> Sequence[str]:
    """Names of known fields that ask for something."""
    found = [(name, bytes(fields[name])) for name in known if name in fields]
    return [name for name, value in found if value != b"null" and value not in known[name]]


def billed_tools(fields: Mapping[str, msgspec.Raw], *, bounded: bool) -> Sequence[str]:
    """Those that Anthropic asks more for than tokens."""
    tools = bytes(fields.get("tools", b"null"))
    billed = (*_BY_THE_HOUR, *_BY_USE) if bounded else _BY_THE_HOUR
    if not any(f'"{name}'.encode() in tools for name in billed):
        return ()
    types = [tool.type or "" for tool in _tools.decode(tools) or ()]
    return [f"tools[{n}]" for n, type in enumerate(types) if type.startswith(billed)]


def priced(planned: Plan, request: Request, *, bounded: bool) -> tuple[Plan, Sequence[str]]:
    """The plan with prices where they are known, and by what names they are not.

    `bounded`: something bounds the request's money.
    """
    if request.is_at_list:
        return planned, ()
    found = [request.surcharges(each.deployment, bounded=bounded) for each in planned.candidates]
    if not any(found):
        return planned, ()
    candidates = tuple(
        msgspec.structs.replace(each, price=None) if names else each
        for each, names in zip(planned.candidates, found, strict=True)
    )
    names = next(names for names in found if names)
    return msgspec.structs.replace(planned, candidates=candidates), names
