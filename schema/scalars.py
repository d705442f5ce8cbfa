"""The scalars beyond GraphQL's own, exact to the last digit."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import NewType, NoReturn

import strawberry
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from domain.pricing import usd_text
from domain.secret import Secret

__all__ = ["JSON", "SCALARS", "USD", "BigInt", "usd_text"]

USD = NewType("USD", int)
"""An amount in nano-USD; on the wire a decimal string in dollars."""

BigInt = NewType("BigInt", int)

_NANO = 9
_DOLLARS = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_SAFE = 2**63


def parse_usd(value: object) -> USD:
    """A decimal string in dollars, at most 9 places, as nano-USD. Raises ValueError."""
    if not isinstance(value, str) or not _DOLLARS.fullmatch(value):
        raise ValueError('USD is a decimal string with at most 9 places, for example "0.25".')
    return USD(int(Decimal(value).scaleb(_NANO)))


def _parse_big_int(value: object) -> BigInt:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _INTEGER.fullmatch(text) or abs(int(text)) >= _SAFE:
        raise ValueError("BigInt is an integer of at most 63 bits, as a number or a string.")
    return BigInt(int(text))


def _parse_secret(value: object) -> Secret:
    if not isinstance(value, str):
        raise ValueError("A secret is a string.")
    return Secret(value)


def _never_shown(value: object) -> NoReturn:
    raise TypeError("A secret is never an output.")


def _time_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse_time(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("DateTime is an ISO 8601 string.")
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("DateTime needs an offset, for example 2026-01-31T12:00:00Z.")
    return parsed.astimezone(UTC)


SCALARS: dict[object, ScalarDefinition] = {
    USD: strawberry.scalar(
        name="USD",
        description=(
            "US dollars as a decimal string, exact to a billionth; never a floating-point number."
        ),
        serialize=usd_text,
        parse_value=parse_usd,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="An integer that may pass 32 bits, as a JSON number.",
        serialize=int,
        parse_value=_parse_big_int,
    ),
    Secret: strawberry.scalar(
        name="Secret",
        description="A secret text: taken, never given. Pass it as a variable.",
        serialize=_never_shown,
        parse_value=_parse_secret,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, ISO 8601: `2026-01-31T12:00:00Z`. Input needs an offset.",
        serialize=_time_text,
        parse_value=_parse_time,
    ),
}
