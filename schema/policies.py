"""Checks, when the schema is built, that every field has a policy and keeps what it returns."""

from collections.abc import Iterator, Sequence
from typing import Any

import strawberry
from strawberry.types.base import (
    StrawberryContainer,
    StrawberryObjectDefinition,
    get_object_definition,
)
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

from auth.policies import Policy
from domain.principal import Scope
from schema.fields import ACCESS, POLICY, Access

_STRICTNESS = {
    Policy.PUBLIC: 0,
    Policy.SIGNED_IN: 1,
    Policy.SELF: 1,
    Policy.ORG_MEMBER: 2,
    Policy.ORG_ADMIN: 3,
    Policy.ADMIN: 4,
}


class MissingPolicyError(TypeError):
    """The schema declares something that nobody decided who may see."""


def policy_of_type(definition: StrawberryObjectDefinition) -> Policy | None:
    """The policy an object type was declared with, None when it was declared without one."""
    if definition.type_var_map:
        inner = [_object_of(argument) for argument in definition.type_var_map.values()]
        found = [policy_of_type(each) for each in inner if each is not None]
        known = [policy for policy in found if policy is not None]
        return max(known, key=_STRICTNESS.__getitem__, default=None)
    declared: Policy | None = vars(definition.origin).get(POLICY)
    return declared


def policies_of(schema: strawberry.Schema) -> Iterator[tuple[str, Access | None]]:
    """Every object field as `Type.field`, and who may use it; None where nobody said."""
    for definition in _object_types(schema):
        of_type = policy_of_type(definition)
        for field in definition.fields:
            yield _name(schema, definition, field), _access(of_type, field)


def check_policies(schema: strawberry.Schema) -> None:
    """Raise `MissingPolicyError` unless each field has a policy as strict as what it returns."""
    problems = []
    for definition in _object_types(schema):
        of_type = policy_of_type(definition)
        for field in definition.fields:
            name, access = _name(schema, definition, field), _access(of_type, field)
            if access is None:
                problems.append(f"{name} has no policy")
                continue
            problems += [
                f"{name} is less strict than {inner.name}"
                for inner in _objects_of(field.type)
                if _strictness(policy_of_type(inner)) > _STRICTNESS[access.policy]
            ]
    if problems:
        raise MissingPolicyError("; ".join(sorted(problems)))


def _access(of_type: Policy | None, field: StrawberryField) -> Access | None:
    own: Access | None = field.metadata.get(ACCESS)
    if own is not None:
        return own
    return None if of_type is None else Access(of_type, Scope.READ)


def _strictness(policy: Policy | None) -> int:
    return 0 if policy is None else _STRICTNESS[policy]


def _name(
    schema: strawberry.Schema, definition: StrawberryObjectDefinition, field: StrawberryField
) -> str:
    names = schema.config.name_converter
    return f"{names.from_type(definition)}.{names.from_field(field)}"


def _object_types(schema: strawberry.Schema) -> Iterator[StrawberryObjectDefinition]:
    for entry in schema.schema_converter.type_map.values():
        found = entry.definition
        if isinstance(found, StrawberryObjectDefinition) and not _is_abstract(found):
            yield found


def _is_abstract(definition: StrawberryObjectDefinition) -> bool:
    return definition.is_input or definition.is_interface


def _objects_of(type_: Any) -> Sequence[StrawberryObjectDefinition]:
    """The object types a field's type may yield: itself, or the members of its union."""
    while isinstance(type_, StrawberryContainer):
        type_ = type_.of_type
    members = type_.types if isinstance(type_, StrawberryUnion) else (type_,)
    return [found for found in map(_object_of, members) if found is not None]


def _object_of(type_: Any) -> StrawberryObjectDefinition | None:
    while isinstance(type_, StrawberryContainer):
        type_ = type_.of_type
    if isinstance(type_, LazyType):
        type_ = type_.resolve_type()
    return get_object_definition(type_)
