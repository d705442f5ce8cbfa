"""From a request's headers to a principal, through a memory of known keys.

A key verified within the last 15 minutes goes on working while the database is away; one we do not
know then is answered 503, never 401.
"""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from auth import apikey
from auth.credential import everything_in, presented
from auth.ended import KIND, Ended
from auth.guesses import Guesses
from auth.keyring import open_pepper
from auth.known import FRESH, STALE, Known, Memory, Text, texts_of
from auth.openid import TokenVerifier
from auth.people import People
from auth.principal import has_left, identity_of, principal_of
from auth.reader import Reader
from auth.session import open_session_token, seal_session, stamp_of
from db.keyset import Row
from db.session import Database
from domain.errors import Unauthenticated, Unavailable
from domain.ports import Cipher
from domain.principal import Principal
from domain.secret import Secret
from domain.user import BY_HAND

_MOST_UNKNOWN = 10_000
_UNKNOWN_FOR = 5.0

_REFUSED = "This API key is not known here, or no longer valid."


_Found = tuple[Known, Text]


class Authenticator:
    """Answers who is calling; told by the configuration's listener what to forget."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        clock: Callable[[], float] = time.time,
        *,
        verifier: TokenVerifier | None = None,
        suspend_after: float | None = None,
    ) -> None:
        self._reader = Reader(database, clock)
        self._ended = Ended(self._reader, clock)
        self._people = (
            None if verifier is None else People(verifier, self._reader, self._ended, clock)
        )
        self._suspend_after = suspend_after
        self._cipher = cipher
        self._clock = clock
        self._memory = Memory()
        self._unknown: dict[str, float] = {}
        self._peppers: dict[uuid.UUID, Secret] = {}
        self._told = 0
        self._guesses = Guesses()

    async def principal(
        self, headers: Mapping[str, str], address: str | None = None
    ) -> Principal | None:
        """The caller; None when no credential was sent. `headers` have lower-case names.

        Keys that are wrong are counted by the network `address` they come from; None: nobody's.

        Raises Unauthenticated, MalformedRequest (two credentials), LimitExceeded or Unavailable.
        """
        found = presented(headers)
        if found is None:
            return None
        if found.api_key is None:
            return await self._by_session(found.session or "")
        if self._people is not None and _is_token(found.api_key):
            return await self._people.principal(found.api_key, headers)
        known = self._memory.by_heart(_digest(found.api_key), self._clock())
        # Who is known by heart goes on, however many others guess from the same address.
        return self._valid(known or (await self._verified(found.api_key, address))[0])

    async def open_session(self, api_key: str, address: str | None = None) -> tuple[str, float]:
        """A cookie token for a browser that shows a key, and when it ends (Unix seconds)."""
        known, text = await self._verified(api_key, address)
        principal, key = self._valid(known), apikey.parse(api_key)
        if key is None:
            raise Unauthenticated(_REFUSED)
        token, expires_at = seal_session(self._cipher, key.public_id, text.hash, self._clock())
        return token, min(expires_at, principal.expires_at or expires_at)

    def session_end(self, headers: Mapping[str, str]) -> float | None:
        """When the session in `headers` ends (Unix seconds); None without a running one."""
        found = presented(headers)
        if found is None or found.session is None:
            return None
        session = open_session_token(self._cipher, found.session, self._clock())
        return None if session is None else session.expires_at

    async def sign_out(self, headers: Mapping[str, str]) -> None:
        """End the sessions and the tokens that a browser sent, wherever there are copies of them.

        What is no valid one is passed over. Raises Unavailable where a token cannot be judged.
        """
        keys, sessions = everything_in(headers)
        for text in sessions:
            session = open_session_token(self._cipher, text, self._clock())
            if session is not None:
                await self._ended.add(session.id)
        for text in keys:
            if self._people is not None and _is_token(text):
                with suppress(Unauthenticated):
                    await self._people.end(text)

    def forget(self, kind: str, object_id: uuid.UUID | None) -> None:
        """A key, a person, their settings or organisation changed: read them anew on next use."""
        if self._people is not None:
            self._people.forget(kind, object_id)
        if kind == KIND:
            self._ended.tell(object_id)
        if kind == "apikey":
            self._unknown.clear()
        if kind in ("apikey", "user", "settings", "organization"):
            self._told += 1
            for _, known in self._memory:
                if object_id is None or known.concerns(object_id):
                    known.read_at = 0.0

    def known(self) -> str:
        """Who may be believed while the database is away, for `recall` in a later process."""
        now = self._clock()
        lasting = {id: one for id, one in self._memory if now - one.read_at < STALE}
        return msgspec.json.encode(lasting).decode()

    def recall(self, known: str) -> None:
        """Take over what `known` said: to be read anew, and believed while that is not possible.

        Raises ValueError.
        """
        last = self._clock() - FRESH
        for id, one in msgspec.json.decode(known, type=dict[str, Known]).items():
            one.read_at, one.rereading = min(one.read_at, last), False
            if self._memory.get(id) is None:
                self._memory.put(id, one)

    async def _verified(self, text: str, address: str | None) -> _Found:
        """The record of a key, and which of its texts this is. Wrong ones are counted."""
        key = apikey.parse(text)
        digest = _digest(text)
        before = None if key is None else self._memory.get(key.public_id)
        recognised = None if before is None else before.recognised(digest, self._clock())
        if recognised is None and address is not None:
            self._guesses.check(address, text)
        found = None if key is None else await self._looked_up(key, digest)
        if found is None:
            if address is not None:
                self._guesses.wrong(address, text)
            raise Unauthenticated(_REFUSED)
        return found

    async def _looked_up(self, key: apikey.PresentedKey, digest: bytes) -> _Found | None:
        known = await self._record(key.public_id)
        if known is None:
            hmac.compare_digest(apikey.hash_key(key.secret, Secret("")), bytes(32))
            return None
        recognised = known.recognised(digest, self._clock())
        if recognised is not None:
            return known, recognised
        for stored in known.running(self._clock()):
            if apikey.matches(key.secret, await self._pepper(stored.pepper_id), stored.hash):
                self._memory.verified(key.public_id, stored, digest)
                return known, stored
        return None

    async def _by_session(self, token: str) -> Principal:
        now = self._clock()
        session = open_session_token(self._cipher, token, now)
        if session is not None and await self._ended.holds(session.id):
            session = None
        known = None if session is None else await self._record(session.public_id)
        stamps = {} if known is None else {stamp_of(text.hash) for text in known.running(now)}
        if session is None or known is None or session.stamp not in stamps:
            raise Unauthenticated("This session has ended: sign in again.")
        return self._valid(known)

    def _valid(self, known: Known) -> Principal:
        ends, now = known.principal.expires_at, self._clock()
        if known.revoked or (ends is not None and ends <= now):
            raise Unauthenticated(_REFUSED)
        if _long_ago(known.seen_at, self._suspend_after, now):
            raise Unauthenticated(
                "This API key is suspended until its person signs in again: they have not been seen"
                " for too long."
            )
        return known.principal

    async def _record(self, public_id: str) -> Known | None:
        now = self._clock()
        known = self._memory.get(public_id)
        if known is not None and known.is_believed(now):
            return known
        if self._unknown.get(public_id, 0.0) > now:
            return None
        told = self._told
        try:
            if known is not None:
                known.rereading = True
            found = await self._reader.read(lambda session: identity_of(session, public_id))
        except Unavailable:
            if known is not None and now - known.read_at < STALE:
                return known
            raise
        finally:
            if known is not None:
                known.rereading = False
        # What was read may be older than a change told meanwhile: use it once, believe it no more.
        return self._remember(public_id, found, known, now if told == self._told else 0.0)

    def _remember(
        self,
        public_id: str,
        found: tuple[Row, list[Row]] | None,
        before: Known | None,
        now: float,
    ) -> Known | None:
        if found is None:
            self._memory.drop(public_id)
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[public_id] = now + _UNKNOWN_FOR
            return None
        row, ancestors = found
        known = Known(
            texts=texts_of(row, () if before is None else before.texts),
            revoked=row.revoked_at is not None or not row.enabled or has_left(row),
            principal=principal_of(row, ancestors),
            ancestors=frozenset(each.id for each in ancestors),
            read_at=now,
            seen_at=None if row.issuer == BY_HAND else row.seen_at.timestamp(),
        )
        self._memory.put(public_id, known)
        return known

    async def _pepper(self, id: uuid.UUID) -> Secret:
        found = self._peppers.get(id)
        if found is None:
            found = await self._reader.read(lambda session: open_pepper(session, self._cipher, id))
            self._peppers[id] = found
        return found


def _is_token(text: str) -> bool:
    """Of the identity provider, and no API key."""
    return not text.startswith(apikey.PREFIX)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _long_ago(seen_at: float | None, suspend_after: float | None, now: float) -> bool:
    if seen_at is None or suspend_after is None:
        return False
    return seen_at + suspend_after <= now
