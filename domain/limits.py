"""What a key, a person or an organisation may use at most."""

import uuid
from enum import StrEnum
from typing import Any

import msgspec

from domain.errors import InvalidInput

MOST = 1_000_000_000 * 1_000_000_000
"""Nano-USD."""


class LimitOwner(StrEnum):
    """Whose limit it is."""

    API_KEY = "API_KEY"
    USER = "USER"
    ORGANIZATION = "ORGANIZATION"


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """None: no limit. Spend and cost in nano-USD, days and months in UTC; rates by the minute.

    Kept as JSON in the column `limits` of keys, people and organisations.
    """

    spend_per_day: int | None = None
    spend_per_month: int | None = None
    max_cost: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None


UNLIMITED = Limits()


class Limited(msgspec.Struct, frozen=True):
    """Limits that somebody has. Each request is within those of its key, person, organisation."""

    kind: LimitOwner
    id: uuid.UUID
    limits: Limits


def limits_of(kept: dict[str, Any] | None) -> Limits:
    """The column's value. What a later version wrote beside is left alone."""
    return msgspec.convert(kept or {}, Limits)


def kept_of(limits: Limits) -> dict[str, Any]:
    """The reverse."""
    kept: dict[str, Any] = msgspec.to_builtins(limits)
    return kept


def camel(name: str) -> str:
    """`spend_per_day` as clients write it."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def checked(limits: Limits) -> Limits:
    """Raises InvalidInput, naming the field."""
    for name, value in msgspec.structs.asdict(limits).items():
        if value is not None and not 0 <= value <= MOST:
            raise InvalidInput(f"limits.{camel(name)}", "Not below 0; leave it out for no limit.")
    return limits


def within(limits: Limits, creators: Limits) -> Limits:
    """Those of a child key: none above, and none left out of, its creator's."""
    for name, most in msgspec.structs.asdict(creators).items():
        value = getattr(limits, name)
        if most is not None and (value is None or value > most):
            raise InvalidInput(f"limits.{camel(name)}", "Stay within the limit that you have.")
    return limits
