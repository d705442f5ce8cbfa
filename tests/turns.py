"""How often others have had their turn while something works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Those of a task that only waits for its next one."""

    def __init__(self) -> None:
        self.had = 0

    async def take(self) -> None:
        while True:
            self.had += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def taking_turns() -> AsyncIterator[Turns]:
    turns = Turns()
    taking = asyncio.ensure_future(turns.take())
    yield turns
    taking.cancel()
