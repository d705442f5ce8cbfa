"""What the web app asks: valid by the schema of today, and within what one operation may cost."""

import re
from pathlib import Path

import pytest
from graphql import DocumentNode, parse, separate_operations, validate

from fairlead.graphql import RATE
from resolvers.root import build_schema
from schema.cost import CostLimiter

SOURCES = Path(__file__).parents[2] / "frontend/src"
SCHEMA = build_schema()._schema
LIMITER = CostLimiter(SCHEMA)
_FRAGMENT = re.compile(r"^fragment .*?^}", re.MULTILINE | re.DOTALL)
_OPERATION = re.compile(r"^(?:query|mutation|subscription) (\w+).*?^}", re.MULTILINE | re.DOTALL)


def operations() -> dict[str, DocumentNode]:
    """Each operation of the app with the fragments it spreads, by name."""
    texts = [path.read_text() for path in sorted(SOURCES.rglob("*.graphql"))]
    fragments = "\n".join(each for text in texts for each in _FRAGMENT.findall(text))
    return {
        found[1]: separate_operations(parse(f"{found[0]}\n{fragments}"))[found[1]]
        for text in texts
        for found in _OPERATION.finditer(text)
    }


OPERATIONS = operations()


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_web_app_asks_what_the_schema_answers(name: str) -> None:
    longest_page = {"first": 50, "isAdmin": True}
    assert validate(SCHEMA, OPERATIONS[name]) == []
    assert 0 < LIMITER.check(OPERATIONS[name], longest_page, name).cost <= LIMITER.cost


def test_a_page_of_providers_costs_no_more_than_two_seconds_of_refill() -> None:
    """Each row asks for its own last day."""
    rows = 25
    page = LIMITER.check(OPERATIONS["Providers"], {"first": rows, "isAdmin": True}).cost
    trend = LIMITER.check(OPERATIONS["ProviderTrend"], {}).cost
    assert page + rows * trend <= 2 * RATE.per_second


def test_the_operations_are_found() -> None:
    assert {"Providers", "RuleAliases", "UsageEvents", "CreateApiKey"} <= OPERATIONS.keys()
