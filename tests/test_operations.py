"""The table of the original's operations names fields and tests that are there."""

import re
from pathlib import Path

from graphql import GraphQLObjectType

from resolvers.root import build_schema

ROOT = Path(__file__).parent.parent
TABLE = (ROOT / "docs" / "operations-table.md").read_text()
ROWS = re.findall(r"^\| (\d+) \|(.*)\|(.*)\|(.*)\|$", TABLE, re.MULTILINE)


def test_all_thirteen_are_there_with_fields_and_a_test() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 14))
    assert all("`" in fields and "::" in test for _, _, fields, test in ROWS)


def test_the_schema_has_the_fields() -> None:
    types = build_schema()._schema.type_map
    named = re.findall(r"`([A-Z]\w+)\.(\w+)`", TABLE)
    missing = []
    for type_, field in named:
        found = types.get(type_)
        if not isinstance(found, GraphQLObjectType) or field not in found.fields:
            missing.append(f"{type_}.{field}")

    assert named
    assert missing == []


def test_the_tests_are_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TABLE)
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).exists() or f"def {test}(" not in (ROOT / path).read_text() + "def ("
    ]

    assert named
    assert missing == []
