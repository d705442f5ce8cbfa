"""Every cell of docs/faults.md is what happens."""

from pathlib import Path

import pytest

from tests.gateway.faults.cells import FAULTS, Fault
from tests.gateway.faults.page import HEAD, lines
from tests.gateway.faults.run import run

PAGE = (Path(__file__).parents[3] / "docs" / "faults.md").read_text()


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.parts for fault in FAULTS])
async def test_a_fault_comes_to_what_the_page_says(fault: Fault) -> None:
    said = "".join(
        f"{line}\n" for line in PAGE.splitlines() if line.startswith(f"| {fault.title} |")
    )

    assert lines(fault, await run(fault)) == said


def test_the_page_says_nothing_else() -> None:
    rows = PAGE.removeprefix(HEAD).splitlines()

    assert PAGE.startswith(HEAD)
    titles = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    assert list(dict.fromkeys(titles)) == [fault.title for fault in FAULTS]
