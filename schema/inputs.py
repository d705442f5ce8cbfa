"""Partial updates: what a client named, apart from what it left out."""

from typing import Any


def given(input: object, *names: str) -> dict[str, Any]:
    """The values of those `strawberry.Maybe` fields that were given, null included."""
    found = ((name, getattr(input, name)) for name in names)
    return {name: some.value for name, some in found if some is not None}
