"""Executes plain attributes and lists of objects without ceremony.

What is read and is a leaf is there at once, and lists are answered column by column. Everything
else, and every value that is not what its type says, is left to Strawberry's own executor, so that
data and errors are the same.
"""

from collections.abc import Awaitable, Iterable
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, is_non_null_type
from graphql.pyutils import Path, is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from fairlead.graphql.columns import Edge, Known, Plan, answered, known_fields
from fairlead.graphql.leaves import UNREAD, Leaf

_TYPENAME = "__typename"


def fields_of(schema: GraphQLSchema) -> dict[str, Known]:
    """The fields of every object type that need no ceremony, by their names."""
    return {
        name: known_fields(type_)
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
    }


def executor_for(schema: GraphQLSchema) -> type[StrawberryGraphQLCoreExecutionContext]:
    """An executor that knows the plain fields of `schema`."""
    known = fields_of(schema)

    class PlainExecutor(_PlainExecutor):
        fields = known

    return PlainExecutor


class _PlainExecutor(StrawberryGraphQLCoreExecutionContext):
    fields: dict[str, Known]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[tuple[str, int], Plan | None] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        known = self.fields.get(parent_type.name) or {}
        results: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, details in grouped_field_set.items():
            leaf = known.get(details[0].node.name.value)
            found = leaf.read(source_value) if isinstance(leaf, Leaf) else UNREAD
            if found is UNREAD:
                # The place is kept: answers come in the order they were asked for.
                rest[name], results[name] = details, None
            else:
                results[name] = found
        if not rest:
            return results
        others = super().execute_fields(parent_type, source_value, path, rest, position_context)
        return _merged(results, others)

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        def by_the_book() -> Any:
            return super(_PlainExecutor, self).complete_iterable_value(
                item_type, field_details_list, info, path, items, position_context
            )

        required = is_non_null_type(item_type)
        type_ = item_type.of_type if required else item_type
        if position_context is not None or self.abort_signal is not None:
            return by_the_book()
        if not isinstance(items, list) or not isinstance(type_, GraphQLObjectType):
            return by_the_book()
        plan = None if _is_directed(field_details_list) else self._plan(type_, field_details_list)
        if plan is None:
            return by_the_book()
        try:
            found = answered(plan, items, required, path, self._info)
        except Exception:
            return by_the_book()
        return _or_by_the_book(found, by_the_book) if is_awaitable(found) else found

    def _info(
        self, field: GraphQLField, details: Any, parent_type: GraphQLObjectType, path: Path
    ) -> Any:
        nodes = [each.node for each in details]
        raw = self.build_resolve_info(field, nodes, parent_type, path)
        schema: Any = self.schema
        declared = field.extensions["strawberry-definition"]
        return schema._strawberry_schema.config.info_class(_raw_info=raw, _field=declared)

    def _plan(self, type_: GraphQLObjectType, field_details_list: Any) -> Plan | None:
        """How a selection is answered column by column; None when it cannot be."""
        key = (type_.name, id(field_details_list))
        if key not in self._plans:
            self._plans[key] = self._made(type_, field_details_list)
        return self._plans[key]

    def _made(self, type_: GraphQLObjectType, field_details_list: Any) -> Plan | None:
        selected, deferred, _ = self.collect_subfields(type_, field_details_list)
        declared = type_.extensions.get("strawberry-definition")
        if deferred or declared is None or declared.is_type_of is not None:
            return None
        plan = Plan(type_, declared.origin if type_.is_type_of else None)
        fields = self.fields.get(type_.name) or {}
        for key, details in selected.items():
            name = details[0].node.name.value
            plan.template[key] = type_.name if name == _TYPENAME else None
            known = fields.get(name)
            if isinstance(known, Leaf):
                plan.leaves.append((key, known))
            elif isinstance(known, Edge) and not _is_directed(details):
                below = None
                if known.shape.type is not None:
                    below = self._plan(known.shape.type, details)
                    if below is None:
                        return None
                plan.edges.append((key, known, details, below))
            elif name != _TYPENAME:
                return None
        return plan


def _is_directed(field_details_list: Any) -> bool:
    """Whether a list may be streamed; other directives have done their work by now."""
    return any(
        directive.name.value == "stream"
        for each in field_details_list
        for directive in each.node.directives or ()
    )


async def _or_by_the_book(found: Awaitable[Any], by_the_book: Any) -> Any:
    try:
        return await found
    except Exception:
        answer = by_the_book()
    return await answer if is_awaitable(answer) else answer


def _merged(results: dict[str, Any], others: Any) -> Any:
    if is_awaitable(others):
        return _merged_later(results, others)
    results.update(others)
    return results


async def _merged_later(results: dict[str, Any], others: Awaitable[Any]) -> dict[str, Any]:
    results.update(await others)
    return results
