"""The data plane: OpenAI's API under /v1 as a raw ASGI application."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Protocol

import msgspec
import structlog
from uuid_utils.compat import uuid7

from auth.credential import presented
from auth.origin import Origins
from auth.policies import Policy, allows
from domain.errors import FairleadError, Forbidden, Unauthenticated, let_go
from domain.health import Observatory
from domain.ports import Cipher, Configuration, ProbeLater, Recorder
from domain.principal import Principal
from domain.principal import Scope as Right
from domain.tokens import TokenCounter
from gateway import errors
from gateway.anthropic import messages
from gateway.asgi import (
    ClientLeft,
    Receive,
    Scope,
    Send,
    client_of,
    headers_of,
    read_body,
    respond,
)
from gateway.attempts import Upstream
from gateway.budget import RetryBudget
from gateway.cache import Cache
from gateway.completer import Completer
from gateway.deadline import Deadlines
from gateway.drain import Drain
from gateway.egress.client import HttpClient
from gateway.errors import Rendered
from gateway.exchange import Exchange
from gateway.format import Errors, Format
from gateway.holds import Holds
from gateway.inference import Inference
from gateway.keys import KeyRing
from gateway.openai import completions, embeddings
from gateway.openai.models import ModelList
from gateway.rates import RateLimiter
from gateway.repeat import Repeats
from gateway.watch import Patience
from gateway.wire import WIRE, ServedWire

_ENCODED = "content-encoding"

log = structlog.get_logger(__name__)


class Authenticator(Protocol):
    async def principal(
        self, headers: Mapping[str, str], address: str | None = None
    ) -> Principal | None:
        """The caller at `address`, None without a credential; raises `FairleadError`."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Of what a client sends: bytes, and seconds for a body that does not come at `LEAST_PACE`."""

    body: int = 20 * 1024 * 1024
    receive: float = 10.0


class Call(msgspec.Struct, frozen=True):
    """A request whose caller is known and allowed."""

    principal: Principal
    headers: dict[str, str]
    path: str
    receive: Receive
    send: Send
    wire: ServedWire


@dataclass(frozen=True, slots=True)
class Route:
    """Each route says who may use it, and in which format its failures are told."""

    method: str
    policy: Policy
    right: Right
    handle: Callable[[Call], Awaitable[None]]
    errors: Errors = errors


