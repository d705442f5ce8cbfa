"""Who is calling, once known."""

import time
import uuid
from dataclasses import dataclass
from enum import StrEnum

from domain.limits import UNLIMITED, Limited, Limits


class Role(StrEnum):
    """A person's role in the installation."""

    USER = "USER"
    ADMIN = "ADMIN"


class MemberRole(StrEnum):
    """A person's role in an organisation."""

    MEMBER = "MEMBER"
    ADMIN = "ADMIN"


class Scope(StrEnum):
    """What a credential may be used for; a person signed in has all of them."""

    INFERENCE = "INFERENCE"
    READ = "READ"
    MANAGE = "MANAGE"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: the person, in which organisation, by which key, until when.

    `allowed_models` holds model references or aliases, None for any. `expires_at` is in Unix
    seconds, None for never. `power_level` is the person's own setting, None for the default.
    `cache_seconds`: how long exact repeats are answered from the cache, None for never.
    `limits` are all that have any: of the key, the person, the organisation.
    """

    user_id: uuid.UUID
    role: Role
    scopes: frozenset[Scope]
    organization_id: uuid.UUID | None = None
    organization_role: MemberRole | None = None
    api_key_id: uuid.UUID | None = None
    allowed_models: frozenset[str] | None = None
    power_level: str | None = None
    expires_at: float | None = None
    paying_organization_id: uuid.UUID | None = None
    limits: tuple[Limited, ...] = ()
    cache_seconds: int | None = None

    @property
    def key_limits(self) -> Limits:
        """Of the key they signed in with."""
        mine = (each.limits for each in self.limits if each.id == self.api_key_id)
        return next(mine, UNLIMITED)

    @property
    def payer_id(self) -> uuid.UUID:
        """Whose wallet pays: the organisation's when the key belongs to one, else the person's."""
        return self.paying_organization_id or self.user_id

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


def has_ended(caller: Principal) -> bool:
    """Whether what they signed in with has expired meanwhile."""
    return caller.expires_at is not None and caller.expires_at <= time.time()
