"""Every row of the failure contract names a test that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/\S+\.py)::(test_\w+)`")
ROWS = [
    line
    for line in (ROOT / "docs" / "failure-contract.md").read_text().splitlines()
    if line.startswith("| ") and not line.endswith("| test |")
]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_a_test(row: str) -> None:
    named = NAMED.findall(row)

    assert len(named) == 1
    [(path, test)] = named
    assert f"def {test}(" in (ROOT / path).read_text()
