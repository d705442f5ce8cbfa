"""Bounds what an operation may cost before anything else looks at it: pure, static, never slow.

One pass over the document; each fragment is measured once and numbers saturate, so a query that
would expand to billions of fields is measured as fast as any other of its length. What is wrong
with a document (unknown fields, cycles, missing fragments) is left to standard validation.

    cost = w + m · Σ cost(children) + (m if it is a list)
    w = 1 for an object, 0 for a scalar, + its declared weight, + 10 for a mutation
    m = first | last | length of a list argument | declared size
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)

from domain.errors import ErrorCode
from schema.repeats import most_repeated
from schema.sizes import INTROSPECTION_ROOTS, FieldCost, static_costs

CAP = 1_000_000_000
"""Where numbers saturate."""

MOST_FIELDS = 1_000
"""Of all operations of a document: each of them is validated, whichever runs."""

MOST_REPEATS = 20
"""Of one field in one selection: standard validation compares each pair of them."""
_TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation may come to at most. `depth` counts fields from the root to a leaf.

    `fields` counts selections, each as often as it is spread: fragments are some even when empty.
    """

    cost: int = 0
    nodes: int = 0
    fields: int = 0
    depth: int = 0
    introspection: bool = False


_Measure = tuple[int, int, int, int]
"""Cost, nodes, fields, depth: a plain tuple, because one is made for every field."""

_NOTHING: _Measure = (0, 0, 0, 0)
_TOO_DEEP: _Measure = (0, 0, 0, CAP)


