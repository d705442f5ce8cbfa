"""What is refused is refused quickly, and paid for."""

import sys
from typing import Any

import pytest

from domain.bucket import Rate
from tests.fairlead.conftest import Door
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
