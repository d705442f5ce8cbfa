"""Responses of events that many subscribers are told alike: executed and encoded once."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
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

from domain.principal import Principal
from fairlead.graphql.rights import rights_of
from schema.several import Source

Value = TypeVar("Value")
Tell = Callable[[Any, Principal | None], bytes | Awaitable[bytes]]
"""Makes the response to a payload for a principal."""

_MOST = 1_000
_MOST_WHOLE = 20
"""Of those that come together: all but the slowest are told them at nearly the same time."""

EVENT = "event"
"""The attribute by which a payload says which event it tells; two that say the same are alike."""


class Group:
    """Subscribers with the same rights who ask the same: the latest responses, by event."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, bytes | asyncio.Future[bytes]] = OrderedDict()
        self._whole: OrderedDict[Hashable, Sequence[bytes]] = OrderedDict()

    def tell(
        self, event: Hashable, make: Callable[[], bytes | Awaitable[bytes]]
    ) -> bytes | asyncio.Future[bytes]:
        """The response, made for whoever asks first: shield the future, others wait for it too.

        An event None is nobody else's.
        """
        found = self._known.get(event)
        if found is None:
            made = make()
            found = made if isinstance(made, bytes) else asyncio.ensure_future(made)
            if event is not None:
                _put(self._known, event, found, self._most)
        if isinstance(found, bytes) or not found.done():
            return found
        return found.result()

    def whole(self, event: Hashable) -> Sequence[bytes] | None:
        """The responses to events that come together, if they were kept."""
        return self._whole.get(event)

    def keep(self, event: Hashable, told: Sequence[bytes]) -> None:
        if event is not None:
            _put(self._whole, event, told, _MOST_WHOLE)


def _put(known: OrderedDict[Hashable, Value], key: Hashable, value: Value, most: int) -> None:
    known[key] = value
    if len(known) > most:
        known.popitem(last=False)


class Shared:
    """Groups by what they ask and may see, as long as somebody belongs to one."""

    def __init__(self) -> None:
        self._groups: WeakValueDictionary[Hashable, Group] = WeakValueDictionary()

    def group(self, key: Hashable) -> Group:
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = Group()
        return found


class Member:
    """One subscriber, asked anew in each turn of the loop who they are: in it no right can end."""

    def __init__(
        self, shared: Shared, asked: Hashable, caller: Callable[[], Awaitable[Principal | None]]
    ) -> None:
        self._principal: Principal | None = None
        self._shared = shared
        self._asked = asked
        self._caller = caller
        self._group: Group | None = None
        self._checked = -1.0
        self._now = asyncio.get_running_loop().time

    async def told(self, source: Source[Any], tell: Tell) -> AsyncGenerator[Sequence[bytes], None]:
        """The responses to payloads as they come, the group's where they are there. Raises
        RightsEnded."""
        async for together in source:
            group = await self._ours()
            whole = group.whole(together.event)
            if whole is not None:
                yield whole
                continue
            found: list[bytes] = []
            for payload in together.payloads:
                group = await self._ours()
                one = group.tell(
                    getattr(payload, EVENT, None), partial(tell, payload, self._principal)
                )
                if not isinstance(one, bytes):
                    if found:
                        # Nobody waits for what comes behind.
                        yield found
                        found = []
                    one = await asyncio.shield(one)
                found.append(one)
            if len(found) == len(together.payloads):
                group.keep(together.event, found)
            yield found

    async def _ours(self) -> Group:
        if self._group is None or self._checked != self._now():
            self._principal = await self._caller()
            self._checked = self._now()
            rights = None if self._principal is None else rights_of(self._principal)
            self._group = self._shared.group((self._asked, rights))
        return self._group


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