class CostLimiter:
    """Measures operations on one schema and refuses those above the limits."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        cost: int = 2_000,
        nodes: int = 10_000,
        depth: int = 12,
        fields: int = 500,
    ) -> None:
        types = len(schema.type_map)
        self.cost = cost
        self._limits = Cost(cost, nodes, fields, depth)
        self._introspection = Cost(types * 1_000, types * 1_000, fields, 20)
        self._fields = static_costs(schema)
        self._roots = {
            operation: root.name
            for operation in ("query", "mutation", "subscription")
            if (root := getattr(schema, f"{operation}_type")) is not None
        }

    def check(
        self,
        document: DocumentNode,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> Cost:
        """The cost of the operation that would run; every other one is held to the limits too.

        Raises GraphQLError with code LIMIT_EXCEEDED.
        """
        if most_repeated(document) > MOST_REPEATS:
            raise GraphQLError(
                f"The same field is asked for more than {MOST_REPEATS} times in one selection.",
                extensions={"code": ErrorCode.LIMIT_EXCEEDED.value, "limit": "repeats"},
            )
        fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        chosen, fields = Cost(), 0
        for each in document.definitions:
            if isinstance(each, OperationDefinitionNode):
                found = self._operation(each, fragments, variables or {})
                self._refuse_above(found, each)
                fields += found.fields
                if fields > MOST_FIELDS:
                    raise _too_large("all operations' fields", fields, MOST_FIELDS, "fields", each)
                if operation_name is None or (each.name and each.name.value == operation_name):
                    chosen = found
        return chosen

    def is_ordinary(self, found: Cost) -> bool:
        """Whether it fits the limits without the larger ones that introspection has."""
        names = ("depth", "fields", "nodes", "cost")
        return all(getattr(found, name) <= getattr(self._limits, name) for name in names)

    def _operation(
        self,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> Cost:
        root = self._roots.get(operation.operation.value)
        deepest = self._introspection.depth
        walk = _Walk(self._fields, fragments, _defaults(operation) | dict(variables), deepest)
        cost, nodes, fields, deep = walk.selections(operation.selection_set, root, 1)
        # Fragments that nothing spreads are validated as well, so they are bounded as well.
        for name in fragments:
            _, _, more, deeper = walk.fragment(name)
            fields, deep = max(fields, more), max(deep, deeper)
        return Cost(cost, nodes, fields, deep, _introspects(operation))

    def _refuse_above(self, found: Cost, operation: OperationDefinitionNode) -> None:
        limits = self._introspection if found.introspection else self._limits
        for name in ("depth", "fields", "nodes", "cost"):
            value, limit = getattr(found, name), getattr(limits, name)
            if value > limit:
                raise _too_large(name, value, limit, name, operation)


class _Walk:
    """One operation's pass; fragments are measured on first use and remembered."""

    def __init__(
        self,
        fields: Mapping[str, Mapping[str, FieldCost]],
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        deepest: int,
    ) -> None:
        self._fields = fields
        self._fragments = fragments
        self._variables = variables
        self._deepest = deepest
        self._measured: dict[str, _Measure] = {}
        self._items: dict[str, int] = {}

    def selections(self, chosen: SelectionSetNode, type_: str | None, level: int) -> _Measure:
        cost = nodes = fields = depth = 0
        pending = [(chosen, type_)]
        while pending:
            selection_set, on = pending.pop()
            for each in selection_set.selections:
                if isinstance(each, FieldNode):
                    found = self._field(each, on, level)
                elif isinstance(each, FragmentSpreadNode):
                    fields += 1
                    found = self.fragment(each.name.value)
                elif isinstance(each, InlineFragmentNode):
                    fields += 1
                    condition = each.type_condition
                    pending.append((each.selection_set, condition.name.value if condition else on))
                    continue
                else:
                    continue
                cost += found[0]
                nodes += found[1]
                fields += found[2]
                depth = max(depth, found[3])
        return min(CAP, cost), min(CAP, nodes), min(CAP, fields), depth

    def fragment(self, name: str) -> _Measure:
        known = self._measured.get(name)
        if known is not None:
            return known
        definition = self._fragments.get(name)
        if definition is None:
            return _NOTHING
        # A fragment met again while it is being measured is a cycle: validation reports it.
        self._measured[name] = _NOTHING
        found = self.selections(definition.selection_set, definition.type_condition.name.value, 1)
        self._measured[name] = found
        return found

    def _field(self, node: FieldNode, on: str | None, level: int) -> _Measure:
        name = node.name.value
        if name == _TYPENAME:
            return 0, 0, 1, 1
        if level > self._deepest:
            return _TOO_DEEP
        field = self._fields.get(on or "", {}).get(name)
        inner = field.type if field else None
        chosen = node.selection_set
        inside = _NOTHING if chosen is None else self.selections(chosen, inner, level + 1)
        fields, depth = inside[2] + 1, inside[3] + 1
        if field is None:
            return 0, 0, fields, depth
        times, extra = self._arguments(field, node) if field.varies or node.arguments else (1, 0)
        own = times if field.is_list else 0
        cost = field.weight + extra + times * inside[0] + own
        return cost, ((own or 1) + times * inside[1]) if field.type else 0, fields, depth

    def _arguments(self, field: FieldCost, node: FieldNode) -> tuple[int, int]:
        """How many times the children count, and what the lists handed in add."""
        given = {each.name.value: each.value for each in node.arguments or ()}
        items = sum(self._items_in(value) for value in given.values())
        sizes = []
        for name, default in field.paging.items():
            value = self._value(given[name]) if name in given else default
            if isinstance(value, int | float) and not isinstance(value, bool):
                sizes.append(CAP if not abs(value) < CAP else max(0, int(value)))
        if sizes:
            return max(sizes), items
        lengths = [self._length(given[name]) for name in field.lists if name in given]
        if lengths:
            return max(lengths), 0
        return (1 if field.size is None else field.size), items

    def _value(self, node: ValueNode) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        return value_from_ast_untyped(node)

    def _length(self, node: ValueNode) -> int:
        if isinstance(node, ListValueNode):
            return len(node.values)
        value = self._variables.get(node.name.value) if isinstance(node, VariableNode) else None
        return len(value) if isinstance(value, list) else 1

    def _items_in(self, node: ValueNode) -> int:
        """How many list items an argument holds; a variable's are counted once, used or not."""
        if isinstance(node, ListValueNode):
            return min(CAP, len(node.values) + sum(map(self._items_in, node.values)))
        if isinstance(node, ObjectValueNode):
            return sum(self._items_in(each.value) for each in node.fields)
        if not isinstance(node, VariableNode):
            return 0
        name = node.name.value
        if name not in self._items:
            self._items[name] = _items_of(self._variables.get(name))
        return self._items[name]


def _too_large(
    what: str, value: int, limit: int, name: str, operation: OperationDefinitionNode
) -> GraphQLError:
    shown = f"over {CAP:,}" if value >= CAP else f"{value:,}"
    return GraphQLError(
        f"This operation is too large: {what} {shown}, at most {limit:,}.",
        operation,
        extensions={"code": ErrorCode.LIMIT_EXCEEDED.value, "limit": name},
    )


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }


def _introspects(operation: OperationDefinitionNode) -> bool:
    """Whether it asks for the schema and nothing else."""
    chosen = operation.selection_set.selections
    names = {each.name.value if isinstance(each, FieldNode) else "" for each in chosen}
    return bool(names & INTROSPECTION_ROOTS.keys()) and names <= {
        *INTROSPECTION_ROOTS,
        _TYPENAME,
    }


def _items_of(value: Any) -> int:
    if isinstance(value, list):
        return len(value) + sum(map(_items_of, value))
    if isinstance(value, dict):
        return sum(map(_items_of, value.values()))
    return 0
