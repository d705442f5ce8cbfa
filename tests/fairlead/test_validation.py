"""Documents are judged as graphql-core judges them, and the judgement is never slow."""

import random
import time

import pytest
from graphql import (
    DocumentNode,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    parse,
    specified_rules,
    validate,
)

from fairlead.graphql import overlap
from fairlead.graphql.validation import MOST_ERRORS, faults
from resolvers.root import build_schema as build_real
from schema.patience import patience_of

PETS = build_schema(
    """
    interface Pet { name: String friend: Pet owner(id: Int, kind: Kind): Person nick: [String] }
    type Dog implements Pet {
      name: String friend: Pet owner(id: Int, kind: Kind): Person nick: [String]
      size: Int! barks: Boolean other: Cat
    }
    type Cat implements Pet {
      name: String friend: Pet owner(id: Int, kind: Kind): Person nick: [String]
      size: Int barks: String other: Dog
    }
    type Person { name: String! pets: [Pet!] any: Any friend: Person }
    union Any = Dog | Cat | Person
    input Kind { a: Int b: [Int] }
    type Query { pet: Pet dog: Dog any: Any person: Person }
    """
)
FIELDS = {
    "Query": ["pet", "dog", "any", "person", "__typename"],
    "Pet": ["name", "friend", "owner", "nick", "__typename"],
    "Dog": ["name", "friend", "owner", "size", "barks", "other"],
    "Cat": ["name", "friend", "owner", "size", "barks", "other"],
    "Person": ["name", "pets", "any", "friend"],
    "Any": ["__typename"],
}
GIVEN = ["", "", "(id: 1)", "(id: 2)", "(kind: {a: 1, b: [2]})", "(kind: {b: [2], a: 1})"]
INSIDE = {"Any": ["Dog", "Cat", "Person", "Pet"], "Pet": ["Dog", "Cat", "Pet"]}


class Writer:
    """Documents whose fields often share a name in the answer, at random."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._spread: list[tuple[str, str]] = []

    def document(self) -> str:
        text = f"{{ {self.selections('Query', 3)} }}"
        # The list grows while it is gone through: fragments spread others.
        for name, on in self._spread:
            if f"...{name} " in text:
                inside = self.selections(on, 2, may_spread=len(self._spread) < 8)
                text += f" fragment {name} on {on} {{ {inside} }}"
        return text

    def selections(self, on: str, depth: int, *, may_spread: bool = True) -> str:
        chosen = []
        for _ in range(self._random.randint(1, 3)):
            kind = self._random.random()
            narrower = self._random.choice(INSIDE.get(on, [on]))
            if kind < 0.2:
                inside = self.selections(narrower, depth, may_spread=may_spread)
                chosen.append(f"... on {narrower} {{ {inside} }}" if depth > 0 else "__typename")
                depth -= 1
            elif kind < 0.35 and may_spread:
                name = f"F{len(self._spread)}"
                self._spread.append((name, narrower))
                chosen += [f"...{name}"] * self._random.randint(1, 2)
            else:
                chosen.append(self.field(on, depth, may_spread))
        return " ".join(chosen)

    def field(self, on: str, depth: int, may_spread: bool) -> str:
        name = self._random.choice(FIELDS[on])
        alias = self._random.choice(["", "", "a: ", "b: "])
        given = self._random.choice(GIVEN) if name == "owner" else ""
        fields = getattr(PETS.get_type(on), "fields", {})
        field = fields.get(name)
        type_ = "" if field is None else str(field.type).strip("[]!")
        if type_ not in FIELDS:
            return f"{alias}{name}{given}"
        if depth <= 0:
            return "__typename"
        return (
            f"{alias}{name}{given} {{ {self.selections(type_, depth - 1, may_spread=may_spread)} }}"
        )


def conflicts(document: DocumentNode) -> bool:
    return bool(validate(PETS, document, [OverlappingFieldsCanBeMergedRule]))


def test_fields_are_merged_where_graphql_core_merges_them() -> None:
    met = {True: 0, False: 0}
    for seed in range(500):
        text = Writer(seed).document()
        document = parse(text)
        expected = conflicts(document)
        assert (overlap.conflict(PETS, document) is not None) == expected, text
        met[expected] += 1
    assert min(met.values()) > 50, met


@pytest.mark.parametrize(
    "text",
    [
        "{ a: name }",
        "{ dog { name { x } } }",
        "{ dog }",
        "{ dog(x: 1) { name } }",
        "{ dog { owner(id: 1, id: 2) { name } } }",
        '{ dog { owner(id: "x") { name } } }',
        "{ dog { owner(kind: {a: 1, a: 2}) { name } } }",
        "{ dog { owner(kind: {c: 1}) { name } } }",
        "{ dog { owner(id: $n) { name } } }",
        "query ($n: Int) { dog { name } }",
        "query ($n: Int, $n: Int) { dog { owner(id: $n) { name } } }",
        "query ($n: String) { dog { owner(id: $n) { name } } }",
        "query ($n: Dog) { dog { owner(id: $n) { name } } }",
        "query ($n: Nobody) { dog { owner(id: $n) { name } } }",
        "{ dog { name @nothing } }",
        "{ dog { name @skip(if: true) @skip(if: true) } }",
        "{ dog { name @skip } }",
        "{ ...missing }",
        "{ __typename } fragment f on Query { __typename }",
        "{ ...f } fragment f on Query { ...f }",
        "{ ...f ...f } fragment f on Query { __typename } fragment f on Query { __typename }",
        "{ dog { ...f } } fragment f on Cat { name }",
        "{ ... on Int { x } }",
        "{ ... on Nobody { x } }",
        "{ dog { name } } query a { __typename }",
        "query a { __typename } query a { __typename }",
        "subscription { a b }",
        "mutation { a }",
        "type Query { a: Int }",
        "{ __type(name: 1) { name } }",
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "{ dog { name: size name } }",
    ],
)
def test_what_graphql_core_refuses_is_refused(text: str) -> None:
    document = parse(text)
    assert validate(PETS, document, specified_rules)
    assert 0 < len(faults(PETS, text, document)) <= MOST_ERRORS


def test_the_schema_has_no_directive_whose_rules_are_left_out() -> None:
    names = {directive.name for directive in build_real()._schema.directives}
    assert not names & {"defer", "stream"}
    assert {"skip", "include"} <= names


def test_fragments_within_fragments_are_looked_into_once() -> None:
    """Expanded they are sixteen million, which took half a minute, from a stranger as well."""
    schema, depth = build_real(), 24
    parts = [f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(depth)]
    text = " ".join(["{ ...f0 }", *parts, f"fragment f{depth} on Query {{ __typename }}"])
    document = parse(text)
    began = time.process_time()
    assert patience_of(schema, document, document.definitions[0], 10.0) == 10.0  # type: ignore[arg-type]
    assert overlap.conflict(schema._schema, document) is None
    assert time.process_time() - began < 1
