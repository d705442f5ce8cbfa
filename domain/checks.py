"""Checks of single values that a person typed; each raises InvalidInput naming the field."""

import re

from domain.errors import InvalidInput

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Characters by which a name reads backwards, and what stands behind it too."""


LONGEST_TOKEN = 200


def slug(field: str, value: str) -> str:
    """1-40 of a-z, 0-9 and inner hyphens."""
    if not _SLUG.fullmatch(value):
        raise InvalidInput(field, "Use 1-40 of a-z, 0-9 and -, not at either end.")
    return value


def line(field: str, value: str, longest: int = 100) -> str:
    """A line of text with something to see in it, without control characters, trimmed."""
    text = value.strip()
    if not text or len(text) > longest or _UNPRINTABLE.search(text):
        raise InvalidInput(field, f"Use 1-{longest} characters on one line.")
    if _TURNING.search(text):
        raise InvalidInput(field, "Leave out characters that turn the direction of text around.")
    if not any(each.isprintable() for each in text):
        raise InvalidInput(field, "Use characters that can be seen.")
    return text


def token(field: str, value: str, longest: int = LONGEST_TOKEN) -> str:
    """Text without any white space."""
    if not value or len(value) > longest or not value.isprintable() or " " in value:
        raise InvalidInput(field, f"Use 1-{longest} printable characters without spaces.")
    return value


def between(field: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise InvalidInput(field, f"Use a number from {least} to {most}.")
    return value
