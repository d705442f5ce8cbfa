"""Asking a provider for its models, or for a token: the real call behind "test this provider"."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from domain.listed import ListedModel
from domain.ports import Listing, ProbeResult
from domain.secret import Secret
from domain.snapshot import Deployment, Provider, ProviderType
from gateway.adapter.adapters import ADAPTERS
from gateway.egress.client import HttpClient, Outbound
from gateway.egress.errors import EgressError
from gateway.failure import End
from gateway.listing import listed_models
from gateway.openai.request import ChatRequest

LONGEST_ERROR = 500
_LISTS_NONE = (404, 405, 501)
"""How servers that list no models answer."""
LONGEST_LIST = 16 * 1024 * 1024
"""Bytes."""


def _bearer(key: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {key}")]


_KEY_HEADERS: Mapping[ProviderType, Callable[[str], list[tuple[str, str]]]] = {
    ProviderType.ANTHROPIC: lambda key: [("x-api-key", key)],
    ProviderType.GOOGLE: lambda key: [("x-goog-api-key", key)],
}
_QUERIES: Mapping[ProviderType, str] = {
    ProviderType.ANTHROPIC: "?limit=1000",
    ProviderType.GOOGLE: "?pageSize=1000",
    ProviderType.COHERE: "?page_size=1000",
}


class HttpProbe:
    """Implements `domain.ports.ProviderProbe`.

    `within` bounds the whole call, in seconds; a GraphQL operation has ten.
    """

    def __init__(self, http: HttpClient, *, within: float = 8.0) -> None:
        self._http = http
        self._within = within

    async def test(
        self,
        provider: Provider,
        key: Secret | None,
        model: str | None = None,
        *,
        thorough: bool = False,
    ) -> ProbeResult:
        """List the models at `provider`, else ask `model` for a token; the key is never told."""
        found = (await self.discover(provider, key)).result
        asks = found.http_status in _LISTS_NONE or (thorough and found.ok)
        return await self._ask(provider, key, model) if asks and model is not None else found

    async def _ask(self, provider: Provider, key: Secret | None, model: str) -> ProbeResult:
        began = time.monotonic()
        status: int | None = None
        refused = False
        try:
            async with asyncio.timeout(self._within):
                inbound = await self._http.send(_completion(provider, key, model))
                status, body = inbound.status, await inbound.read(LONGEST_LIST)
            error, refused = _complaint(status, body), _refused(provider, status, body)
        except TimeoutError:
            error = f"No answer within {self._within:g} seconds."
        except EgressError as failure:
            error = str(failure)
        return ProbeResult(
            ok=error is None,
            latency_ms=round((time.monotonic() - began) * 1000),
            http_status=status,
            models=(),
            error=None if error is None else _shown(error, key),
            refused=refused,
        )

    async def discover(self, provider: Provider, key: Secret | None) -> Listing:
        """What fails is told in the result, and then there are no models."""
        began = time.monotonic()
        status: int | None = None
        models: Sequence[ListedModel] = ()
        refused = False
        try:
            async with asyncio.timeout(self._within):
                inbound = await self._http.send(_request(provider, key))
                status = inbound.status
                body = await inbound.read(LONGEST_LIST)
            error, refused = _complaint(status, body), _refused(provider, status, body)
            if error is None:
                models = listed_models(provider.type, msgspec.json.decode(body))
        except TimeoutError:
            error = f"No answer within {self._within:g} seconds."
        except EgressError as failure:
            error = str(failure)
        except (ValueError, RecursionError):
            error = "It answered, but not with a list of models."
        result = ProbeResult(
            ok=error is None,
            latency_ms=round((time.monotonic() - began) * 1000),
            http_status=status,
            models=tuple(model.name for model in models),
            error=None if error is None else _shown(error, key),
            refused=refused,
        )
        return Listing(result, models)


def _completion(provider: Provider, key: Secret | None, model: str) -> Outbound:
    """The shortest request there is, in the provider's own words."""
    deployment = Deployment(provider.id, provider, model, model, model)
    # Its reasoning models refuse the older name, and other servers may not know the newer.
    limit = "max_completion_tokens" if provider.type is ProviderType.OPENAI else "max_tokens"
    fields = {"model": model, limit: 1, "messages": [{"role": "user", "content": "Hi"}]}
    request = ChatRequest.decode(msgspec.json.encode(fields))
    return ADAPTERS[provider.type].outbound(deployment, request, key, asks_usage=False)


def _request(provider: Provider, key: Secret | None) -> Outbound:
    kind = provider.type
    headers = [("accept", "application/json"), ("user-agent", "fairlead")]
    if key is not None:
        headers += _KEY_HEADERS.get(kind, _bearer)(key.reveal())
    if kind is ProviderType.ANTHROPIC:
        headers.append(("anthropic-version", "2023-06-01"))
    return Outbound(
        "GET",
        _list_url(provider) + _QUERIES.get(kind, ""),
        headers,
        connect_timeout=provider.timeouts.connect_ms / 1000,
        # Providers are made by administrators only, so the operator's list applies.
        private_allowed=True,
    )


def _list_url(provider: Provider) -> str:
    base = provider.base_url.rstrip("/")
    if provider.type is ProviderType.COHERE:
        # Its OpenAI-compatible path lists no models.
        base = base.replace("/compatibility/", "/")
    if provider.type is ProviderType.GOOGLE:
        base = base.removesuffix("/openai")
    return f"{base}/models"


def _complaint(status: int, body: bytes) -> str | None:
    """The provider's own words when `status` is no success, else None."""
    if 200 <= status < 300:
        return None
    try:
        said = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        said = body.decode(errors="replace")
    while isinstance(said, list | dict):
        inner = said[:1] if isinstance(said, list) else [said.get("error", said.get("message"))]
        said = inner[0] if inner else None
    return str(said) if said else f"It answered with status {status}."


def _refused(provider: Provider, status: int, body: bytes) -> bool:
    """Whether it is the key that was refused, as for any other request."""
    if 200 <= status < 300:
        return False
    return ADAPTERS[provider.type].error(status, {}, body).end is End.KEY_REFUSED


def _shown(text: str, key: Secret | None) -> str:
    """`text` without the key, on one line, cut: in this order, or part of a key could stay."""
    if key is not None and key.reveal():
        text = text.replace(key.reveal(), "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:LONGEST_ERROR]
