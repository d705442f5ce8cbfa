"""Bearer tokens of an OpenID provider: whether one is genuine, ours and an access token."""

import hashlib
import math
import time
import uuid
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from auth.ended import end_id
from auth.jwks import ProviderKeys
from domain.errors import Unauthenticated

LEEWAY = 30.0
"""Seconds that the provider's clock and ours may differ."""
_LONGEST = 16 * 1024
_MOST_VERIFIED = 20_000
_MOST_GROUPS = 200
_LONGEST_SUBJECT = 255

_HEADER_TYPES = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})
_FORBIDDEN_HEADERS = frozenset({"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"})
_REFUSED = "This token is not valid here."


@dataclass(frozen=True, slots=True)
class OpenIdRules:
    """What the operator set: whose tokens, for whom, and what their claims mean.

    `roles`: `realm` and `client` are Keycloak's places, anything else a claim's name. `user_role`
    None: everybody with a token may use Fairlead. `organization_prefix` None: groups mean nothing.
    """

    issuer: str
    audience: str
    client_id: str
    roles: str = "realm"
    admin_role: str = "fairlead-admin"
    user_role: str | None = None
    groups: str = "groups"
    organization_prefix: str | None = None
    organization_admins: str = "/admins"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Moments in Unix seconds.

    `groups`: names of organisations' groups, and whether the person governs there.
    """

    subject: str
    name: str
    email: str | None
    is_admin: bool
    groups: Mapping[str, bool]
    issued_at: float
    expires_at: float


@dataclass(slots=True)
class Verified:
    """A token's claims. `followed`: its person and memberships have been brought up to it.

    `id`: by what it is known when it ends before its time.
    """

    id: uuid.UUID
    claims: Claims
    kid: str | None
    followed: bool = False


class TokenVerifier:
    """Remembers what it verified, by the whole token's hash, as long as its key is in the set."""

    def __init__(
        self, rules: OpenIdRules, keys: ProviderKeys, clock: Callable[[], float] = time.time
    ) -> None:
        self.rules = rules
        self._keys = keys
        self._clock = clock
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()

    async def verify(self, token: str) -> Verified:
        """Raises Unauthenticated, or Unavailable while the provider's keys cannot be had."""
        if len(token) > _LONGEST or token.count(".") != 2 or not token.isascii():
            raise Unauthenticated(_REFUSED)
        digest = hashlib.sha256(token.encode()).digest()
        found = self._verified.get(digest)
        if found is None or not self._keys.holds(found.kid):
            found = await self._checked(token)
            self._verified[digest] = found
            if len(self._verified) > _MOST_VERIFIED:
                self._verified.popitem(last=False)
        if found.claims.expires_at + LEEWAY <= self._clock():
            self._verified.pop(digest, None)
            raise Unauthenticated("This token has expired: sign in again.")
        return found

    async def _checked(self, token: str) -> Verified:
        header = _header_of(token)
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise Unauthenticated(_REFUSED)
        key = await self._keys.key(kid)
        if header.get("alg") not in key.algorithms:
            raise Unauthenticated(_REFUSED)
        # What a header may not hold was refused above; providers add plain ones of their own.
        registry = JWSRegistry(algorithms=key.algorithms, strict_check_header=False)
        try:
            decoded = jwt.decode(token, key.key, registry=registry)
        except (JoseError, ValueError, TypeError, KeyError):
            raise Unauthenticated(_REFUSED) from None
        claims = claims_of(decoded.claims, header, self.rules, self._clock())
        # Not of the signature, which can be written in more ways than one.
        return Verified(end_id(token.rpartition(".")[0]), claims, kid)


def _header_of(token: str) -> dict[str, Any]:
    head = token.partition(".")[0]
    try:
        header = msgspec.json.decode(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, msgspec.MsgspecError):
        raise Unauthenticated(_REFUSED) from None
    if not isinstance(header, dict) or _FORBIDDEN_HEADERS & header.keys():
        raise Unauthenticated(_REFUSED)
    kind = header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _HEADER_TYPES:
        raise Unauthenticated(_REFUSED)
    return header


def claims_of(
    claims: Mapping[str, Any], header: Mapping[str, Any], rules: OpenIdRules, now: float
) -> Claims:
    """What the claims of a genuine token say. Raises Unauthenticated unless they are for us."""
    issued_at, expires_at = _moment(claims, "iat"), _moment(claims, "exp")
    not_before = _moment(claims, "nbf") if "nbf" in claims else issued_at
    subject, audience = claims.get("sub"), claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if (
        claims.get("iss") != rules.issuer
        or not isinstance(audiences, list)
        or rules.audience not in audiences
        or not isinstance(subject, str)
        or not 0 < len(subject) <= _LONGEST_SUBJECT
        or not subject.isprintable()
        or max(issued_at, not_before) > now + LEEWAY
        or not _is_access_token(claims, header)
    ):
        raise Unauthenticated(_REFUSED)
    roles = _roles(claims, rules)
    if rules.user_role is not None and not roles & {rules.user_role, rules.admin_role}:
        raise Unauthenticated("Your account has no role in Fairlead: ask its administrator.")
    return Claims(
        subject=subject,
        name=_name(claims, subject),
        email=_text(claims, "email", 254),
        is_admin=rules.admin_role in roles,
        groups=_organizations(claims, rules),
        issued_at=issued_at,
        expires_at=expires_at,
    )


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unauthenticated(_REFUSED)
    if not 0 < value < 2**40:
        raise Unauthenticated(_REFUSED)
    return float(value)


def _is_access_token(claims: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    """Not an ID, refresh or logout token, and not bound to a key that nobody checks here."""
    if "cnf" in claims:
        return False
    kind = claims.get("typ")
    if kind is not None:
        return bool(kind == "Bearer")
    if str(header.get("typ", "")).lower().endswith("at+jwt"):
        return True
    scoped = isinstance(claims.get("scope", claims.get("scp")), str | list)
    return scoped and not {"nonce", "at_hash", "c_hash", "events"} & claims.keys()


def _roles(claims: Mapping[str, Any], rules: OpenIdRules) -> set[str]:
    match rules.roles:
        case "realm":
            found = _inside(claims, "realm_access", "roles")
        case "client":
            found = _inside(claims, "resource_access", rules.client_id, "roles")
        case name:
            found = claims.get(name)
    return set(_strings(found))


def _inside(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _organizations(claims: Mapping[str, Any], rules: OpenIdRules) -> dict[str, bool]:
    """Groups below the prefix by their first name; those that end as the rule says govern."""
    prefix = rules.organization_prefix
    if prefix is None:
        return {}
    found: dict[str, bool] = {}
    for group in _strings(claims.get(rules.groups)):
        if not group.startswith(prefix) or not group.isprintable() or len(group) > 200:
            continue
        name, _, rest = group.removeprefix(prefix).partition("/")
        if name and len(found) < _MOST_GROUPS:
            governs = f"/{rest}" == f"/{rules.organization_admins.strip('/')}"
            found[prefix + name] = found.get(prefix + name, False) or governs
    return found


def _name(claims: Mapping[str, Any], subject: str) -> str:
    for claim in ("name", "preferred_username", "email"):
        found = _text(claims, claim, 100)
        if found is not None:
            return found
    return subject[:100]


def _text(claims: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = claims.get(name)
    if not isinstance(value, str):
        return None
    text = "".join(each for each in value if each.isprintable()).strip()[:longest]
    return text or None
