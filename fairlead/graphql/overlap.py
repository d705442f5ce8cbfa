"""Whether fields that share a name in an answer can be one field, in time linear in what is asked.

The specification's "field selection merging", by groups instead of by pairs: graphql-core compares
each field with each other one, and each fragment with each, which takes a fifth of a second for a
document of 1,600 characters.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_wrapping_type,
    print_ast,
)
from graphql.utilities.sort_value_node import sort_value_node

MOST_STEPS = 20_000
"""Fields looked at. A document within the limits of schema/cost.py needs a tenth of that."""


class _Met(NamedTuple):
    """A field as it is selected on `parent`; `type` is what it gives."""

    node: FieldNode
    parent: Any
    type: Any


_Groups = dict[str, list[_Met]]


class TooMany(Exception):
    """More to compare than `MOST_STEPS`."""


def conflict(schema: GraphQLSchema, document: DocumentNode) -> GraphQLError | None:
    """The first two fields that cannot be one. The document must be valid otherwise.

    Raises TooMany.
    """
    overlap = _Overlap(schema, document)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            root = schema.get_root_type(each.operation)
            found = overlap.within([(each.selection_set, root)])
            if found is not None:
                return found
    return None


class _Overlap:
    """One document's comparison. Selections are pairs of a set and the type it is made on."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._steps = MOST_STEPS
        self._arguments: dict[int, Mapping[str, str]] = {}
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

    def within(self, selections: Iterable[tuple[SelectionSetNode, Any]]) -> GraphQLError | None:
        pending = [(self._collected(selections), False)]
        while pending:
            groups, only_shapes = pending.pop()
            for name, met in groups.items():
                if len(met) > 1:
                    found = _shapes_differ(name, met)
                    found = found or (None if only_shapes else self._fields_differ(name, met))
                    if found is not None:
                        return found
                # Of fields that never meet in one object only the shapes below must agree.
                apart = [met] if only_shapes else _by_object(met)
                pending += [(self._below(each), only_shapes) for each in apart]
                if len(apart) > 1:
                    pending.append((self._below(met), True))
        return None

    def _below(self, met: Iterable[_Met]) -> _Groups:
        return self._collected(
            (each.node.selection_set, get_named_type(each.type))
            for each in met
            if each.node.selection_set is not None
        )

    def _collected(self, selections: Iterable[tuple[SelectionSetNode, Any]]) -> _Groups:
        """The fields by their name in the answer; each fragment is looked into once."""
        groups: _Groups = {}
        seen: set[str] = set()
        pending = list(selections)
        while pending:
            chosen, parent = pending.pop()
            for node in chosen.selections:
                self._step()
                if isinstance(node, FieldNode):
                    name = (node.alias or node.name).value
                    groups.setdefault(name, []).append(_Met(node, parent, self._type(parent, node)))
                elif isinstance(node, InlineFragmentNode):
                    on = node.type_condition
                    type_ = self._schema.get_type(on.name.value) if on else parent
                    pending.append((node.selection_set, type_))
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                    seen.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    type_ = self._schema.get_type(fragment.type_condition.name.value)
                    pending.append((fragment.selection_set, type_))
        return groups

    def _type(self, parent: Any, node: FieldNode) -> Any:
        field = self._schema.get_field(parent, node.name.value)
        return None if field is None else field.type

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise TooMany

    def _fields_differ(self, name: str, met: list[_Met]) -> GraphQLError | None:
        """Fields of one object must be the same field, and be given the same."""
        for group in _by_object(met):
            first = group[0]
            for each in group[1:]:
                one, other = first.node.name.value, each.node.name.value
                if one != other:
                    reason = f"'{one}' and '{other}' are different fields"
                elif self._given(first.node) != self._given(each.node):
                    reason = "they have differing arguments"
                else:
                    continue
                return _error(name, reason, first, each)
        return None

    def _given(self, node: FieldNode) -> Mapping[str, str]:
        """The arguments by name, as text that compares."""
        if not node.arguments:
            return {}
        known = self._arguments.get(id(node))
        if known is None:
            known = self._arguments[id(node)] = {
                each.name.value: print_ast(sort_value_node(each.value)) for each in node.arguments
            }
        return known


def _by_object(met: list[_Met]) -> list[list[_Met]]:
    """Groups of fields that one object may have to answer; all of one kind of object is one."""
    kinds = {id(each.parent) for each in met if is_object_type(each.parent)}
    if len(kinds) < 2:
        return [met]
    return [
        [each for each in met if id(each.parent) == kind or not is_object_type(each.parent)]
        for kind in kinds
    ]


def _shapes_differ(name: str, met: list[_Met]) -> GraphQLError | None:
    """Whoever reads the answer must know what is there, whichever object it is of."""
    first = met[0]
    for each in met[1:]:
        if _differ(first.type, each.type):
            reason = f"they return conflicting types '{first.type}' and '{each.type}'"
            return _error(name, reason, first, each)
    return None


def _differ(one: Any, other: Any) -> bool:
    while one is not other:
        if is_list_type(one) != is_list_type(other) or is_non_null_type(one) != is_non_null_type(
            other
        ):
            return True
        if not is_wrapping_type(one):
            return is_leaf_type(one) or is_leaf_type(other)
        one, other = one.of_type, other.of_type
    return False


def _error(name: str, reason: str, one: _Met, other: _Met) -> GraphQLError:
    return GraphQLError(
        f"Fields '{name}' conflict because {reason}."
        " Use different aliases on the fields to fetch both if this was intentional.",
        [one.node, other.node],
    )
