"""Idempotency-Key on /v1: the same caller, key and request get the same answer, charged once."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog

from db.queries import answer as answers
from db.session import AsyncSession, Database, database_is_away
from domain.errors import Conflict, InProgress, InvalidInput, Unavailable
from domain.ports import Cipher, Place, Sealed
from domain.principal import Principal
from domain.secret import Secret
from gateway.asgi import Header
from gateway.wire import Wire

HEADER = "idempotency-key"
LONGEST_KEY = 255
REPLAYED: Header = (b"x-fairlead-replayed", b"true")
_PATIENCE = 5.0
"""Seconds one look at the database may take before it counts as away."""

log = structlog.get_logger(__name__)


class _Stored(msgspec.Struct, array_like=True):
    """Text throughout: what is sealed is text, and so is JSON."""

    stream: bool
    headers: list[tuple[str, str]]
    body: str
    request: str = ""
    """SHA-256: fingerprints are of a master key, and it may be taken away."""


class Kept(msgspec.Struct, frozen=True):
    """An answer that was given before."""

    stream: bool
    headers: Sequence[Header]
    body: bytes

    async def replay(self, wire: Wire) -> None:
        headers = [*self.headers, REPLAYED]
        if not self.stream:
            return wire.whole(200, headers, self.body)
        await wire.begin(headers, self.body)
        await wire.end(b"")


class Repeats:
    """Holds the keys in the database, so that any replica finds them, and after a restart too.

    `process_id` is this process's in the register of those that beat.
    """

    def __init__(self, database: Database, cipher: Cipher, process_id: uuid.UUID) -> None:
        self._database = database
        self._cipher = cipher
        self._process_id = process_id

    async def claim(
        self, principal: Principal, key: str, request: str, request_id: uuid.UUID
    ) -> "Claim | Kept":
        """`request` is what must be the same.

        Raises InvalidInput (another request), InProgress, Conflict (charged, and not kept) and
        Unavailable.
        """
        if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise InvalidInput(HEADER, f"Send 1 to {LONGEST_KEY} visible ASCII characters.")
        caller = f"{principal.user_id}|{principal.organization_id}|{key}"
        id = hashlib.sha256(caller.encode()).digest()
        fingerprints = self._cipher.fingerprints(Secret(request))
        async with self._writing() as session:
            claimed, row = await answers.claim(
                session,
                id,
                fingerprints=fingerprints,
                request_id=request_id,
                process_id=self._process_id,
            )
        if claimed:
            return Claim(self, id, request_id, _digest(request))
        if row is None:
            raise _in_progress()
        same, stored = row.fingerprint in fingerprints, None
        if row.answer:
            stored = self._opened(row.request_id, Sealed(row.answer, row.master_key_id))
        if not same and (stored is None or stored.request != _digest(request)):
            raise InvalidInput(HEADER, "This key was used for another request: use a new one.")
        if stored is not None:
            headers = [(name.encode(), value.encode()) for name, value in stored.headers]
            return Kept(stored.stream, headers, stored.body.encode())
        if row.answer is not None or row.is_lost:
            raise Conflict(
                f"The request of this key was answered as {row.request_id} and charged once; its"
                " answer was too long to be kept, or was lost with its process. Use a new key."
            )
        raise _in_progress()

    async def keep(self, claim: "Claim", answer: Kept | None) -> None:
        sealed = Sealed(b"", "")
        if answer is not None:
            headers = [(name.decode(), value.decode()) for name, value in answer.headers]
            stored = _Stored(answer.stream, headers, answer.body.decode(), claim.request)
            text = Secret(msgspec.json.encode(stored).decode())
            sealed = self._cipher.seal(text, _place(claim.request_id))
        async with self._writing() as session:
            await answers.keep(
                session, claim.id, claim.request_id, sealed.ciphertext, sealed.master_key_id
            )

    async def release(self, claim: "Claim") -> None:
        async with self._writing() as session:
            await answers.release(session, claim.id, claim.request_id)

    def _opened(self, request_id: uuid.UUID, sealed: Sealed) -> _Stored:
        try:
            text = self._cipher.open(sealed, _place(request_id)).reveal()
        except ValueError:
            raise Conflict("The answer kept under this key does not open any more.") from None
        return msgspec.json.decode(text, type=_Stored)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncSession]:
        try:
            async with asyncio.timeout(_PATIENCE), self._database.write(None) as session:
                yield session
        except Exception as error:
            if not database_is_away(error):
                raise
            raise Unavailable(
                "The database is away, and an Idempotency-Key cannot be honoured without it."
            ) from error


class Claim:
    """A key that is one request's, until its answer is kept or it has none."""

    def __init__(self, repeats: Repeats, id: bytes, request_id: uuid.UUID, request: str) -> None:
        self._repeats = repeats
        self._open = True
        self.id = id
        self.request_id = request_id
        self.request = request

    async def keep(self, headers: Sequence[Header], body: bytes | None, *, stream: bool) -> None:
        """Before the outcome: an answer that is kept is charged once at most. None: too long.

        Never fails: what cannot be kept leaves the key claimed, so that nothing is charged twice.
        """
        self._open = False
        try:
            kept = None if body is None else Kept(stream, headers, body)
            await self._repeats.keep(self, kept)
        except Unavailable:
            log.warning("an answer is not kept", request_id=str(self.request_id))

    async def release(self) -> None:
        """There is no answer, unless it is kept. Never fails."""
        if not self._open:
            return
        self._open = False
        try:
            await self._repeats.release(self)
        except Unavailable:
            log.warning("a key is not released", request_id=str(self.request_id))


def _in_progress() -> InProgress:
    return InProgress("The request of this key is being answered: try again soon.")


def _place(request_id: uuid.UUID) -> Place:
    return Place("llm_kept_answers", "answer", request_id, 1, "")


def _digest(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()
