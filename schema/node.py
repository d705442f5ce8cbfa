"""Objects with a global id: opaque outside, type name and key inside."""

import asyncio
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Sequence
from typing import Any, Self

import strawberry
from strawberry.types.base import StrawberryObjectDefinition

from auth.policies import allows
from domain import globalid
from domain.errors import NotFound
from domain.principal import Scope
from schema.context import Context, Info
from schema.policies import policy_of_type

NOBODY = uuid.UUID(int=0)
"""A key that no object has."""


@strawberry.interface(description="An object that `node(id)` finds again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique in this installation.")

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        """The objects with these keys in their order; None: not there, or not the caller's."""
        raise NotImplementedError


def load_node(info: Info, type_name: str, key: uuid.UUID) -> Awaitable[Any]:
    """The object of this type and key, batched; for edges whose types import each other."""
    definition = info.schema.get_type_by_name(type_name)
    if not isinstance(definition, StrawberryObjectDefinition):
        raise LookupError(type_name)
    return info.context.load(definition.origin.fetch, key)


def find_node(info: Info, id: str) -> Awaitable[Node | None]:
    """The object with this id; None alike for an unknown id and for one of somebody else's."""
    parsed = parse_id(id)
    definition = None if parsed is None else info.schema.get_type_by_name(parsed[0])
    if parsed is None or not isinstance(definition, StrawberryObjectDefinition):
        return _nothing()
    policy = policy_of_type(definition)
    is_node = issubclass(definition.origin, Node) and definition.origin is not Node
    if not is_node or policy is None or not allows(policy, Scope.READ, info.context.principal):
        return _nothing()
    return info.context.load(definition.origin.fetch, parsed[1])


def _nothing() -> Awaitable[None]:
    nothing = asyncio.get_running_loop().create_future()
    nothing.set_result(None)
    return nothing


def global_id(type_name: str, key: uuid.UUID) -> strawberry.ID:
    return strawberry.ID(globalid.global_id(type_name, key))


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


def key_or_nobody(type_name: str, id: str) -> uuid.UUID:
    """The key in an id of this type; NOBODY for anything else, so that a filter finds nothing."""
    parsed = parse_id(id)
    return parsed[1] if parsed is not None and parsed[0] == type_name else NOBODY
