"""Tries each field out and puts down what became of it."""

from typing import Any

import msgspec

from domain.snapshot import Capability, Deployment, Provider, ProviderType
from gateway.anthropic.messages import decode as message
from gateway.failure import End, UpstreamFailure
from gateway.openai.completions import decode as chat
from tests.gateway.fields.samples import CHAT, CHAT_BESIDE, MESSAGES, MESSAGES_BESIDE, TURNS
from tests.gateway.plane import identity

OUT = {
    ProviderType.OPENAI: "OpenAI-compatible",
    ProviderType.ANTHROPIC: "`ANTHROPIC`",
    ProviderType.GOOGLE: "`GOOGLE`",
}
DROPPED = "DROPPED"
HONOURED = {"stream_options": "honoured here"}
"""What providers of other formats have no words for, as they always do it: usage is told anyway."""
HEAD = """# What becomes of each field

Every field that the official SDKs can send, tried out with a value that asks for something, before
each format of a provider: `python -m tests.gateway.fields > docs/fields.md` does it anew, and a
test holds the code to this page.

| word | meaning |
|---|---|
| passed on | as it came |
| translated | said in the provider's own words |
| honoured here | nothing is sent, and the caller has what was asked for |
| reported | left out: it changes nothing of what is said; `x-fairlead-ignored` names it |
| refused | this provider cannot honour it: another is asked, and without one it is 400 by name |

Nothing is dropped without a word. Which values are refused of fields that are translated is in
[providers.md](providers.md#what-each-format-takes) and [api.md](api.md#across-formats).
"""


def page() -> str:
    parts = [HEAD]
    for title, samples, tried in (
        ("OpenAI chat completions (`POST /v1/chat/completions`)", CHAT, of_chat),
        ("Anthropic messages (`POST /v1/messages`)", MESSAGES, of_message),
    ):
        parts.append(f"\n## {title}\n\n| field | {' | '.join(OUT.values())} |\n|---|---|---|---|\n")
        parts += [
            f"| `{name}` | {' | '.join(tried(name, type) for type in OUT)} |\n" for name in samples
        ]
    return "".join(parts)


def of_chat(name: str, type: ProviderType) -> str:
    beside = {"model": "m", "messages": TURNS} | CHAT_BESIDE.get(name, {})
    return _became(chat, beside, name, CHAT[name], type)


def of_message(name: str, type: ProviderType) -> str:
    beside = {"model": "m", "max_tokens": 8_000, "messages": TURNS}
    return _became(message, beside | MESSAGES_BESIDE.get(name, {}), name, MESSAGES[name], type)


def _became(decode: Any, beside: Any, name: str, value: Any, type: ProviderType) -> str:
    deployment = _deployment(type)
    request = decode(msgspec.json.encode(beside | {name: value}), {})
    try:
        sent = _sent(request, deployment)
    except UpstreamFailure as failure:
        named = failure.end is End.UNSUPPORTED and failure.param is not None
        return "refused" if named else DROPPED
    if name in request.ignored(deployment):
        return "reported"
    if sent["body"].get(name) == value:
        return "passed on"
    plain = _sent(decode(msgspec.json.encode(beside), {}), deployment)
    # The model's name is the provider's own, and some say it, or that it streams, in the path.
    if name == "model" or sent != plain:
        return "translated"
    return HONOURED.get(name, DROPPED)


def _sent(request: Any, deployment: Deployment) -> dict[str, Any]:
    outbound = request.outbound(deployment, None, asks_usage=False)
    return {"url": outbound.url, "body": msgspec.json.decode(outbound.body)}


def _deployment(type: ProviderType) -> Deployment:
    provider = Provider(identity(type), type.lower(), type, "https://api.example.com/v1")
    able = frozenset(Capability)
    return Deployment(identity("m"), provider, "m", "m", "m", capabilities=able)