class DataPlane:
    """Answers every path under /v1; `limits` and `patience` bound clients and upstreams.

    `commits`: each request is on disk before it is dispatched (FAIRLEAD_SPOOL_SYNC=commit).
    `drain` says when no new request may begin; `repeats` honours Idempotency-Key, which is not
    read without it. `holds` sets money aside; without it no request is served whose money is bound.
    `key_refused` is told of keys that a provider does not take.
    Without `rates` this process counts for itself, without `cache` nothing is answered from it.
    """

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        configuration: Configuration,
        recorder: Recorder,
        cipher: Cipher,
        http: HttpClient,
        observatory: Observatory,
        counter: TokenCounter | None = None,
        origins: Origins = Origins(),  # noqa: B008 - frozen
        limits: Limits = Limits(),
        patience: Patience = Patience(),  # noqa: B008 - frozen
        commits: bool = False,
        drain: Drain | None = None,
        repeats: Repeats | None = None,
        holds: Holds | None = None,
        key_refused: ProbeLater = lambda *_: None,
        rates: RateLimiter | None = None,
        cache: Cache | None = None,
    ) -> None:
        upstream = _upstream(http, cipher, observatory, key_refused)
        self._deadlines = upstream.deadlines
        self._drain = drain or Drain()
        self._authenticator, self._origins, self._limits = authenticator, origins, limits
        self._models = ModelList(configuration)
        self._counter = counter or TokenCounter.load()
        shared = (configuration, recorder, upstream, self._counter, patience, self._drain, repeats)
        rates = rates or RateLimiter(None)
        self._inference = Inference(*shared, cache, rates, commits=commits, holds=holds)
        self.completer = Completer(self._inference)
        self._routes = self._served()
        self._model = Route("GET", Policy.SIGNED_IN, Right.INFERENCE, self._show_model)

    def _served(self) -> dict[str, Route]:
        """By path."""
        return {
            "/v1/chat/completions": self._inferring(completions),
            "/v1/embeddings": self._inferring(embeddings),
            "/v1/messages": self._inferring(messages),
            "/v1/messages/count_tokens": Route(
                "POST", Policy.SIGNED_IN, Right.INFERENCE, self._count, messages.errors
            ),
            "/v1/models": Route("GET", Policy.SIGNED_IN, Right.INFERENCE, self._list_models),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        route = self._routes.get(path)
        if route is None and path.startswith("/v1/models/"):
            route = self._model
        if route is None or route.method != scope["method"]:
            return await _answer(send, _unserved(scope, route))
        headers = headers_of(scope)
        try:
            self._drain.admit()
            principal = await self._caller(route, headers, client_of(scope))
            # Taken, as the wire knows the scope: requests are no cycles for the collector.
            wire = scope["extensions"].pop(WIRE)
            await route.handle(Call(principal, headers, path, receive, send, wire))
        except FairleadError as error:
            let_go(error)
            await _answer(send, route.errors.render(error), close=self._drain.closed)
        except (ClientLeft, asyncio.CancelledError):
            # The server closes the connection of an answer that is not whole.
            return
        except Exception as error:
            id = uuid7()
            log.exception("request failed", request_id=str(id))
            let_go(error)
            await _answer(send, route.errors.bug(id))

    async def _caller(self, route: Route, headers: dict[str, str], address: str) -> Principal:
        if "cookie" in headers:
            credential = presented(headers)
            if credential is not None and credential.session is not None:
                # A browser sends its cookie unasked, with another page's request too.
                self._origins.check(headers)
        principal = await self._authenticator.principal(headers, address)
        if principal is None:
            raise Unauthenticated("Send an API key: `Authorization: Bearer`, or `x-api-key`.")
        if not allows(route.policy, route.right, principal):
            raise Forbidden(f"This API key does not have the scope `{route.right.lower()}`.")
        return principal

    def _inferring(self, format: Format) -> Route:
        """What asks a model something, in a format."""
        handle = partial(self._infer, format)
        return Route("POST", Policy.SIGNED_IN, Right.INFERENCE, handle, format.errors)

    async def _count(self, call: Call) -> None:
        body = await self._body(call)
        await respond(call.send, 200, messages.counted(body, self._counter))

    async def _infer(self, format: Format, call: Call) -> None:
        body = None if _ENCODED in call.headers else call.wire.body(self._limits.body)
        if body is None:
            body = await self._body(call)
        await self._inference.serve(format, call.principal, call.headers, body, call.wire)

    async def _body(self, call: Call) -> bytes:
        deadline = self._deadlines.within(self._limits.receive)
        return await read_body(call.receive, call.headers, self._limits.body, deadline)

    async def _list_models(self, call: Call) -> None:
        await respond(call.send, 200, self._models.all(call.principal))

    async def _show_model(self, call: Call) -> None:
        name = call.path.removeprefix("/v1/models/")
        await respond(call.send, 200, self._models.one(call.principal, name))


def _upstream(
    http: HttpClient, cipher: Cipher, observatory: Observatory, key_refused: ProbeLater
) -> Upstream:
    clock = time.monotonic
    deadlines, budget = Deadlines(), RetryBudget(clock)
    exchange = Exchange(http, KeyRing(cipher, clock), deadlines)
    return Upstream(exchange, observatory, budget, SystemRandom(), deadlines, key_refused)


def _unserved(scope: Scope, route: Route | None) -> Rendered:
    shown = f"{scope['method']} {scope['path'][:200]}"
    if route is None:
        return errors.refusal(404, f"There is no `{shown}` here.", "unknown_url", [])
    allow = [(b"allow", route.method.encode())]
    return route.errors.refusal(405, f"`{shown}`: use {route.method}.", "method_not_allowed", allow)


async def _answer(send: Send, shown: Rendered, *, close: bool = False) -> None:
    """A refusal; the rest of a request that was not read must not be taken for the next one."""
    close = close or shown.status in (408, 413)
    await respond(send, shown.status, shown.body, shown.headers, close=close)
