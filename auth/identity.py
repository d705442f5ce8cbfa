"""From a request's headers to a principal, through a memory of known keys.

A key verified within the last 15 minutes goes on working while the database is away; one we do not
know then is answered 503, never 401.
"""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from auth import apikey
from auth.credential import presented
from auth.guesses import Guesses
from auth.keyring import open_pepper
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

FRESH = 60.0
"""Seconds for which a record is believed without asking; changes are told at once (`forget`)."""
STALE = 900.0
"""Seconds for which a record is believed while the database is away."""
_MOST_KNOWN = 100_000
_MOST_UNKNOWN = 10_000
_UNKNOWN_FOR = 5.0

_REFUSED = "This API key is not known here, or no longer valid."


@dataclass(slots=True)
class _Text:
    """What is stored of a key's text; `until` in Unix seconds when another has taken its place."""

    hash: bytes
    pepper_id: uuid.UUID
    until: float | None = None
    verified: bytes | None = None


@dataclass(slots=True)
class _Known:
    texts: tuple[_Text, ...]
    revoked: bool
    principal: Principal
    ancestors: frozenset[uuid.UUID]
    read_at: float
    seen_at: float | None = None
    rereading: bool = False


_Found = tuple[_Known, _Text]


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
        self._people = None if verifier is None else People(verifier, self._reader, clock)
        self._suspend_after = suspend_after
        self._cipher = cipher
        self._clock = clock
        self._known: dict[str, _Known] = {}
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
        if self._people is not None and not found.api_key.startswith(apikey.PREFIX):
            return await self._people.principal(found.api_key, headers)
        return self._valid((await self._verified(found.api_key, address))[0])

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

    def forget(self, kind: str, object_id: uuid.UUID | None) -> None:
        """A key, a person, their settings or organisation changed: read them anew on next use."""
        if self._people is not None:
            self._people.forget(kind, object_id)
        if kind == "apikey":
            self._unknown.clear()
        if kind in ("apikey", "user", "settings", "organization"):
            self._told += 1
            for known in self._known.values():
                if object_id is None or object_id in _concerned(known):
                    known.read_at = 0.0

    def known(self) -> str:
        """Who may be believed while the database is away, for `recall` in a later process."""
        now = self._clock()
        lasting = {id: one for id, one in self._known.items() if now - one.read_at < STALE}
        return msgspec.json.encode(lasting).decode()

    def recall(self, known: str) -> None:
        """Take over what `known` said: to be read anew, and believed while that is not possible.

        Raises ValueError.
        """
        last = self._clock() - FRESH
        for id, one in msgspec.json.decode(known, type=dict[str, _Known]).items():
            one.read_at, one.rereading = min(one.read_at, last), False
            self._known.setdefault(id, one)

    async def _verified(self, text: str, address: str | None) -> _Found:
        """The record of a key, and which of its texts this is. Wrong ones are counted."""
        key = apikey.parse(text)
        digest = hashlib.sha256(text.encode()).digest()
        before = None if key is None else self._known.get(key.public_id)
        recognised = None if before is None else self._recognised(before, digest)
        if before is not None and recognised is not None:
            # Who is known by heart goes on, however many others guess from the same address.
            if _believed(before, self._clock()):
                return before, recognised
        elif address is not None:
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
        recognised = self._recognised(known, digest)
        if recognised is not None:
            return known, recognised
        for stored in self._running(known):
            if apikey.matches(key.secret, await self._pepper(stored.pepper_id), stored.hash):
                stored.verified = digest
                return known, stored
        return None

    def _recognised(self, known: _Known, digest: bytes) -> _Text | None:
        """Which running text of `known` was seen to match before, by its digest."""
        for text in self._running(known):
            if text.verified is not None and hmac.compare_digest(text.verified, digest):
                return text
        return None

    def _running(self, known: _Known) -> list[_Text]:
        now = self._clock()
        return [text for text in known.texts if text.until is None or text.until > now]

    async def _by_session(self, token: str) -> Principal:
        session = open_session_token(self._cipher, token, self._clock())
        known = None if session is None else await self._record(session.public_id)
        stamps = {} if known is None else {stamp_of(text.hash) for text in self._running(known)}
        if session is None or known is None or session.stamp not in stamps:
            raise Unauthenticated("This session has ended: sign in again.")
        return self._valid(known)

    def _valid(self, known: _Known) -> Principal:
        ends, now = known.principal.expires_at, self._clock()
        if known.revoked or (ends is not None and ends <= now):
            raise Unauthenticated(_REFUSED)
        if _long_ago(known.seen_at, self._suspend_after, now):
            raise Unauthenticated(
                "This API key is suspended until its person signs in again: they have not been seen"
                " for too long."
            )
        return known.principal

    async def _record(self, public_id: str) -> _Known | None:
        now = self._clock()
        known = self._known.get(public_id)
        if known is not None and _believed(known, now):
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
        before: _Known | None,
        now: float,
    ) -> _Known | None:
        if found is None:
            self._known.pop(public_id, None)
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[public_id] = now + _UNKNOWN_FOR
            return None
        if len(self._known) >= _MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
        row, ancestors = found
        known = _Known(
            texts=_texts(row, () if before is None else before.texts),
            revoked=row.revoked_at is not None or not row.enabled or has_left(row),
            principal=principal_of(row, ancestors),
            ancestors=frozenset(each.id for each in ancestors),
            read_at=now,
            seen_at=None if row.issuer == BY_HAND else row.seen_at.timestamp(),
        )
        self._known[public_id] = known
        return known

    async def _pepper(self, id: uuid.UUID) -> Secret:
        found = self._peppers.get(id)
        if found is None:
            found = await self._reader.read(lambda session: open_pepper(session, self._cipher, id))
            self._peppers[id] = found
        return found


def _long_ago(seen_at: float | None, suspend_after: float | None, now: float) -> bool:
    if seen_at is None or suspend_after is None:
        return False
    return seen_at + suspend_after <= now


def _concerned(known: _Known) -> tuple[uuid.UUID | None, ...]:
    """Ids of everything that makes this principal what it is."""
    principal = known.principal
    mine = (principal.api_key_id, principal.user_id, principal.organization_id)
    return (*mine, *known.ancestors)


def _believed(known: _Known, now: float) -> bool:
    """Others go on with a record while one of them reads it anew; never with a forgotten one."""
    return now - known.read_at < (STALE if known.rereading else FRESH)


def _texts(row: Row, before: Iterable[_Text]) -> tuple[_Text, ...]:
    verified = {text.hash: text.verified for text in before}
    texts = [_Text(row.hash, row.pepper_id, None, verified.get(row.hash))]
    if row.previous_hash is not None:
        old, until = row.previous_hash, row.previous_until.timestamp()
        texts.append(_Text(old, row.previous_pepper_id, until, verified.get(old)))
    return tuple(texts)
