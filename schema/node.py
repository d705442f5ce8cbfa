"""Objects with a global id: opaque outside, type name and key inside."""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode

import strawberry

from domain.errors import NotFound


@strawberry.interface(description="An object that `node(id)` finds again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique in this installation.")


def global_id(type_name: str, key: uuid.UUID) -> strawberry.ID:
    return strawberry.ID(urlsafe_b64encode(type_name.encode() + b":" + key.bytes).decode())


def parse_id(id: str) -> tuple[str, uuid.UUID] | None:
    """Type name and key; None for anything that is not one of our ids."""
    try:
        name, _, key = urlsafe_b64decode(id.encode("ascii", "strict")).partition(b":")
        return name.decode(), uuid.UUID(bytes=key)
    except ValueError:
        return None


def key_of(type_name: str, id: str) -> uuid.UUID:
    """The key in an id of this type. Raises NotFound, as for an object that is not there."""
    parsed = parse_id(id)
    if parsed is None or parsed[0] != type_name:
        raise NotFound(f"There is no such {type_name.lower()}.")
    return parsed[1]
