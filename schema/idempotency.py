"""The key that makes a create safe to send again, and how its input is compared."""

from typing import Any, Protocol

import msgspec
import strawberry

from domain.idempotency import Keyed, keyed
from domain.ports import Cipher
from domain.secret import Secret
from schema.context import Info


def idempotency_key() -> Any:
    """The input field."""
    return strawberry.field(
        default=None,
        description="At most 255 characters, the caller's own. For 24 hours the same key with the"
        " same input answers with what the first call made, as it is now, and makes nothing; with"
        " another input it is a ConflictError.",
    )


class _Input(Protocol):
    idempotency_key: str | None


def key_of_input(info: Info, input: _Input) -> Keyed | None:
    """The key of `input`, if it has one. Raises InvalidInput."""
    if input.idempotency_key is None:
        return None
    keys = range(len(info.context.cipher.fingerprints(Secret(""))))
    asked = dict.fromkeys(operation_of(info, input, number) for number in keys)
    return keyed(info.context.caller.user_id, input.idempotency_key, *asked)


def operation_of(info: Info, input: object, number: int = 0) -> bytes:
    """What a mutation was asked for, to compare it; secrets as fingerprints.

    `number` is that of the master key they are of.
    """
    cipher = info.context.cipher
    return msgspec.json.encode(
        [info.field_name, input],
        enc_hook=lambda value: _plain(cipher, value, number),
        order="sorted",
    )


def _plain(cipher: Cipher, value: object, number: int) -> object:
    if isinstance(value, Secret):
        return cipher.fingerprints(value)[number]
    if isinstance(value, strawberry.Some):
        return {"value": value.value}
    raise TypeError(f"An input holds a {type(value).__name__}.")
