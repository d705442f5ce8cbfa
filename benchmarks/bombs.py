"""Operations meant to freeze the server: (name, document, variables), all to be refused."""

from collections.abc import Callable, Iterator
from typing import Any

Bomb = tuple[str, str, dict[str, Any]]

MUTATION = "mutation ($i: CreateProviderInput!) { createProvider(input: $i) { __typename } }"


def _many(count: int, each: Callable[[int], str]) -> str:
    return " ".join(each(number) for number in range(count))


def _input(fields: str) -> str:
    return f"mutation{{createProvider(input:{fields}){{__typename}}}}"


def bombs() -> Iterator[Bomb]:
    for kind in (fragments, selections, names, literals, definitions, variables, text):
        yield from kind()


def fragments() -> Iterator[Bomb]:
    for length in (1, 20, 40, 60):
        spread = " ".join(f"...f{length}" for _ in range(2))
        parts = _many(length, lambda n: f"fragment f{n + 1} on Query {{ ...f{n + 2} ...f{n + 2} }}")
        last = f"fragment f{length + 1} on Query {{ viewer {{ user {{ nothing }} }} }}"
        yield f"fragments, {length} deep", f"{{ ...f1 }} {parts} {last}", {}
        yield f"fragments, {length} round", f"{{ {spread} }} {parts}", {}
        empty = f"fragment f{length + 1} on Query {{}}"
        if length > 1:
            yield f"empty fragments, {length} deep", f"{{ ...f1 }} {parts} {empty}", {}
    whole = "__typename"
    wide = _many(75, lambda n: f"fragment f{n} on Query{{a{n}:{whole}}}")
    spreads = _many(75, lambda n: f"...f{n}")
    yield "75 fragments at once", f"{{{spreads} x}}{wide}", {}
    yield "75 fragments, one wrong", f"{{{spreads} viewer(a:1){{{whole}}}}}{wide}", {}
    yield (
        "unused fragments",
        f"{{{whole}}}{_many(120, lambda n: f'fragment f{n} on Query{{a}}')}",
        {},
    )
    ring = _many(120, lambda n: f"fragment f{n} on Query{{...f{(n + 1) % 120}}}")
    yield "fragments in a circle", f"{{...f0}}{ring}", {}
    spreads = _many(20, lambda n: f"...f{n}")
    web = _many(20, lambda n: f"fragment f{n} on Query{{{spreads}}}")
    yield "fragments, each with each", f"{{...f0}}{web}", {}
    yield "duplicate fragments", f"{{...f}}{'fragment f on Query{a}' * 120}", {}
    chain = _many(60, lambda n: f"fragment f{n} on Query{{...f{n + 1}}}")
    asked = _many(50, lambda n: f"query q{n}{{...f0}}")
    yield "operations by fragments", f"{asked}{chain}fragment f60 on Query{{a}}", {}


def selections() -> Iterator[Bomb]:
    yield "600 duplicates", "{" + " viewer{user{id}}" * 160 + "}", {}
    yield "600 duplicate leaves", "{viewer{user{" + " id" * 600 + "}}}", {}
    yield "300 aliases", "{" + _many(160, lambda n: f"a{n}:viewer{{x}}") + "}", {}
    twice = "viewer{" + "user{id}" * 9 + "}"
    yield "duplicates in duplicates", "{" + twice * 20 + " x(a:1)}", {}
    same = "viewer{" + "user{id name}" * 8 + "}"
    yield "duplicates, the last differs", "{" + same * 19 + " viewer(a:1){user{id}}}", {}
    inner = _many(10, lambda n: f"b{n}:__typename")
    other = ("viewer", "apiKeys")
    yield "conflicts", "{" + _many(20, lambda n: f"a:{other[n % 2]}{{{inner}}}") + "}", {}
    leaves = _many(150, lambda n: f"a{n}:id a{n}:name")
    yield "conflicts of leaves", f"{{viewer{{user{{{leaves}}}}}}}", {}
    yield "depth", "{" + "viewer{" * 300 + "id" + "}" * 301, {}
    yield "inline fragments, nested", "{" + "...{" * 180 + "x" + "}" * 180 + "}", {}
    inline = _many(120, lambda n: f"...on Query{{a{n}:__typename}}")
    yield "inline fragments", f"{{{inline} viewer(x:1){{__typename}}}}", {}
    yield "introspection", "{__schema{types{" + "fields{type{" * 8 + "name" + "}}" * 8 + "}}}", {}


