"""A create that is sent twice happens once: its key leads to what it made, for a day."""

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

from db.queries import idempotency as queries
from db.session import AsyncSession
from domain import checks
from domain.errors import Conflict

Made = TypeVar("Made")

_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Keyed:
    """A caller's key; `input_hash` is SHA-256 of the operation and its input.

    `earlier` are those that the same input had under master keys that sealed before.
    """

    user_id: uuid.UUID
    key_hash: bytes
    input_hash: bytes
    earlier: frozenset[bytes] = frozenset()


def keyed(user_id: uuid.UUID, key: str, operation: bytes, *earlier: bytes) -> Keyed:
    """`operation` is its name and input, secrets as fingerprints; `earlier` the same with others.

    Raises InvalidInput.
    """
    checks.token("idempotencyKey", key, _LONGEST_KEY)
    used, asked, *before = (
        hashlib.sha256(part).digest() for part in (key.encode(), operation, *earlier)
    )
    return Keyed(user_id, used, asked, frozenset(before))


async def once(
    session: AsyncSession,
    keyed: Keyed | None,
    make: Callable[[], Awaitable[Made]],
    again: Callable[[uuid.UUID], Awaitable[Made | None]],
    *,
    id_of: Callable[[Made], uuid.UUID] = attrgetter("id"),
) -> tuple[Made, bool]:
    """What `make` makes, and True; or with a key that was used what it made then, and False.

    A call that failed left nothing behind, its key included. Raises Conflict for a key that was
    used for something else, and when what it made is gone.
    """
    if keyed is None:
        return await make(), True
    used = await queries.claim(session, keyed.user_id, keyed.key_hash, keyed.input_hash)
    if used is None:
        made = await make()
        await queries.keep(session, keyed.user_id, keyed.key_hash, id_of(made))
        return made, True
    if used.input_hash not in {keyed.input_hash, *keyed.earlier}:
        raise Conflict("This idempotency key was used for another input.")
    found = await again(used.object_id)
    if found is None:
        raise Conflict("What was made under this idempotency key is gone.")
    return found, False
