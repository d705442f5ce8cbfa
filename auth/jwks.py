"""The identity provider's public keys: fetched once at a time, kept while it is away."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from domain.errors import Unauthenticated, Unavailable

COOL_DOWN = 30.0
"""Seconds between two fetches, whatever keys are asked for."""
REFRESH = 600.0
"""Seconds after which keys are fetched anew, behind the requests that use them."""
KEEP = 24 * 3600.0
"""Seconds for which the last good set goes on while the provider is away."""
_UNKNOWN_FOR = 300.0
_MOST_UNKNOWN = 1000
_MOST_KEYS = 100
_LEAST_RSA_BITS = 2048

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",)}
_EDWARDS = ("EdDSA", "Ed25519")

log = structlog.get_logger(__name__)


class Fetch(Protocol):
    async def __call__(self, url: str) -> bytes:
        """The body at `url`. Raises Unavailable for every other answer, and for none."""
        ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, and the only algorithms it may verify."""

    key: RSAKey | ECKey | OKPKey
    algorithms: tuple[str, ...]


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str
    end_session_endpoint: str | None = None


class ProviderKeys:
    """Answers with the key of an id. `discovery_url` tells where the set is."""

    def __init__(
        self,
        issuer: str,
        discovery_url: str,
        fetch: Fetch,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._discovery_url = discovery_url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str | None, SigningKey] = {}
        self._unknown: dict[str | None, float] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    def holds(self, kid: str | None) -> bool:
        """Whether the set still has this key, and is not too old; looks for newer keys at times."""
        found = self._find(kid)
        if found is not None:
            now = self._clock()
            if now - self._fetched_at > REFRESH and now - self._tried_at > COOL_DOWN:
                self._start()
        return found is not None

    async def key(self, kid: str | None) -> SigningKey:
        """The key of this id. Raises Unauthenticated, or Unavailable while nobody can tell."""
        now = self._clock()
        found = self._find(kid)
        if found is not None and self.holds(kid):
            return found
        looked = self._unknown.get(kid, 0.0) <= now and (
            self._fetching is not None or now - self._tried_at > COOL_DOWN
        )
        if looked:
            # The fetch goes on for the others when this caller leaves.
            await asyncio.shield(self._start())
            found = self._find(kid)
            if found is not None:
                return found
        if self._failed or not self._keys:
            raise Unavailable("The identity provider is away: try again soon.")
        # One that came too soon to look for may be new: it is looked for after the cool-down.
        if looked:
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[kid] = now + _UNKNOWN_FOR
        raise Unauthenticated("This token was signed with a key that its issuer does not have.")

    def _find(self, kid: str | None) -> SigningKey | None:
        return self._keys.get(kid) if self._clock() - self._fetched_at < KEEP else None

    def _start(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._refresh())
        return self._fetching

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            where = msgspec.json.decode(await self._fetch(self._discovery_url), type=_Discovery)
            if where.issuer != self._issuer:
                raise ValueError("the provider names another issuer")
            if _is_safer(self._discovery_url, where.jwks_uri):
                raise ValueError("the provider's configuration has https, and its keys have not")
            self._keys = _keys_in(await self._fetch(where.jwks_uri))
            self._fetched_at, self._failed = self._clock(), False
            for kid in self._keys:
                self._unknown.pop(kid, None)
        except (Unavailable, ValueError, msgspec.MsgspecError) as error:
            self._failed = True
            log.warning("the identity provider's keys cannot be had", error=str(error))
        finally:
            self._fetching = None


def _is_safer(one: str, other: str) -> bool:
    """Whether whoever is on the way could change the other alone."""
    return urlsplit(one).scheme == "https" and urlsplit(other).scheme != "https"


def _keys_in(body: bytes) -> dict[str | None, SigningKey]:
    """Keys by id; under None the only one, where there is only one. Raises ValueError."""
    document = msgspec.json.decode(body)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("the provider's key set is not one")
    found: dict[str | None, SigningKey] = {}
    for entry in listed[:_MOST_KEYS]:
        key = _signing_key(entry) if isinstance(entry, dict) else None
        if key is not None:
            kid = entry.get("kid")
            found[kid if isinstance(kid, str) else f"#{len(found)}"] = key
    if not found:
        raise ValueError("the provider's key set has no key to verify with")
    if len(found) == 1:
        found[None] = next(iter(found.values()))
    return found


def _signing_key(entry: dict[str, Any]) -> SigningKey | None:
    """A public signature key with its algorithms; None for every other kind of key."""
    if entry.get("use", "sig") != "sig":
        return None
    try:
        match entry.get("kty"):
            case "RSA":
                rsa = RSAKey.import_key(entry)
                if rsa.public_key.key_size < _LEAST_RSA_BITS:
                    return None
                return _limited(rsa, _RSA, entry)
            case "EC":
                curve = _CURVES.get(str(entry.get("crv")))
                return None if curve is None else _limited(ECKey.import_key(entry), curve, entry)
            case "OKP":
                if entry.get("crv") != "Ed25519":
                    return None
                return _limited(OKPKey.import_key(entry), _EDWARDS, entry)
    except (JoseError, ValueError, TypeError):
        return None
    return None


def _limited(
    key: RSAKey | ECKey | OKPKey, algorithms: tuple[str, ...], entry: dict[str, Any]
) -> SigningKey | None:
    stated = entry.get("alg")
    if stated is None:
        return SigningKey(key, algorithms)
    return SigningKey(key, (stated,)) if stated in algorithms else None
