"""A subscription's payloads where many come at a time: told together, or one by one."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Generic, TypeAlias, TypeVar

Payload = TypeVar("Payload")


@dataclass(frozen=True)
class Together(Generic[Payload]):
    """Payloads that come at the same time.

    Two that have the same `event` are alike, so that they are made for the first who tells them;
    None: nobody else has the same.
    """

    make: Callable[[], Sequence[Payload]]
    event: Hashable = None

    @cached_property
    def payloads(self) -> Sequence[Payload]:
        return self.make()


Source: TypeAlias = AsyncGenerator[Together[Payload], None]


class Several(AsyncIterator[Payload], Generic[Payload]):
    """What a resolver returns in place of an asynchronous generator of single payloads."""

    def __init__(self, source: Source[Payload]) -> None:
        self.source = source
        self._ready: deque[Payload] = deque()

    async def __anext__(self) -> Payload:
        while not self._ready:
            self._ready.extend((await anext(self.source)).payloads)
        return self._ready.popleft()

    async def aclose(self) -> None:
        await self.source.aclose()


def together_of(source: AsyncGenerator[Payload, None] | Several[Payload]) -> Source[Payload]:
    """What a subscription's resolver returned, as it comes."""
    return source.source if isinstance(source, Several) else _alone(source)


async def _alone(source: AsyncGenerator[Payload, None]) -> Source[Payload]:
    async with aclosing(source):
        async for payload in source:
            yield Together(partial(_list, payload))


def _list(payload: Payload) -> list[Payload]:
    return [payload]
