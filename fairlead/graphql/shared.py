"""Responses of events that many subscribers are told alike: executed and encoded once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any
from weakref import WeakValueDictionary

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


class Group:
    """Subscribers with the same rights who ask the same: the latest responses, by event."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, bytes | asyncio.Future[bytes]] = OrderedDict()

    def told(self, event: Hashable) -> bytes | None:
        """The response, if it is there already."""
        found = self._known.get(event)
        if isinstance(found, asyncio.Future):
            return found.result() if found.done() else None
        return found

    async def tell(self, event: Hashable, make: Callable[[], bytes | Awaitable[bytes]]) -> bytes:
        """The response, made by whoever asks first; one who leaves does not stop it.

        What is made at once lets nobody wait: all of a batch is then told in one turn of the loop.
        """
        found = self._known.get(event)
        if found is None:
            made = make()
            found = made if isinstance(made, bytes) else asyncio.ensure_future(made)
            self._known[event] = found
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return found if isinstance(found, bytes) else await asyncio.shield(found)


class Shared:
    """Groups by what they ask and may see, as long as somebody belongs to one."""

    def __init__(self) -> None:
        self._groups: WeakValueDictionary[Hashable, Group] = WeakValueDictionary()

    def group(self, key: Hashable) -> Group:
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = Group()
        return found


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
