"""No operation can be costlier than its measure, and measuring is never slow."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLError,
    execute_sync,
    get_introspection_query,
    parse,
    validate,
)

from auth.policies import Policy
from resolvers.root import build_schema
from schema.cost import Cost, CostLimiter
from schema.fields import attribute, edge, mutation_field, object_type, query_field
from schema.scalars import JSON
from schema.sizes import MissingSizeError, check_sizes


@object_type(Policy.PUBLIC, description="A thing with things inside.")
class Thing:
    name: str = "thing"
    tags: list[str] = attribute(description="Labels.", size=3)

    @edge(description="What is inside.", size=4, graphql_type=list["Thing"])
    def things(self, first: int | None = None) -> list["Thing"]:
        return make(4 if first is None else first)

    @edge(description="Exactly one.", graphql_type="Thing")
    def inner(self) -> "Thing":
        return make(1)[0]

    @edge(description="Dear.", graphql_type=int, weight=50)
    def dear(self) -> int:
        return 1


def make(number: int) -> list[Thing]:
    return [Thing(tags=["a", "b", "c"]) for _ in range(number)]


@strawberry.type
class Query:
    @query_field(Policy.PUBLIC, description="Things.", size=20, graphql_type=list[Thing])
    def things(
        self, first: int | None = None, last: int | None = None, filter: JSON | None = None
    ) -> list[Thing]:
        return make(20 if first is None else first)

    @query_field(Policy.PUBLIC, description="By id.", graphql_type=list[Thing])
    def by_ids(self, ids: list[str]) -> list[Thing]:
        return make(len(ids))


@strawberry.type
class Mutation:
    @mutation_field(Policy.PUBLIC, description="Rename.", graphql_type=Thing)
    def rename(self, name: str) -> Thing:
        return make(1)[0]


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation)._schema
LIMITER = CostLimiter(SCHEMA)
REAL = build_schema()._schema


def cost(text: str, **variables: Any) -> Cost:
    return LIMITER.check(parse(text), variables)


def refusal(text: str, **variables: Any) -> Any:
    """Which limit refuses `text`."""
    with pytest.raises(GraphQLError) as refused:
        cost(text, **variables)
    assert (refused.value.extensions or {})["code"] == "LIMIT_EXCEEDED"
    return (refused.value.extensions or {})["limit"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename }", Cost(0, 0, 1, 1)),
        ("{ things(first: 3) { name } }", Cost(1 + 3, 3, 2, 2)),
        ("{ things { name } }", Cost(1 + 20, 20, 2, 2)),
        ("{ things(first: 2) { things(first: 5) { name } } }", Cost(1 + 2 * 6 + 2, 12, 3, 3)),
        ("{ things(first: 2) { inner { name dear } } }", Cost(1 + 2 * 51 + 2, 4, 4, 3)),
        ("{ things(first: 1) { tags } }", Cost(1 + 3 + 1, 1, 2, 2)),
        ("{ things(first: 1, last: 9) { name } }", Cost(1 + 9, 9, 2, 2)),
        ("{ things(first: -5) { name } }", Cost(1, 1, 2, 2)),
        ('{ byIds(ids: ["a", "b"]) { name } }', Cost(1 + 2, 2, 2, 2)),
        ('mutation { rename(name: "b") { name } }', Cost(11, 1, 2, 2)),
    ],
)
def test_a_cost_follows_the_formula(text: str, expected: Cost) -> None:
    assert cost(text) == expected


def test_first_is_read_from_a_variable_and_from_its_default() -> None:
    given = "query ($n: Int) { things(first: $n) { name } }"
    default = "query ($n: Int = 7) { things(first: $n) { name } }"

    assert cost(given, n=5).nodes == 5
    assert cost(default).nodes == 7
    assert cost(default, n=2).nodes == 2
    assert cost(given).nodes == 20
    assert cost(given, n=None).nodes == 20
    assert cost(given, n="many").nodes == 20
    assert refusal(given, n=1_000_000) == "nodes"
    assert refusal("query ($n: Int = 100000) { things(first: $n) { name } }") == "nodes"


@pytest.mark.parametrize("length", range(1, 61))
def test_a_fragment_bomb_is_refused(length: int) -> None:
    """Each fragment spreads the next twice; sixty of them would be 2^60 fields."""
    fragments = [f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(length)]
    last = f"fragment f{length} on Query {{ things(first: 50) {{ inner {{ dear }} }} }}"
    text = " ".join(["{ ...f0 }", *fragments, last])

    assert refusal(text) in ("cost", "fields", "nodes")


@pytest.mark.parametrize("length", range(9, 61))
def test_a_bomb_of_empty_fragments_is_refused(length: int) -> None:
    """They ask for no field, and whoever expands them never comes to an end."""
    fragments = [f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(length)]
    text = " ".join(["{ ...f0 }", *fragments, f"fragment f{length} on Query {{}}"])

    assert refusal(text) == "fields"
    assert refusal(text.replace("{}", "{ ... { ... {} } }")) == "fields"


def test_many_operations_are_bounded_together() -> None:
    fields = " ".join(f"a{i}: __typename" for i in range(400))
    two = f"query a {{ {fields} }} query b {{ {fields} }}"

    assert LIMITER.check(parse(two), {}, "a").fields == 400
    with pytest.raises(GraphQLError, match="all operations"):
        LIMITER.check(parse(f"{two} query c {{ {fields} }}"), {}, "a")


def test_what_repeats_is_counted_each_time() -> None:
    assert refusal("{" + "things(first: 1) { name } " * 600 + "}") == "repeats"
    assert refusal("{ things { " + "name " * 21 + "} }") == "repeats"
    assert refusal("{ things { " + "... { name } " * 21 + "} }") == "repeats"
    assert refusal("{" + "...F " * 21 + "} fragment F on Query { things { name } }") == "repeats"
    assert refusal("{" + " ".join(f"a{i}: things {{ name }}" for i in range(300)) + "}") == "fields"


def test_lists_handed_in_are_counted() -> None:
    ids = [str(number) for number in range(5_000)]

    assert refusal("query ($ids: [String!]!) { byIds(ids: $ids) { name } }", ids=ids) == "cost"
    nested = "query ($f: JSON) { things(first: 1, filter: $f) { name } }"
    assert refusal(nested, f={"any": [{"id": ids}]}) == "cost"
    many = "query ($f: JSON) { things(first: 1, filter: [%s]) { name } }" % ("$f " * 300)
    assert refusal(many, f=ids) == "cost"


def test_depth_is_bounded_through_fragments_too() -> None:
    assert cost("{ things(first: 1) " + "{ inner " * 10 + "{ name }" + "}" * 11).depth == 12
    assert refusal("{ things(first: 1) " + "{ inner " * 11 + "{ name }" + "}" * 12) == "depth"
    half = "{ inner " * 7 + "{ name }" + "}" * 7
    outer = "{ inner { inner { inner { inner { ...g } } } } }"
    text = f"{{ things(first: 1) {{ ...f }} }} fragment f on Thing {outer}"
    assert refusal(f"{text} fragment g on Thing {half}") == "depth"


def test_an_operation_or_fragment_that_does_not_run_is_bounded_as_well() -> None:
    many = "things(first: 1) { name } " * 300

    assert refusal("query a { __typename } query b {" + many + "}") == "repeats"
    assert refusal("{ __typename } fragment f on Query {" + many + "}") == "repeats"


@pytest.mark.parametrize(
    "text",
    [
        "{ nothing { like { this } } }",
        "{ ...missing }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a things { ...c } } "
        "fragment c on Thing { inner { ...c } }",
        "{ things(first: $undefined) { name } }",
        "{ things(first: [1, {a: 2}]) { name } }",
        "{ ... on Nowhere { things { name } } }",
        "{ name { first } __typename { deep } }",
        "subscription { nothing }",
        "type Query { a: Int }",
    ],
)
def test_what_is_wrong_is_left_to_validation(text: str) -> None:
    assert cost(text).fields < 20


def test_the_standard_introspection_query_has_its_own_bound() -> None:
    limiter = CostLimiter(REAL)
    found = limiter.check(
        parse(
            get_introspection_query(
                specified_by_url=True,
                directive_is_repeatable=True,
                schema_description=True,
                input_value_deprecation=True,
            )
        )
    )

    assert found.introspection
    assert not limiter.check(parse("{ viewer { role } }")).introspection
    bomb = "{ __schema { types " + "{ fields { type " * 4 + "{ name }" + "} }" * 4 + "} }"
    with pytest.raises(GraphQLError, match="too large"):
        limiter.check(parse(bomb))
    with pytest.raises(GraphQLError, match="too large"):
        limiter.check(parse("{ viewer { role } __schema { types { fields { args { name } } } } }"))


def test_every_list_of_the_schema_says_how_long_it_can_be() -> None:
    check_sizes(REAL)
    check_sizes(SCHEMA)


def test_a_list_without_a_size_does_not_build() -> None:
    @object_type(Policy.PUBLIC, description="Endless.")
    class Endless:
        names: list[str]

    @strawberry.type
    class Root:
        @query_field(Policy.PUBLIC, description="Endless.", graphql_type=list[Endless])
        def endless(self, first: int | None = None) -> list[Endless]:
            return []

    with pytest.raises(MissingSizeError, match=r"Endless\.names, Root\.endless$"):
        check_sizes(strawberry.Schema(query=Root)._schema)


def selections(random_: random.Random, depth: int) -> Iterator[str]:
    for index in range(random_.randint(1, 3)):
        choice = random_.choice(["name", "tags", "dear", "inner", "things", "things", "fragment"])
        if depth == 0 or choice in ("name", "tags", "dear"):
            yield f"a{depth}{index}: {choice if choice in ('name', 'tags', 'dear') else 'name'}"
            continue
        inside = " ".join(selections(random_, depth - 1))
        if choice == "fragment":
            yield f"... on Thing {{ b{index}: inner {{ {inside} }} }}"
        elif choice == "inner":
            yield f"c{depth}{index}: inner {{ {inside} }}"
        else:
            first = random_.choice(["", f"(first: {random_.randint(0, 4)})", "(first: $n)"])
            yield f"d{depth}{index}: things{first} {{ {inside} }}"


def objects_in(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(objects_in, value.values()))
    return sum(map(objects_in, value)) if isinstance(value, list) else 0


def test_no_answer_holds_more_objects_than_its_operation_was_measured_at() -> None:
    random_ = random.Random(7)
    ran = 0
    for _ in range(300):
        inside = " ".join(selections(random_, 3))
        document = parse(f"query ($n: Int) {{ things(first: $n) {{ {inside} }} }}")
        variables = random_.choice([{}, {"n": random_.randint(0, 3)}])
        if validate(SCHEMA, document):
            continue
        try:
            bound = LIMITER.check(document, variables)
        except GraphQLError:
            continue
        result = execute_sync(SCHEMA, document, variable_values=variables)
        assert result.errors is None
        objects = objects_in(result.data) - 1
        assert objects <= bound.nodes <= bound.cost + 1
        ran += 1
    assert ran > 100
