"""Advisory locks share one space of numbers in the database."""

import re
from collections import Counter
from pathlib import Path


def test_no_two_things_are_locked_by_one_number(checkout: Path) -> None:
    numbers = Counter(
        number.replace("_", "")
        for path in (checkout / "db").rglob("*.py")
        for number in re.findall(r"\b5_?023_?170_?\d{3}\b", path.read_text())
    )
    assert len(numbers) >= 7
    assert [number for number, times in numbers.items() if times > 1] == []
