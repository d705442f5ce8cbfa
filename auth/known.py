"""What is remembered of API keys, and for how long it is believed."""

import hmac
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from db.keyset import Row
from domain.principal import Principal

FRESH = 60.0
"""Seconds for which a record is believed without asking; changes are told at once (`forget`)."""
STALE = 900.0
"""Seconds for which a record is believed while the database is away."""
_MOST_KNOWN = 100_000


@dataclass(slots=True)
class Text:
    """What is stored of a key's text; `until` in Unix seconds when another has taken its place.

    `verified` is the SHA-256 of the text that was seen to match.
    """

    hash: bytes
    pepper_id: uuid.UUID
    until: float | None = None
    verified: bytes | None = None


@dataclass(slots=True)
class Known:
    """One key as it was read at `read_at`; 0 when something about it has changed since."""

    texts: tuple[Text, ...]
    revoked: bool
    principal: Principal
    ancestors: frozenset[uuid.UUID]
    read_at: float
    seen_at: float | None = None
    rereading: bool = False

    def is_believed(self, now: float) -> bool:
        """Others go on with it while one of them reads it anew; never with a forgotten one."""
        return now - self.read_at < (STALE if self.rereading else FRESH)

    def running(self, now: float) -> list[Text]:
        return [text for text in self.texts if text.until is None or text.until > now]

    def recognised(self, digest: bytes, now: float) -> Text | None:
        """Which running text was seen to match before, by its digest."""
        for text in self.texts:
            if (
                text.verified is not None
                and (text.until is None or text.until > now)
                and hmac.compare_digest(text.verified, digest)
            ):
                return text
        return None

    def concerns(self, object_id: uuid.UUID) -> bool:
        """Whether it is among what makes this principal what it is."""
        principal = self.principal
        mine = (principal.api_key_id, principal.user_id, principal.organization_id)
        return object_id in mine or object_id in self.ancestors


class Memory:
    """Keys by their public id, and by the digests of their verified texts."""

    def __init__(self) -> None:
        self._by_id: dict[str, Known] = {}
        self._by_digest: dict[bytes, str] = {}

    def __iter__(self) -> Iterator[tuple[str, Known]]:
        return iter(self._by_id.items())

    def get(self, public_id: str) -> Known | None:
        return self._by_id.get(public_id)

    def by_heart(self, digest: bytes, now: float) -> Known | None:
        """The key of a text that was verified, while its record is believed and it runs."""
        public_id = self._by_digest.get(digest)
        known = None if public_id is None else self._by_id.get(public_id)
        if known is None or not known.is_believed(now) or known.recognised(digest, now) is None:
            return None
        return known

    def put(self, public_id: str, known: Known) -> None:
        """In the place of what was known of it, and of the oldest where there is too much."""
        self.drop(public_id)
        if len(self._by_id) >= _MOST_KNOWN:
            self.drop(next(iter(self._by_id)))
        self._by_id[public_id] = known
        for text in known.texts:
            if text.verified is not None:
                self._by_digest[text.verified] = public_id

    def verified(self, public_id: str, text: Text, digest: bytes) -> None:
        """A text of a key was seen to match."""
        text.verified = digest
        known = self._by_id.get(public_id)
        if known is not None and any(text is one for one in known.texts):
            self._by_digest[digest] = public_id

    def drop(self, public_id: str) -> None:
        known = self._by_id.pop(public_id, None)
        for text in () if known is None else known.texts:
            if text.verified is not None:
                self._by_digest.pop(text.verified, None)


def texts_of(row: Row, before: Iterable[Text]) -> tuple[Text, ...]:
    """Of a key's row; what was verified `before` needs no verifying."""
    verified = {text.hash: text.verified for text in before}
    texts = [Text(row.hash, row.pepper_id, None, verified.get(row.hash))]
    if row.previous_hash is not None:
        old, until = row.previous_hash, row.previous_until.timestamp()
        texts.append(Text(old, row.previous_pepper_id, until, verified.get(old)))
    return tuple(texts)
