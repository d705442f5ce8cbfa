"""What each field counts for in an operation's cost, read from the schema once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_introspection_type,
)

from schema.fields import SIZE, WEIGHT

INTROSPECTION_ROOTS = {"__schema": "__Schema", "__type": "__Type"}

_MUTATION = 10
_PAGING = ("first", "last")
_INTROSPECTION_SIZES = {
    "directives": 10,
    "locations": 5,
    "fields": 10,
    "args": 3,
    "inputFields": 6,
    "interfaces": 2,
    "possibleTypes": 5,
    "enumValues": 8,
}


@dataclass(frozen=True, slots=True)
class FieldCost:
    """The static half of a field's cost. `type` names what its selections apply to."""

    type: str | None
    is_list: bool
    size: int | None
    weight: int
    paging: Mapping[str, Any]
    lists: tuple[str, ...]

    @property
    def varies(self) -> bool:
        """Whether its children may count more than once without an argument in the document."""
        return self.size is not None or bool(self.paging)


class MissingSizeError(TypeError):
    """The schema declares a list of which nobody said how long it can be."""


def check_sizes(schema: GraphQLSchema) -> None:
    """Raise MissingSizeError unless each list has a bound when no argument gives one."""
    problems = [
        f"{type_}.{name}"
        for type_, fields in static_costs(schema).items()
        for name, field in fields.items()
        if (field.is_list or field.paging) and not _bounded(field) and not type_.startswith("__")
    ]
    if problems:
        raise MissingSizeError(f"Lists without a declared size: {', '.join(sorted(problems))}")


def _bounded(field: FieldCost) -> bool:
    has_default = any(isinstance(default, int) for default in field.paging.values())
    return field.size is not None or has_default or bool(field.lists and not field.paging)


def static_costs(schema: GraphQLSchema) -> dict[str, dict[str, FieldCost]]:
    """The counts of every field, by type and name; unknown ones are simply not there."""
    sizes = _INTROSPECTION_SIZES | {"types": len(schema.type_map)}
    mutation = schema.mutation_type.name if schema.mutation_type else None
    fields: dict[str, dict[str, FieldCost]] = {}
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            extra = _MUTATION if name == mutation else 0
            known = sizes if is_introspection_type(type_) else {}
            fields[name] = {
                each: _static(definition, known.get(each), extra)
                for each, definition in type_.fields.items()
            }
    if schema.query_type is not None:
        for name, type_name in INTROSPECTION_ROOTS.items():
            root = FieldCost(type_name, False, None, 1, {}, ())
            fields[schema.query_type.name][name] = root
    return fields


def _static(definition: GraphQLField, size: int | None, extra: int) -> FieldCost:
    declared = definition.extensions.get("strawberry-definition")
    metadata = {} if declared is None else declared.metadata
    named = get_named_type(definition.type)
    composite = is_composite_type(named)
    arguments = definition.args.items()
    return FieldCost(
        type=named.name if composite else None,
        is_list=isinstance(get_nullable_type(definition.type), GraphQLList),
        size=metadata.get(SIZE, size),
        weight=metadata.get(WEIGHT, 0) + extra + (1 if composite else 0),
        paging={
            name: None if (default := each.default_value) is Undefined else default
            for name, each in arguments
            if name in _PAGING
        },
        lists=tuple(
            name
            for name, each in arguments
            if isinstance(get_nullable_type(each.type), GraphQLList)
        ),
    )