def names() -> Iterator[Bomb]:
    yield "unknown fields", "{viewer{" + _many(490, lambda n: f"a{n}") + "}}", {}
    long = "a" * 25
    yield "long unknown fields", "{" + _many(480, lambda n: f"{long}{n}") + "}", {}
    yield "unknown arguments", "{viewer(" + _many(320, lambda n: f"a{n}:1") + "){user{id}}}", {}
    leaves = _many(320, lambda n: f"a{n}:id")
    yield "an unknown argument, last", f"{{viewer{{user{{{leaves} z:id(b:1)}}}}}}", {}
    yield "unknown inputs", _input("{" + _many(300, lambda n: f"slu{n}:1") + "}"), {}
    yield "unknown directives", "{__typename " + _many(450, lambda n: f"@a{n}") + "}", {}
    each = _many(180, lambda n: f"a{n}:__typename @b")
    yield "an unknown directive each", f"{{{each}}}", {}
    yield "unknown variables", "{nodes(ids:[" + _many(480, lambda n: f"$a{n}") + "]){id}}", {}
    types = _many(240, lambda n: f"$a{n}:T{n}")
    yield "unknown types", f"query({types}){{__typename}}", {}


def literals() -> Iterator[Bomb]:
    keys = "{apiKeys(first:%s){nodes{id}}}"
    yield "enum values", keys % ("[" + _many(900, lambda n: f"A{n}") + "]"), {}
    yield "a long list", keys % ("[" + "1 " * 950 + "]"), {}
    yield "a deep list", "{nodes(ids:" + "[" * 190 + "1" + "]" * 190 + "){id}}", {}
    yield "a deep input", _input("{a:" * 90 + "1" + "}" * 90), {}
    yield "inputs in inputs", _input("{" + _many(85, lambda n: f"a{n}:{{b:1 c:1}}") + "}"), {}
    yield "a long string", keys % ('"' + "a" * 15_000 + '"'), {}
    yield "an escaped string", keys % ('"' + "\\u0041" * 2_500 + '"'), {}
    yield "a block string", keys % ('"""' + "\n a" * 5_000 + '"""'), {}
    yield "a long number", keys % ("9" * 15_000), {}
    yield "a number without end", keys % ("1e" + "9" * 5_000), {}
    yield "duplicate arguments", "{node(" + "id:1 " * 320 + "){id}}", {}
    yield "duplicate inputs", _input("{" + "slug:1 " * 320 + "}"), {}


def definitions() -> Iterator[Bomb]:
    yield "operations", _many(150, lambda n: f"query q{n}{{__typename}}"), {}
    yield "duplicate operations", "query a{__typename}" * 190, {}
    yield "types", "type A{a:Int}" * 120, {}
    unused = _many(240, lambda n: f"$a{n}:Int")
    yield "unused variables", f"query({unused}){{__typename}}", {}
    yield "duplicate variables", "query(" + "$a:Int " * 240 + "){__typename}", {}
    wrong = _many(160, lambda n: f'$a{n}:Int="x"')
    yield "wrong defaults", f"query({wrong}){{__typename}}", {}
    yield "a deep type", "query($a:" + "[" * 190 + "Int" + "]" * 190 + "){__typename}", {}
    roots = _many(150, lambda n: f"a{n}:configurationChanged{{__typename}}")
    yield "subscriptions at once", f"subscription{{{roots}}}", {}


def variables() -> Iterator[Bomb]:
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    yield "5,000 ids, as a variable", nodes, {"ids": ["a"] * 5_000}
    yield "1,900 wrong ids", nodes, {"ids": [{}] * 1_900}
    page = "providers(first: $n) { nodes { models(first: $n) { nodes { id } } } }"
    yield "first, as a variable", f"query ($n: Int) {{ {page} }}", {"n": 100}
    yield "first, by default", f"query ($n: Int = 100) {{ {page} }}", {}
    keys = "query ($n: Int) { apiKeys(first: $n) { nodes { id } } }"
    yield "a wrong text", keys, {"n": "x" * 200_000}
    yield "1,000 unknown inputs, a variable", MUTATION, {"i": {f"slu{n}": 1 for n in range(1_000)}}
    inner = {f"k{n}": ["x" * 20] for n in range(60)}
    yield "inputs in inputs, a variable", MUTATION, {"i": {f"k{n}": inner for n in range(60)}}
    yield "unused values", "{x}", {f"v{n}": [1] * 30 for n in range(600)}


def text() -> Iterator[Bomb]:
    yield "directives", "{__typename " + "@skip(if:true)" * 150 + "}", {}
    yield "tokens", "{" + " __typename" * 7_000 + "}", {}
    yield "comments", "#\n" * 7_990 + "{xx}", {}
    yield "commas", "," * 15_990 + "{xx}", {}
    yield "a name", "{" + "a" * 15_990 + "}", {}
    yield "not closed", "{a" * 190, {}
    yield "wrong at the end", "{" + _many(495, lambda n: f"a{n}") + "!}", {}
