"""What tests/breaks.toml takes away and tests/promises.toml runs is there."""

import tomllib
from pathlib import Path

import pytest

BREAKS = tomllib.loads((Path(__file__).parent / "breaks.toml").read_text())["break"]
PROMISES = tomllib.loads((Path(__file__).parent / "promises.toml").read_text())


@pytest.mark.parametrize("guard", BREAKS, ids=[each["what"] for each in BREAKS])
def test_a_guard_is_where_the_list_says(checkout: Path, guard: dict[str, str]) -> None:
    assert (checkout / guard["file"]).read_text().count(guard["guard"]) == 1
    assert guard["gap"] != guard["guard"]


@pytest.mark.parametrize("tests", [*PROMISES.values(), *(each["tests"] for each in BREAKS)])
def test_the_tests_that_are_named_exist(checkout: Path, tests: str) -> None:
    paths = [word for word in tests.split() if word.startswith("tests/")]
    assert paths
    assert [path for path in paths if not (checkout / path).exists()] == []


def test_there_are_as_many_rows_as_promises() -> None:
    assert [int(name.split(" ")[0]) for name in PROMISES] == list(range(1, 29))
