"""What tests/breaks.toml takes away and tests/promises.toml runs is there."""

import time
import tomllib
from pathlib import Path

import pytest

from tests.breaks import ran

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


def test_what_hangs_is_noticed_and_leaves_nothing(tmp_path: Path) -> None:
    """It hears no interrupt, nor does what it started in a session of its own."""
    name = f"61.{time.time_ns()}"
    command = f"trap '' INT QUIT TERM; setsid sleep {name} & sleep {name}"
    assert ran(command, tmp_path, 0.5) == (None, "")
    living = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(name.encode() in each for each in living)


def test_how_something_ended_and_what_it_said(tmp_path: Path) -> None:
    assert ran("echo one; echo two >&2; exit 3", tmp_path, 60) == (3, "one\ntwo\n")
