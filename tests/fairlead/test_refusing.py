"""What is refused is refused quickly, and paid for."""

import asyncio
import sys
from typing import Any

import orjson
import pytest

from benchmarks.bombs import bombs
from benchmarks.refused import NEVER_EMPTY, fastest
from domain.bucket import Rate
from fairlead.graphql.engine import Engine
from resolvers.root import build_schema
from tests.fairlead.conftest import Door, hear, subscribe
from tests.fairlead.test_http import GRAPHQL


@pytest.mark.parametrize("rate", [Rate(capacity=1_000, per_second=0.001)])
@pytest.mark.parametrize(
    "wrong",
    [
        "{ nothing }",
        "{ mine",
        "{ mine } query a { mine }",
        "query ($t: String!) { echo(text: $t) }",
    ],
)
async def test_what_is_refused_is_paid_for_as_well(door: Door, wrong: str) -> None:
    strangers = [await door.ask(wrong, headers=GRAPHQL, signed_in=False) for _ in range(4)]
    known = await door.ask("{ mine }")

    assert [answer.status_code for answer in strangers] == [400, 400, 400, 429]
    assert known.status_code == 200


@pytest.mark.parametrize("rate", [Rate(capacity=1_000, per_second=0.001)])
async def test_names_that_cost_nothing_are_paid_for_when_they_are_new(door: Door) -> None:
    """Three hundred take five milliseconds to check, which is no cost of their objects."""
    text = "{" + " ".join(f"a{number}: __typename" for number in range(300)) + "}"
    new = [await door.ask(text + " " * n, signed_in=False, headers=GRAPHQL) for n in range(4)]
    known = [await door.ask(text) for _ in range(12)]

    assert [answer.status_code for answer in new] == [200, 200, 200, 429]
    assert {answer.status_code for answer in known} == {200}


def _sent(door: Door, signed_in: bool) -> dict[str, str]:
    return GRAPHQL | (door.bearer if signed_in else {})


@pytest.mark.parametrize("rate", [Rate(capacity=1e9, per_second=1e9)])
@pytest.mark.parametrize("signed_in", [True, False])
async def test_every_bomb_is_refused_by_every_way_in(door: Door, signed_in: bool) -> None:
    every = list(bombs())
    for name, document, variables in every:
        body = {"query": document, "variables": variables}
        for accept in (GRAPHQL, {"accept": "text/event-stream"}):
            headers = _sent(door, signed_in) | accept
            answer = await door.http.post("/graphql", json=body, headers=headers)
            assert answer.status_code in (200, 400, 413), name
            assert '"errors"' in answer.text, name
            assert "Internal" not in answer.text, name
    short = [each for each in every if len(each[1]) < 4_000]
    for name, document, _ in short:
        asked = {"query": document}
        got = await door.http.get("/graphql", params=asked, headers=_sent(door, signed_in))
        many = await door.http.post("/graphql", json=[asked], headers=_sent(door, signed_in))
        assert (got.status_code, many.status_code) == (405, 400), name
    assert len(every) > 70


@pytest.mark.parametrize("rate", [Rate(capacity=1e9, per_second=1e9)])
async def test_every_bomb_is_refused_on_a_socket(door: Door) -> None:
    async with door.socket() as socket:
        for number, (name, document, variables) in enumerate(bombs()):
            body = {"query": document, "variables": variables}
            if len(orjson.dumps(body)) > 60_000:
                continue
            await subscribe(socket, str(number), **body)
            heard = await hear(socket)
            assert (heard["type"], heard["id"]) == ("error", str(number)), name


def test_every_bomb_is_refused_soon() -> None:
    """Ten times what benchmarks/refused.py takes: a bound, and no measurement."""
    engine = Engine(build_schema(), lambda principal: None, rate=NEVER_EMPTY)  # type: ignore[arg-type, return-value]
    for name, document, variables in bombs():
        took, said = asyncio.run(fastest(engine, document, variables))
        assert said != "not refused", name
        assert took < 50, name


async def test_names_like_a_wrong_one_are_not_even_looked_for(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of them in an input took 170 ms."""

    def looked_for(*_: object) -> list[str]:
        raise AssertionError

    ours = [module for name, module in sys.modules.items() if name.startswith("graphql.")]
    looking = [module for module in ours if hasattr(module, "suggestion_list")]
    for module in looking:
        monkeypatch.setattr(module, "suggestion_list", looked_for)
    assert len(looking) > 5
    unknown = " ".join(f"texx{number}: 1" for number in range(200))
    query = "mutation ($i: NoteInput!) { write(input: $i) { __typename } }"
    inline = f"mutation {{ write(input: {{{unknown}}}) {{ __typename }} }}"
    asked: list[Any] = [
        await door.ask(query, variables={"i": {f"texx{n}": 1 for n in range(200)}}),
        await door.ask(inline),
        await door.ask("{ ecko }"),
        await door.ask('{ echo(texx: "a") }'),
    ]

    for answer in asked:
        assert 1 <= len(answer.json()["errors"]) <= 6, answer.text[:300]
        assert "Internal" not in answer.text


async def test_an_object_with_too_many_members_is_refused(door: Door) -> None:
    for many, status in ((1_000, 200), (1_001, 400)):
        answer = await door.ask("{ mine }", variables={str(n): 1 for n in range(many)})
        assert answer.status_code == status
    assert "members" in answer.json()["errors"][0]["message"]


async def test_json_with_too_many_values_is_refused(door: Door) -> None:
    for many, status in ((19_990, 200), (20_001, 400)):
        answer = await door.ask("{ mine }", variables={"x": [1] * many})
        assert answer.status_code == status
    assert "values" in answer.json()["errors"][0]["message"]
