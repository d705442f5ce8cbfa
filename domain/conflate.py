"""Tells that something has changed, seldom enough: whoever is slow hears only the newest."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from domain.hub import Gap, Hub

APART = 0.5
"""Seconds: two messages a second at most."""
_SHARE = 10
"""A subscriber rests ten times as long as it took to tell it the last news."""


async def conflated(
    hub: Hub, concerns: Callable[[Any], bool], *, apart: float = APART
) -> AsyncIterator[int]:
    """The newest batch that holds a row of concern: now, and whenever there is another one."""
    async with hub.subscribe() as items:
        told = time.monotonic()
        yield hub.number or 0
        took = time.monotonic() - told
        async for item in items:
            if not (isinstance(item, Gap) or any(map(concerns, item.rows))):
                continue
            rest = max(apart, _SHARE * took) - (time.monotonic() - told)
            if rest > 0:
                await asyncio.sleep(rest)
            items.drain()
            told = time.monotonic()
            yield hub.number or 0
            took = time.monotonic() - told
