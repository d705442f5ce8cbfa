"""The guides say what is so: examples fit the schema, codes and figures are the code's own."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from graphql import GraphQLSchema, get_variable_values, parse, validate
from graphql.language import OperationDefinitionNode

from domain.decision import Reason
from domain.errors import (
    Conflict,
    ErrorCode,
    FairleadError,
    Forbidden,
    InsufficientCredits,
    InvalidInput,
    LimitExceeded,
    MalformedRequest,
    ModelNotFound,
    NotFound,
    NothingEligible,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    RequestTooLarge,
    Unauthenticated,
    Unavailable,
)
from domain.health import Live
from domain.provider import DEFAULT_BASE_URLS
from domain.routing import (
    Decisive,
    Explained,
    Explanation,
    Flip,
    Lever,
    cell_of,
    explain,
    flips,
    plan,
)
from domain.ruleset import Ruleset, Strategy
from domain.snapshot import ProviderType
from fairlead.graphql.errors import INTERNAL, TIMEOUT
from gateway.errors import bug, render
from resolvers.root import build_schema
from schema.cost import CostLimiter
from tests.domain.routing.catalogue import deployment, identity, price, request, snapshot, vitals

ROOT = Path(__file__).parent.parent
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
_BLOCK = re.compile(r"```graphql\n(.*?)```(?:\s*```json\n(.*?)```)?", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


class Example(NamedTuple):
    """`variables` is the JSON block right after the document, if one is."""

    place: str
    document: str
    variables: dict[str, Any] | None


def _examples() -> list[Example]:
    found = []
    for guide in GUIDES:
        text = guide.read_text()
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            variables = None if block[2] is None else json.loads(block[2])
            found.append(Example(f"{guide.relative_to(ROOT)}:{line}", block[1], variables))
    return found


EXAMPLES = _examples()


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


@pytest.mark.parametrize("example", EXAMPLES, ids=[each.place for each in EXAMPLES])
def test_an_example_fits_the_schema_and_its_limits(example: Example, schema: GraphQLSchema) -> None:
    document = parse(example.document)

    assert validate(schema, document) == []
    assert CostLimiter(schema).check(document, example.variables).cost > 0
    [operation] = [x for x in document.definitions if isinstance(x, OperationDefinitionNode)]
    declared = operation.variable_definitions or ()
    if example.variables is not None:
        coerced = get_variable_values(schema, declared, example.variables)
        assert not isinstance(coerced, list), coerced
        assert {node.variable.name.value for node in declared} >= set(example.variables)


def test_every_example_of_the_graphql_guide_that_takes_variables_shows_them() -> None:
    bare = [
        each.place
        for each in EXAMPLES
        if each.place.startswith("docs/graphql.md")
        and each.variables is None
        and "($" in each.document.split("{", 1)[0]
    ]

    assert bare == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: str(guide.relative_to(ROOT)))
def test_links_lead_to_something(guide: Path) -> None:
    targets = _LINK.findall(guide.read_text())

    assert [each for each in targets if not (guide.parent / each).exists()] == []


def test_every_guide_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()

    assert [
        each.name for each in (ROOT / "docs").glob("*.md") if f"(docs/{each.name})" not in readme
    ] == []


_ERRORS: tuple[FairleadError, ...] = (
    InvalidInput("model", "…"),
    MalformedRequest("…"),
    RequestTooLarge("…"),
    Unauthenticated("…"),
    Forbidden("…"),
    NotFound("…"),
    ModelNotFound("…"),
    Conflict("…"),
    InsufficientCredits("…"),
    LimitExceeded("…"),
    NothingEligible("…"),
    ProviderError("…"),
    ProviderRejected("…", provider="…", upstream_status=400),
    ProviderTimeout("…"),
    Unavailable("…"),
)


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def _row(error: FairleadError) -> str:
    shown = render(error)
    said = json.loads(shown.body)["error"]
    retryable = "yes" if error.retryable else "no"
    return (
        f"| `{error.code}` | {shown.status} | `{said['type']}` | `{said['code']}` | {retryable} |"
    )


def test_decisions_have_each_their_number() -> None:
    pages = [guide for guide in GUIDES if guide.name[:4].isdigit()]

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, 1):
        assert page.read_text().startswith(f"# {number}. ")


def test_every_error_code_is_explained_as_it_is_shown() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text()

    assert [error.code for error in _ERRORS] == list(ErrorCode)
    assert [row for row in map(_row, _ERRORS) if row not in text] == []
    sections = re.findall(r"^### `([A-Z_]+)`$", text, re.MULTILINE)
    assert sections == [*ErrorCode, INTERNAL, TIMEOUT]
    unforeseen = json.loads(bug(identity("a request")).body)["error"]
    assert f"`{unforeseen['code']}`" in text


def test_every_provider_type_has_its_default_address() -> None:
    text = (ROOT / "docs" / "providers.md").read_text()

    rows = [f"| `{type}` | `{url}` |" for type, url in DEFAULT_BASE_URLS.items()]
    assert [row for row in rows if row not in text] == []
    assert [each for each in ProviderType if f"type: {each}" not in text] == []


def _worked(strategy: Strategy, incumbent: str | None = None) -> Explanation:
    """The example of docs/routing.md: a streamed request of 1,000 tokens to `auto`."""
    house = snapshot(
        deployment("north/small", price(0.60, 2.40), quality=0.62),
        deployment("south/large", price(2.50, 10.00), quality=0.80),
        deployment("west/tiny", price(0.10, 0.40), quality=0.55),
        deployment("east/new", None, quality=None),
        ruleset=Ruleset(strategy=strategy),
    )
    speeds = {"north/small": (0.9, 100.0), "south/large": (0.5, 80.0), "west/tiny": (0.4, 120.0)}
    seen = {identity(name): vitals(*pace, output=200, samples=50) for name, pace in speeds.items()}
    facts, live = request("auto", stream=True), Live(vitals=seen)
    if incumbent is not None:
        cell = cell_of(plan(house, facts, live).decision)
        live = msgspec.structs.replace(live, incumbents={cell: identity(incumbent)})
    return explain(plan(house, facts, live).decision)


def _scored(each: Explained) -> str:
    """A row of the table of scores."""
    terms = [f"{term.raw:.4f} | {term.score:.4f} | {term.contribution:.4f}" for term in each.terms]
    return f"| `{each.record.reference}` | {' | '.join(terms)} | **{each.total:.4f}** |"


def _flip(flip: Flip) -> str:
    """A row of the table of flip conditions."""
    name = flip.lever.partition("_")[0].lower()
    match flip.lever:
        case Lever.PRICE:
            text = f"the prices of `{flip.subject}` | from {flip.threshold:.4f} times on"
        case Lever.LATENCY:
            text = f"the expected time of `{flip.subject}` | from {flip.threshold:.4f} s on"
        case _:
            bound = f"{flip.threshold / 100:.2f} %"
            when = f"from {bound} on" if flip.rising else f"up to {bound}"
            text = f"the weight of {name} | {when}"
    return f"| {text} |"


def test_the_worked_example_of_routing_has_the_codes_own_figures() -> None:
    text = (ROOT / "docs" / "routing.md").read_text()
    found = _worked(Strategy.BALANCED)
    rows = [_scored(each) for each in found.candidates if each.record.eligible]
    levers = [each for each in flips(found.decision) if each.subject in (None, "south/large")]

    assert len(rows) == 2
    assert len(levers) == 5
    assert [row for row in (*rows, *map(_flip, levers)) if row not in text] == []
    assert found.margin == pytest.approx(0.0018, abs=5e-5)
    assert "wins by 0.0018," in text
    assert found.decisive is Decisive.QUALITY
    assert {each.record.reference: _reasons(each) for each in found.candidates} == {
        "south/large": [],
        "north/small": [],
        "west/tiny": [Reason.LEVEL],
        "east/new": [Reason.PRICE_UNKNOWN],
    }


def _reasons(each: Explained) -> list[Reason]:
    return [exclusion.reason for exclusion in each.record.exclusions]


def test_the_worked_example_ends_as_the_guide_says_under_other_strategies() -> None:
    by_cost, by_latency = _worked(Strategy.COST), _worked(Strategy.LATENCY)
    costs = {each.record.reference: each.record.expected_cost for each in by_cost.candidates}
    incumbent = _worked(Strategy.BALANCED, incumbent="north/small")

    assert [each.record.reference for each in by_cost.order] == ["north/small", "south/large"]
    assert (costs["north/small"], costs["south/large"]) == (1_080_000, 4_500_000)
    assert [each.record.reference for each in by_latency.order] == ["south/large", "north/small"]
    assert [each.seconds for each in by_latency.order] == [1.125, pytest.approx(1.4)]
    assert incumbent.winner is not None
    assert incumbent.winner.record.reference == "north/small"
    assert incumbent.decisive is Decisive.INCUMBENT
