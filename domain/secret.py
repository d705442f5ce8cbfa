"""A plaintext secret that cannot be printed, pickled or serialised by accident."""

from typing import NoReturn


class Secret:
    """Holds a secret; `reveal()` is called only where it is put to use."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not pickled.")


MASKABLE = 20
"""Shorter secrets are not shown in part: a mask would give too much away."""


def mask(secret: Secret) -> str:
    """The first 3 and last 4 characters of a secret of 20 or more, else only dots."""
    value = secret.reveal()
    return f"{value[:3]}…{value[-4:]}" if len(value) >= MASKABLE else "…"
