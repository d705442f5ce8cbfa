"""Exact repeats on /v1: the same tenant, request and model get the same answer, for nothing."""

import asyncio
import hashlib
import re
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from db.queries.cache import cached_answer, keep_answer
from db.session import Database, database_is_away
from domain.ports import Cipher, Place, Sealed
from domain.principal import Principal
from domain.secret import Secret
from gateway.asgi import Header
from gateway.wire import Wire

_PATIENCE = 2.0
"""Seconds one look at the database may take; then the provider is asked."""
_ASIDE = frozenset({"user", "metadata", "store", "safety_identifier", "prompt_cache_key"})
"""Fields that change nothing of what is answered."""
_COST = re.compile(rb'("usage":\{(?:[^{}]|\{[^{}]*\})*?"cost":)[0-9.eE+-]+')
_OURS = (b"x-fairlead-provider", b"x-fairlead-model", b"x-fairlead-ignored", b"content-type")

log = structlog.get_logger(__name__)


class Stored(msgspec.Struct, array_like=True):
    """An answer, as text. `reference` is `provider/model` of who gave it."""

    stream: bool
    reference: str
    headers: list[tuple[str, str]]
    body: str


class Hit(msgspec.Struct, frozen=True):
    """An answer that was given before."""

    stored: Stored

    async def replay(self, wire: Wire, request_id: uuid.UUID) -> None:
        """As the new request's, which costs nothing."""
        body = _COST.sub(rb"\g<1>0", self.stored.body.encode())
        headers: list[Header] = [
            (b"x-fairlead-request-id", str(request_id).encode()),
            *((name.encode(), value.encode()) for name, value in self.stored.headers),
            (b"x-fairlead-cost", b"0"),
            (b"x-fairlead-cache", b"hit"),
        ]
        if not self.stored.stream:
            return wire.whole(200, headers, body)
        await wire.begin(headers, body)
        await wire.end(b"")


class Cache:
    """One per process. Of requests that are the same and come together one is sent.

    Who waits for it waits for the whole of the answer; it is brought to its end though its own
    client leaves. What the database does not give in time, the provider is asked for.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher
        self._flights: dict[bytes, Flight] = {}

    async def find(
        self, principal: Principal, place: str, deployment_id: uuid.UUID, body: bytes
    ) -> "Hit | Flight":
        """`place` is where the request came; `deployment_id` whom it would be sent to first."""
        id = _digest(principal.payer_id, place, deployment_id, body)
        while True:
            flight = self._flights.get(id)
            if flight is not None:
                stored = await asyncio.shield(flight.landed)
            else:
                stored = await self._load(id)
            if stored is not None:
                return Hit(stored)
            if id not in self._flights:
                flight = Flight(self, id, principal.cache_seconds or 0)
                self._flights[id] = flight
                return flight

    def land(self, flight: "Flight", stored: Stored | None) -> None:
        if self._flights.get(flight.id) is flight:
            del self._flights[flight.id]
        if not flight.landed.done():
            flight.landed.set_result(stored)

    async def store(self, flight: "Flight", stored: Stored) -> None:
        """Never fails: an answer that is not kept is asked for again."""
        text = Secret(msgspec.json.encode(stored).decode())
        sealed = self._cipher.seal(text, _place(flight.id))
        try:
            async with asyncio.timeout(_PATIENCE), self._database.write(None) as session:
                await keep_answer(
                    session, flight.id, sealed.ciphertext, sealed.master_key_id, flight.seconds
                )
        except Exception as error:
            if not database_is_away(error):
                log.error("an answer is not cached", exc_info=error)

    async def _load(self, id: bytes) -> Stored | None:
        try:
            async with asyncio.timeout(_PATIENCE), self._database.read(None) as session:
                row = await cached_answer(session, id)
            if row is None:
                return None
            text = self._cipher.open(Sealed(row.answer, row.master_key_id), _place(id)).reveal()
        except Exception as error:
            if not (database_is_away(error) or isinstance(error, ValueError)):
                log.error("the cache cannot be read", exc_info=error)
            return None
        return msgspec.json.decode(text, type=Stored)


class Flight:
    """The request that is sent for all that are the same; `landed` has its answer, or None."""

    def __init__(self, cache: Cache, id: bytes, seconds: int) -> None:
        self._cache = cache
        self.id = id
        self.seconds = seconds
        self.landed: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()

    async def keep(self, headers: Sequence[Header], body: bytes | None, *, stream: bool) -> None:
        """An answer that came whole. None: too long to be kept."""
        if body is None:
            return await self.release()
        told = dict(headers)
        provider, model = told[b"x-fairlead-provider"], told[b"x-fairlead-model"]
        kept = [(n.decode(), v.decode()) for n, v in headers if n in _OURS]
        stored = Stored(stream, f"{provider.decode()}/{model.decode()}", kept, body.decode())
        await self._cache.store(self, stored)
        self._cache.land(self, stored)

    async def release(self) -> None:
        """There is no answer, unless it is kept."""
        self._cache.land(self, None)


def _digest(tenant: uuid.UUID, place: str, deployment_id: uuid.UUID, body: bytes) -> bytes:
    """Of what must be the same; the order of fields and what changes no answer do not matter."""
    fields: dict[str, Any] = msgspec.json.decode(body)
    wanted = {name: value for name, value in fields.items() if name not in _ASIDE}
    text = msgspec.json.encode([tenant, place, deployment_id, wanted], order="sorted")
    return hashlib.sha256(text).digest()


def _place(id: bytes) -> Place:
    return Place("llm_cached_answers", "answer", uuid.UUID(bytes=id[:16]), 1, "")
