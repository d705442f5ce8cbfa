"""The fake provider's server: routes, authentication, and the faults a model name asks for."""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

from tests.provider import anthropic, google, openai
from tests.provider.behaviour import Fault, parse
from tests.provider.embedding import Google, OpenAI
from tests.provider.faults import JSON, STREAM, breaks, endless, fails, interrupts, whole
from tests.provider.log import Entry
from tests.provider.script import CREATED, Format, Turn
from tests.provider.wire import Left, Wire

_GEMINI = (":generateContent", ":streamGenerateContent")
_EMBEDS = ":batchEmbedContents"
_PATHS = ("/chat/completions", "/embeddings", "/messages", _EMBEDS, *_GEMINI)
_EMBEDDINGS: dict[str, Format] = {"/embeddings": OpenAI(), _EMBEDS: Google()}


class FakeProvider:
    """Listens on a loopback port while it is entered.

    `key`: when given, chat and model lists want it (Bearer, x-api-key or x-goog-api-key).
    `models`: the names `GET /v1/models` lists; any name that parses is answered all the same.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        models: Sequence[str] = ("fake", "fake-t50", "fake-n64"),
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.key = key
        self.models = list(models)
        self.details: dict[str, dict[str, Any]] = {}
        """What the list of models says of some of them beyond the name."""
        self.stands_for: dict[str, str] = {}
        """Other names of models: what each behaves as."""
        self.used_up: set[str] = set()
        """Keys whose account has paid for no more: they list models, and serve none."""
        self.log: list[Entry] = []
        self.connections = 0
        self._tls = tls
        self._address = (host, port)
        self._served: Counter[str] = Counter()
        self._wires: set[Wire] = set()
        self._running = 0
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._wire, *self._address, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for wire in tuple(self._wires):
            wire.transport.abort()
        await self.idle()

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._address[0]}:{self.port}"

    @property
    def base_url(self) -> str:
        """What an OpenAI client is pointed at."""
        return f"{self.origin}/v1"

    @property
    def host_port(self) -> str:
        return f"{self._address[0]}:{self.port}"

    @property
    def open(self) -> int:
        """Connections that clients hold."""
        return len(self._wires)

    @property
    def chats(self) -> list[Entry]:
        """The log without model lists."""
        return [entry for entry in self.log if entry.method == "POST"]

    async def until(self, condition: Callable[["FakeProvider"], bool]) -> None:
        """Waits until `condition` holds; looked at on each request, chunk, end and close."""
        while not condition(self):
            await self._changed.wait()

    async def arrived(self, count: int) -> None:
        """Waits until `count` requests were seen in all."""
        await self.until(lambda provider: len(provider.log) >= count)

    async def idle(self) -> None:
        """Waits until no request is being answered, so that the log is final."""
        await self.until(lambda provider: provider._running == 0)

    def _wire(self) -> Wire:
        self.connections += 1
        wire = Wire(self.connections, self._serve, self._lost)
        self._wires.add(wire)
        return wire

    def _lost(self, wire: Wire) -> None:
        self._wires.discard(wire)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _serve(self, wire: Wire, entry: Entry, body: bytes) -> None:
        if entry.path == "/log":
            return await self._show_log(wire, entry)
        self.log.append(entry)
        self._running += 1
        self._tell()
        try:
            await self._route(wire, entry, body)
        except (Left, asyncio.CancelledError):
            entry.aborted = not entry.finished and not wire.closed_by_us
        finally:
            self._running -= 1
            self._tell()

    async def _route(self, wire: Wire, entry: Entry, body: bytes) -> None:
        lists = {"/v1/models": "data", "/v1beta/models": "models", "/together/v1/models": ""}
        if self._denied(entry.headers):
            wrong = _format(entry.path).error(401, "Wrong API key.", "invalid_api_key")
            await whole(wire, entry, 401, wrong)
        elif entry.method == "POST" and self.used_up.intersection(_keys(entry.headers)):
            text = "You exceeded your current quota, please check your plan and billing details."
            await whole(wire, entry, 429, openai.error(429, text, "insufficient_quota"))
        elif entry.method == "GET" and entry.path in lists:
            await whole(wire, entry, 200, self._models(lists[entry.path]))
        elif entry.method == "POST" and entry.path.endswith(_PATHS):
            await self._chat(wire, entry, body, _format(entry.path))
        else:
            await whole(wire, entry, 404, openai.error(404, "No such path."))

    def _denied(self, headers: dict[str, str]) -> bool:
        return self.key is not None and self.key not in _keys(headers)

    def _models(self, member: str) -> Any:
        """OpenAI's and Anthropic's list, Google's, or Together's bare array."""
        if member == "models":
            return {"models": [{"name": f"models/{name}"} for name in self.models]}
        made = {"object": "model", "created": CREATED, "owned_by": "fake"}
        listed = [{"id": name, **made, **self.details.get(name, {})} for name in self.models]
        return {"object": "list", "data": listed} if member else listed

    async def _show_log(self, wire: Wire, entry: Entry) -> None:
        if entry.method == "DELETE":
            self.log.clear()
        await whole(wire, entry, 200, [seen.as_json() for seen in self.log])

    async def _chat(self, wire: Wire, entry: Entry, raw: bytes, format: Format) -> None:
        asked = format.asked(entry.path, _decoded(raw))
        if asked is None:
            wrong = format.error(400, "This is no request of this format.")
            return await whole(wire, entry, 400, wrong)
        entry.body, entry.model = asked.body, asked.model
        behaviour = parse(self.stands_for.get(asked.model, asked.model))
        if behaviour is None:
            wrong = format.error(404, f"There is no model `{asked.model}`.", "model_not_found")
            return await whole(wire, entry, 404, wrong)
        self._served[asked.model] += 1
        if behaviour.spares(self._served[asked.model]):
            behaviour.fault = None
        wire.drip = behaviour.drip
        entry.faulted = behaviour.fault
        await asyncio.sleep(behaviour.first_byte / 1000)
        turn = Turn(format, asked, behaviour, len(self.log))
        if not await fails(wire, entry, turn):
            await (self._stream if asked.stream else self._buffered)(wire, entry, turn)

    async def _buffered(self, wire: Wire, entry: Entry, turn: Turn) -> None:
        behaviour, words = turn.behaviour, turn.script.words
        body = turn.answer.whole()
        if behaviour.fault is Fault.HUGE:
            await wire.head(200, {**JSON, "transfer-encoding": "chunked"})
            await wire.chunk(body[:-1])
            await endless(wire)
        if behaviour.fault is Fault.MALFORMED:
            body = b"{" + body
        broken = behaviour.fault in (Fault.CUT, Fault.RST, Fault.STALL)
        await wire.head(200, {**JSON, "content-length": str(len(body))})
        await wire.write(body[: len(body) // 2] if broken else body)
        if broken:
            return await breaks(wire, behaviour)
        entry.chunks, entry.text, entry.usage = len(words), words, turn.answer.usage
        entry.finished = True

    async def _stream(self, wire: Wire, entry: Entry, turn: Turn) -> None:
        behaviour, words, answer = turn.behaviour, turn.script.words, turn.answer
        behaviour.at = min(behaviour.at, len(words))
        await wire.head(200, STREAM)
        if opening := answer.opening():
            await wire.chunk(opening)
        for word, data in zip(words, answer.contents(), strict=True):
            if await interrupts(wire, entry, turn):
                return
            await asyncio.sleep(behaviour.gap / 1000)
            if data:
                await wire.chunk(data)
            entry.chunks += 1
            entry.text.append(word)
            self._tell()
        if await interrupts(wire, entry, turn):
            return
        await wire.chunk(answer.closing())
        entry.usage = answer.usage
        if turn.format.terminal and behaviour.fault is not Fault.NODONE:
            await wire.chunk(turn.format.terminal)
        await wire.chunk(b"")
        entry.finished = True


def _decoded(raw: bytes) -> Any:
    """The request's body, None when it is not JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _keys(headers: dict[str, str]) -> set[str]:
    """Those that a request came with."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return {bearer, headers.get("x-api-key", ""), headers.get("x-goog-api-key", "")}


def _format(path: str) -> Format:
    for end, format in _EMBEDDINGS.items():
        if path.endswith(end):
            return format
    if path.endswith("/messages"):
        return anthropic
    return google if path.endswith(_GEMINI) else openai
