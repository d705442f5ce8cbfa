"""How long it takes to refuse what is meant to freeze us: python -m benchmarks.refused."""

import asyncio
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from domain.bucket import Rate
from fairlead.graphql.engine import Engine
from fairlead.graphql.errors import Refused
from fairlead.graphql.request import GraphQLRequest
from resolvers.root import build_schema

MUTATION = "mutation ($i: CreateProviderInput!) { createProvider(input: $i) { __typename } }"
NEVER_EMPTY = Rate(capacity=1e12, per_second=1e12)
NOBODY: Any = SimpleNamespace(principal=None)
_ROUNDS = 7


def bombs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, document, variables)."""
    for length in (1, 20, 40, 60):
        spread = " ".join(f"...f{length}" for _ in range(2))
        parts = [
            f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(1, length + 1)
        ]
        last = f"fragment f{length + 1} on Query {{ viewer {{ user {{ nothing }} }} }}"
        yield f"fragments, {length} deep", f"{{ ...f1 }} {' '.join(parts)} {last}", {}
        yield f"fragments, {length} round", f"{{ {spread} }} {' '.join(parts)}", {}
    yield "600 duplicates", "{" + " viewer{user{id}}" * 160 + "}", {}
    yield "600 duplicate leaves", "{viewer{user{" + " id" * 600 + "}}}", {}
    yield "300 aliases", "{" + " ".join(f"a{n}:viewer{{x}}" for n in range(160)) + "}", {}
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    yield "5,000 ids, as a variable", nodes, {"ids": ["a"] * 5_000}
    page = "providers(first: $n) { nodes { models(first: $n) { nodes { id } } } }"
    yield "first, as a variable", f"query ($n: Int) {{ {page} }}", {"n": 100}
    yield "first, by default", f"query ($n: Int = 100) {{ {page} }}", {}
    yield "depth", "{" + "viewer{" * 300 + "id" + "}" * 301, {}
    yield "directives", "{__typename " + "@skip(if:true)" * 150 + "}", {}
    yield "tokens", "{" + " __typename" * 7_000 + "}", {}
    yield "unknown fields", "{viewer{" + " ".join(f"a{n}" for n in range(490)) + "}}", {}
    unknown = " ".join(f"slu{n}:1" for n in range(300))
    yield "unknown inputs", f"mutation{{createProvider(input:{{{unknown}}}){{__typename}}}}", {}
    yield "1,000 unknown inputs", MUTATION, {"i": {f"slu{n}": 1 for n in range(1_000)}}
    yield (
        "unused variables",
        "query(" + " ".join(f"$a{n}:Int" for n in range(240)) + "){__typename}",
        {},
    )
    yield "operations", " ".join(f"query q{n}{{__typename}}" for n in range(150)), {}


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
    engine = Engine(build_schema(), lambda principal: NOBODY, rate=NEVER_EMPTY)
    slowest = 0.0
    for name, document, variables in bombs():
        took, said = await fastest(engine, document, variables)
        slowest = max(slowest, took)
        print(f"{name:24} {len(document):6} characters {took:7.2f} ms  {said[:70]}")
    print(f"slowest: {slowest:.1f} ms")


if __name__ == "__main__":
    asyncio.run(measure())
