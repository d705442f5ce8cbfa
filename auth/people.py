"""From a verified token to a principal: the person, as the newest of their tokens says."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from auth.ended import Ended
from auth.openid import Claims, TokenVerifier, Verified
from auth.principal import limits_that_are_any
from auth.reader import Reader
from db.keyset import Row
from db.queries.user import identity_of_subject
from domain.errors import Forbidden, Unauthenticated, Unavailable
from domain.limits import LimitOwner
from domain.principal import MemberRole, Principal, Role, Scope
from domain.signin import Seen, follow

ORGANIZATION_HEADER = "x-fairlead-organization"
"""Names, by slug, the one of the caller's organisations that they act for."""

_FRESH = 60.0
_STALE = 900.0
"""Seconds, as for API keys (auth/identity.py)."""
_MOST_KNOWN = 100_000


@dataclass(slots=True)
class _Person:
    user: Row
    memberships: list[Row]
    read_at: float

    def concerns(self, id: uuid.UUID) -> bool:
        return id == self.user.id or any(id == row.organization_id for row in self.memberships)


class People:
    """Who signs in with tokens; told by the configuration's listener what to forget."""

    def __init__(
        self, verifier: TokenVerifier, reader: Reader, ended: Ended, clock: Callable[[], float]
    ) -> None:
        self._verifier = verifier
        self._ended = ended
        self._reader = reader
        self._clock = clock
        self._known: dict[str, _Person] = {}
        self._told = 0

    async def principal(self, token: str, headers: Mapping[str, str]) -> Principal:
        """Raises Unauthenticated, Forbidden for an organisation not theirs, or Unavailable."""
        verified = await self._verifier.verify(token)
        if await self._ended.holds(verified.id):
            raise Unauthenticated("You signed out: sign in again.")
        person = await self._person(verified)
        if not person.user.enabled:
            raise Unauthenticated("This account is disabled.")
        return _principal(person, verified.claims, headers.get(ORGANIZATION_HEADER))

    async def end(self, token: str) -> None:
        """Refuse this token from now on. Raises as `principal` does for one that is not ours."""
        await self._ended.add((await self._verifier.verify(token)).id)

    def forget(self, kind: str, object_id: uuid.UUID | None) -> None:
        """A person, their settings or an organisation changed: read them anew on next use."""
        if kind in ("user", "settings", "organization"):
            self._told += 1
            for person in self._known.values():
                if object_id is None or person.concerns(object_id):
                    person.read_at = 0.0

    async def _person(self, verified: Verified) -> _Person:
        claims, now = verified.claims, self._clock()
        known = self._known.get(claims.subject)
        if known is not None and verified.followed and now - known.read_at < _FRESH:
            return known
        told = self._told
        try:
            if not verified.followed:
                await self._follow(claims)
                verified.followed = True
            issuer = self._verifier.rules.issuer
            found = await self._reader.read(
                partial(identity_of_subject, issuer=issuer, subject=claims.subject)
            )
        except Unavailable:
            if known is not None and now - known.read_at < _STALE:
                return known
            raise
        if found is None:
            raise Unauthenticated("This person is not known here.")
        if len(self._known) >= _MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
        person = _Person(*found, now if told == self._told else 0.0)
        self._known[claims.subject] = person
        return person

    async def _follow(self, claims: Claims) -> None:
        seen = Seen(
            issuer=self._verifier.rules.issuer,
            subject=claims.subject,
            name=claims.name,
            email=claims.email,
            role=Role.ADMIN if claims.is_admin else Role.USER,
            groups=claims.groups,
            issued_at=datetime.fromtimestamp(claims.issued_at, UTC),
        )
        await self._reader.write(partial(follow, seen=seen))


def _principal(person: _Person, claims: Claims, wanted: str | None) -> Principal:
    """Never more than this token says, nor than the newest one did."""
    membership, user = _membership(person, wanted), person.user
    limits = [(LimitOwner.USER, user.id, user.limits)]
    if membership is not None:
        limits.append((LimitOwner.ORGANIZATION, membership.organization_id, membership.limits))
    is_admin = claims.is_admin and person.user.role == Role.ADMIN
    return Principal(
        user_id=person.user.id,
        role=Role.ADMIN if is_admin else Role.USER,
        scopes=frozenset(Scope),
        organization_id=None if membership is None else membership.organization_id,
        organization_role=None if membership is None else MemberRole(membership.role),
        power_level=person.user.power_level,
        expires_at=claims.expires_at,
        # Only who names an organisation spends its money.
        paying_organization_id=None
        if membership is None or wanted is None
        else membership.organization_id,
        limits=limits_that_are_any(*limits),
    )


def _membership(person: _Person, wanted: str | None) -> Row | None:
    if wanted is None:
        return next(iter(person.memberships), None)
    for row in person.memberships:
        if row.slug == wanted:
            return row
    raise Forbidden("You are in no organization of this name.")
