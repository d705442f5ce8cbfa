"""Responses of events that many subscribers are told alike: executed and encoded once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    visit,
)
from graphql.language.visitor import Visitor

_MOST = 1_000

EVENT = "event"
"""The attribute by which a payload says which event it tells; two that say the same are alike."""


class Shared:
    """The latest responses, by who may read them, what they ask, and the event."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, asyncio.Future[bytes]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """The response, made by whoever asks first; one who leaves does not stop it."""
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = asyncio.ensure_future(make())
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return found.result() if found.done() else await asyncio.shield(found)


def variables_below(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> bytes:
    """The variables that a subscription's events depend on, as text that compares.

    The root field's own arguments say which events come, not what is told of one.
    """
    names = _Names()
    for each in _below_root(document, operation):
        visit(each, names)
    used = {name: variables.get(name) for name in sorted(names.found)}
    return msgspec.json.encode(used, order="deterministic")


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found.add(node.name.value)


def _below_root(
    document: DocumentNode, operation: OperationDefinitionNode
) -> list[SelectionSetNode | FragmentDefinitionNode]:
    """What is selected below the root field, with every fragment there is and every directive."""
    found: list[SelectionSetNode | FragmentDefinitionNode] = []
    pending = [operation.selection_set]
    while pending:
        for each in pending.pop().selections:
            if isinstance(each, FieldNode):
                if each.selection_set is not None:
                    found.append(each.selection_set)
            elif isinstance(each, InlineFragmentNode):
                pending.append(each.selection_set)
    found += [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
    return found
