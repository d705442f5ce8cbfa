"""The fake provider's server: routes, authentication, and the faults a model name asks for."""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

from tests.provider.answers import CREATED, Answer, encode, error, event
from tests.provider.behaviour import Behaviour, Fault, parse
from tests.provider.log import Entry
from tests.provider.wire import Left, Wire

_JSON = {"content-type": "application/json"}
_STREAM = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}


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
        return [entry for entry in self.log if entry.path.endswith("/chat/completions")]

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
            await self._whole(
                wire,
                entry,
                401,
                error("Wrong API key.", "invalid_request_error", "invalid_api_key"),
            )
        elif entry.method == "GET" and entry.path in lists:
            await self._whole(wire, entry, 200, self._models(lists[entry.path]))
        elif entry.method == "POST" and entry.path.endswith("/chat/completions"):
            await self._chat(wire, entry, body)
        else:
            await self._whole(wire, entry, 404, error("No such path.", "invalid_request_error"))

    def _denied(self, headers: dict[str, str]) -> bool:
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        sent = (bearer, headers.get("x-api-key"), headers.get("x-goog-api-key"))
        return self.key is not None and self.key not in sent

    def _models(self, member: str) -> Any:
        """OpenAI's and Anthropic's list, Google's, or Together's bare array."""
        if member == "models":
            return {"models": [{"name": f"models/{name}"} for name in self.models]}
        made = {"object": "model", "created": CREATED, "owned_by": "fake"}
        listed = [{"id": name, **made} for name in self.models]
        return {"object": "list", "data": listed} if member else listed

    async def _show_log(self, wire: Wire, entry: Entry) -> None:
        if entry.method == "DELETE":
            self.log.clear()
        await self._whole(wire, entry, 200, [seen.as_json() for seen in self.log])

    async def _whole(
        self, wire: Wire, entry: Entry, status: int, answer: Any, **headers: str
    ) -> None:
        body = encode(answer)
        await wire.head(status, {**_JSON, "content-length": str(len(body)), **headers})
        await wire.write(body)
        entry.finished = True

    async def _chat(self, wire: Wire, entry: Entry, raw: bytes) -> None:
        body = _decoded(raw)
        if body is None or body.get("n", 1) != 1:
            wrong = error("We want JSON with model, messages and n = 1.", "invalid_request_error")
            return await self._whole(wire, entry, 400, wrong)
        entry.body, entry.model = body, body["model"]
        behaviour = parse(body["model"])
        if behaviour is None:
            absent = f"The model `{body['model']}` does not exist."
            wrong = error(absent, "invalid_request_error", "model_not_found", "model")
            return await self._whole(wire, entry, 404, wrong)
        self._served[body["model"]] += 1
        if behaviour.times is not None and self._served[body["model"]] > behaviour.times:
            behaviour.fault = None
        entry.faulted = behaviour.fault
        await asyncio.sleep(behaviour.first_byte / 1000)
        if not await self._fails(wire, entry, behaviour):
            answer = Answer(len(self.log), body, behaviour)
            send = self._stream if body.get("stream") else self._buffered
            await send(wire, entry, answer, behaviour)

    async def _fails(self, wire: Wire, entry: Entry, behaviour: Behaviour) -> bool:
        """Answers with the refusal or the fault that takes the whole answer's place, if any."""
        if behaviour.refusal == "contextlength":
            text = "This model's maximum context length is 8 tokens."
            wrong = error(text, "invalid_request_error", "context_length_exceeded", "messages")
            await self._whole(wire, entry, 400, wrong)
        elif behaviour.refusal == "contentfilter":
            text = "The prompt was filtered."
            await self._whole(
                wire, entry, 400, error(text, "invalid_request_error", "content_filter", "prompt")
            )
        elif behaviour.refusal == "nooptions" and "stream_options" in entry.body:
            text = "Unrecognized request argument supplied: stream_options"
            await self._whole(wire, entry, 400, error(text, "invalid_request_error"))
        elif behaviour.fault is Fault.FAIL:
            wait = behaviour.retry_after
            headers = {} if wait is None else {"retry-after": str(wait)}
            kind = "rate_limit_exceeded" if behaviour.at == 429 else "server_error"
            wrong = error(f"Injected failure {behaviour.at}.", kind, kind)
            await self._whole(wire, entry, behaviour.at, wrong, **headers)
        elif behaviour.fault is Fault.ERROR200:
            await self._error200(wire, entry)
        elif behaviour.fault is Fault.RESET:
            await wire.reset()
        elif behaviour.fault is Fault.SILENT:
            await asyncio.Event().wait()
        else:
            return False
        return True

    async def _error200(self, wire: Wire, entry: Entry) -> None:
        wrong = error("Injected failure.", "server_error", "server_error")
        if not entry.body.get("stream"):
            return await self._whole(wire, entry, 200, wrong)
        await wire.head(200, _STREAM)
        await wire.chunk(event(wrong))
        await wire.chunk(b"")
        entry.finished = True

    async def _buffered(
        self, wire: Wire, entry: Entry, answer: Answer, behaviour: Behaviour
    ) -> None:
        body = answer.whole()
        if behaviour.fault is Fault.MALFORMED:
            body = b"{" + body
        broken = behaviour.fault in (Fault.CUT, Fault.RST, Fault.STALL)
        await wire.head(200, {**_JSON, "content-length": str(len(body))})
        await wire.write(body[: len(body) // 2] if broken else body)
        if broken:
            return await self._breaks(wire, behaviour)
        entry.chunks, entry.text, entry.usage = len(answer.words), answer.words, answer.usage
        entry.finished = True

    async def _stream(self, wire: Wire, entry: Entry, answer: Answer, behaviour: Behaviour) -> None:
        options = entry.body.get("stream_options") or {}
        behaviour.at = min(behaviour.at, len(answer.words))
        with_usage = options.get("include_usage") is True and behaviour.usage
        await wire.head(200, _STREAM)
        await wire.chunk(answer.opening(with_usage=with_usage))
        for word, data in zip(answer.words, answer.contents(with_usage=with_usage), strict=True):
            if await self._interrupts(wire, entry, behaviour):
                return
            await asyncio.sleep(behaviour.gap / 1000)
            await wire.chunk(data)
            entry.chunks += 1
            entry.text.append(word)
            self._tell()
        if await self._interrupts(wire, entry, behaviour):
            return
        for data in answer.closing(with_usage=with_usage):
            await wire.chunk(data)
        entry.usage = answer.usage if with_usage else None
        if behaviour.fault is not Fault.NODONE:
            await wire.chunk(b"data: [DONE]\n\n")
        await wire.chunk(b"")
        entry.finished = True

    async def _interrupts(self, wire: Wire, entry: Entry, behaviour: Behaviour) -> bool:
        """Injects a fault that is due after this many chunks; True when the answer ends by it."""
        if entry.chunks != behaviour.at:
            return False
        if behaviour.fault is Fault.MALFORMED:
            await wire.chunk(b'data: {"choices": [{"delta"\n\n')
        elif behaviour.fault is Fault.INBAND:
            await wire.chunk(event(error("Injected failure.", "server_error", "server_error")))
            await wire.chunk(b"")
            return True
        elif behaviour.fault in (Fault.CUT, Fault.RST, Fault.STALL):
            await self._breaks(wire, behaviour)
            return True
        return False

    async def _breaks(self, wire: Wire, behaviour: Behaviour) -> None:
        if behaviour.fault is Fault.STALL:
            await asyncio.Event().wait()
        if behaviour.fault is Fault.RST:
            await wire.reset()
        else:
            await wire.close()


def _decoded(raw: bytes) -> dict[str, Any] | None:
    """The request's body, None when it is not what a chat request looks like."""
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    well_formed = (
        isinstance(body, dict)
        and isinstance(body.get("model"), str)
        and isinstance(body.get("messages"), list)
        and all(isinstance(message, dict) for message in body["messages"])
    )
    return body if well_formed else None
