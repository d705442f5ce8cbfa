"""Executes plain attributes without ceremony: what is read and is a leaf is there at once.

Everything else, and every plain attribute whose value is not what its type says, is left to
Strawberry's own executor, so that data and errors are the same.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, is_leaf_type, is_non_null_type
from graphql.pyutils import is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

Fields: TypeAlias = Mapping[str, "Leaf"]

_UNREAD = object()


class Leaf(NamedTuple):
    """A plain attribute: its name in Python, and how its values are shown."""

    name: str
    show: Callable[[Any], Any]
    nullable: bool

    def read(self, source: Any) -> Any:
        """The value as it is answered; `_UNREAD` when something is the matter with it."""
        try:
            value = getattr(source, self.name)
            shown = None if value is None else self.show(value)
        except Exception:
            return _UNREAD
        return _UNREAD if shown is None and not (value is None and self.nullable) else shown


def leaves_of(schema: GraphQLSchema) -> dict[str, Fields]:
    """The plain attributes of every object type, by their names."""
    return {
        name: {
            field_name: leaf
            for field_name, field in type_.fields.items()
            if (leaf := _leaf(field)) is not None
        }
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
    }


def _leaf(field: GraphQLField) -> Leaf | None:
    declared = (field.extensions or {}).get("strawberry-definition")
    required = is_non_null_type(field.type)
    type_: Any = field.type.of_type if is_non_null_type(field.type) else field.type
    if declared is None or not declared.is_basic_field or not is_leaf_type(type_):
        return None
    return Leaf(declared.python_name, type_.coerce_output_value, not required)


def executor_for(schema: GraphQLSchema) -> type[StrawberryGraphQLCoreExecutionContext]:
    """An executor that knows the plain attributes of `schema`."""
    known = leaves_of(schema)

    class PlainExecutor(StrawberryGraphQLCoreExecutionContext):
        def execute_fields(
            self,
            parent_type: GraphQLObjectType,
            source_value: Any,
            path: Any,
            grouped_field_set: Any,
            position_context: Any,
        ) -> Any:
            leaves = known.get(parent_type.name) or {}
            results: dict[str, Any] = {}
            rest: dict[str, Any] = {}
            for name, details in grouped_field_set.items():
                leaf = leaves.get(details[0].node.name.value)
                found = _UNREAD if leaf is None else leaf.read(source_value)
                if found is _UNREAD:
                    # The place is kept: answers come in the order they were asked for.
                    rest[name], results[name] = details, None
                else:
                    results[name] = found
            if not rest:
                return results
            others = super().execute_fields(parent_type, source_value, path, rest, position_context)
            return _merged(results, others)

    return PlainExecutor


def _merged(results: dict[str, Any], others: Any) -> Any:
    if is_awaitable(others):
        return _merged_later(results, others)
    results.update(others)
    return results


async def _merged_later(results: dict[str, Any], others: Awaitable[Any]) -> dict[str, Any]:
    results.update(await others)
    return results
