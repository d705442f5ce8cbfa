"""How long it takes to refuse what is meant to freeze us: python -m benchmarks.refused."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from benchmarks.bombs import bombs
from domain.bucket import Rate
from fairlead.commands.serve import settle_memory
from fairlead.graphql.engine import Engine
from fairlead.graphql.errors import Refused
from fairlead.graphql.request import GraphQLRequest
from resolvers.root import build_schema

NEVER_EMPTY = Rate(capacity=1e12, per_second=1e12)
NOBODY: Any = SimpleNamespace(principal=None)
_ROUNDS = 7


async def fastest(engine: Engine, document: str, variables: dict[str, Any]) -> tuple[float, str]:
    """Milliseconds of processor time, and what was said; no round's text is known already."""
    best, said = float("inf"), "not refused"
    for round in range(_ROUNDS):
        request = GraphQLRequest(document + " " * round, None, variables)
        began = time.process_time()
        try:
            operation = engine.prepare(request, None, "stranger")
            await engine.execute(operation, None)
        except Refused as refusal:
            said = str(refusal)
        best = min(best, time.process_time() - began)
    return best * 1000, said


async def measure() -> None:
    # As the server does when it has started.
    settle_memory()
    engine = Engine(build_schema(), lambda principal: NOBODY, rate=NEVER_EMPTY)
    slowest, kinds = 0.0, 0
    for name, document, variables in bombs():
        took, said = await fastest(engine, document, variables)
        slowest, kinds = max(slowest, took), kinds + 1
        print(f"{name:32} {len(document):6} characters {took:7.2f} ms  {said.splitlines()[0][:70]}")
    print(f"{kinds} kinds, the slowest {slowest:.1f} ms")


if __name__ == "__main__":
    asyncio.run(measure())
