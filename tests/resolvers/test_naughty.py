"""Every text of every input of the schema takes what programs stumble over: no failure is ours."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_leaf_type,
)
from strawberry.types import ExecutionResult

from domain.errors import FairleadError
from domain.principal import Principal
from tests.naughty import KEEPABLE
from tests.resolvers.changes import World, examples
from tests.resolvers.conftest import GraphQL
from tests.resolvers.test_policies import ROOTS

NUMBERS = frozenset({"USD", "BigInt", "DateTime"})
"""Written as text, and shown as they are best written: -0 is 0."""
TEXTUAL = frozenset({"String", "ID", "JSON", "Secret"}) | NUMBERS
PLAIN = {"Int": 1, "Float": 0.5, "Boolean": True, "BigInt": 1, "USD": "1", "JSON": {"a": "b"}}
LAST = ("delete", "remove", "revoke", "rotate", "freeze", "discard", "rollback")
"""What takes away what the others are tried on."""
AT_ONCE = 9
"""Texts that each input is given, unless `--naughty` asks for all."""

Path = tuple[str, ...]


def plain(type_: Any) -> Any:
    """Some value of an input type, with no more than it must have."""
    if isinstance(type_, GraphQLNonNull):
        return plain(type_.of_type)
    if isinstance(type_, GraphQLList):
        return [plain(type_.of_type)]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: plain(field.type)
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull)
        }
    return PLAIN.get(type_.name, "2030-01-01T00:00:00Z")


Inputs = dict[str, GraphQLArgument] | dict[str, GraphQLInputField]


def texts_in(inputs: Inputs, seen: tuple[str, ...] = ()) -> Iterator[Path]:
    """Where text may be put, each type looked into once on a path."""
    for name, each in inputs.items():
        type_ = get_named_type(each.type)
        if type_.name in TEXTUAL:
            yield (name,)
        elif isinstance(type_, GraphQLInputObjectType) and type_.name not in seen:
            for rest in texts_in(type_.fields, (*seen, type_.name)):
                yield (name, *rest)


def with_text(inputs: Inputs, base: dict[str, Any], path: Path, text: str) -> dict[str, Any]:
    """`base` with `text` at `path`, and what must be beside it on the way."""
    name, *rest = path
    type_ = inputs[name].type
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    inner = get_named_type(type_)
    value: Any = text
    if rest and isinstance(inner, GraphQLInputObjectType):
        before = base.get(name)
        held = before if isinstance(before, dict) else plain(inner)
        value = with_text(inner.fields, held, tuple(rest), text)
    return base | {name: [value] if isinstance(bare, GraphQLList) else value}


def document(root: str, name: str, field: GraphQLField) -> str:
    declared = ", ".join(f"${key}: {each.type}" for key, each in field.args.items())
    given = ", ".join(f"{key}: ${key}" for key in field.args)
    selected = ""
    if is_composite_type(get_named_type(field.type)):
        error = "... on Error { message }" if root == "Mutation" else ""
        selected = f"{{ __typename {error} {_shown(field)} }}"
    return f"{root.lower()} ({declared}) {{ {name}({given}) {selected} }}"


def _shown(field: GraphQLField) -> str:
    """What a mutation's payload shows of what was changed, where names are as in the input."""
    input_type = get_named_type(field.args["input"].type) if "input" in field.args else None
    members = getattr(get_named_type(field.type), "types", ())
    if not isinstance(input_type, GraphQLInputObjectType) or not members:
        return ""
    parts = []
    for name, made in members[0].fields.items():
        type_ = get_named_type(made.type)
        if isinstance(type_, GraphQLObjectType) and not made.args:
            same = [
                key
                for key, each in type_.fields.items()
                if key in input_type.fields
                and is_leaf_type(get_named_type(each.type))
                and get_named_type(each.type).name not in NUMBERS
            ]
            parts += [f"{name} {{ {' '.join(same)} }}"] if same else []
    return f"... on {members[0].name} {{ {' '.join(parts)} }}" if parts else ""


def bugs_in(result: ExecutionResult) -> list[str]:
    """Errors that are nobody's mistake but ours."""
    found = []
    for error in result.errors or ():
        cause: BaseException | None = error
        while cause is not None and hasattr(cause, "original_error"):
            cause = cause.original_error
        if cause is not None and not isinstance(cause, FairleadError) and error.path is not None:
            found.append(repr(cause))
    return found


class Trial:
    """What was tried on one world, and what came of it."""

    def __init__(self, graphql: GraphQL, caller: Principal, all_of_them: bool) -> None:
        self.graphql = graphql
        self.caller = caller
        self.bugs: list[str] = []
        self.changed: list[str] = []
        self.tried = self.kept = self.places = 0
        self._all = all_of_them

    def texts(self) -> tuple[str, ...]:
        """The next few, so that each is met in many places."""
        self.places += 1
        if self._all:
            return KEEPABLE
        at = self.places * AT_ONCE % len(KEEPABLE)
        return (KEEPABLE + KEEPABLE)[at : at + AT_ONCE]

    async def put(self, root: str, name: str, base: dict[str, Any]) -> None:
        field = ROOTS[root][name]
        asked = document(root, name, field)
        for path in texts_in(field.args):
            for text in self.texts():
                given = with_text(field.args, base, path, text)
                await self._ask(f"{root}.{name} {'.'.join(path)} {text[:40]!r}", asked, given)
                if root == "Mutation":
                    self._compare(name, path, text)

    async def _ask(self, where: str, asked: str, given: dict[str, Any]) -> None:
        self.tried += 1
        self.data: Any = None
        try:
            async with asyncio.timeout(20):
                if asked.startswith("subscription"):
                    await self._listen(where, asked, given)
                    return
                result = await self.graphql(asked, self.caller, **given)
        except Exception as error:
            self.bugs.append(f"{where}: {error!r}")
            return
        self.data = result.data
        self.bugs += [f"{where}: {each}" for each in bugs_in(result)]

    async def _listen(self, where: str, asked: str, given: dict[str, Any]) -> None:
        context = self.graphql.context(self.caller)
        source: Any = await self.graphql.schema.subscribe(
            asked, variable_values=given, context_value=context
        )
        if isinstance(source, ExecutionResult):
            self.bugs += [f"{where}: {each}" for each in bugs_in(source)]
            return
        with suppress(TimeoutError, StopAsyncIteration):
            async with asyncio.timeout(0.05):
                result: Any = await anext(source)
                self.bugs += [f"{where}: {each}" for each in bugs_in(result)]
        await source.aclose()

    def _compare(self, name: str, path: Path, text: str) -> None:
        """What was kept is shown as it was given, but for space around it."""
        done = (self.data or {}).get(name) or {}
        for made in done.values():
            if len(path) == 2 and isinstance(made, dict) and isinstance(made.get(path[1]), str):
                shown = made[path[1]]
                self.kept += 1
                bare = text.strip()
                # An address is kept without the slash at its end.
                if shown not in (text, bare, bare.rstrip("/") if path[1] == "baseUrl" else bare):
                    self.changed.append(f"{name}.{path[1]}: {text[:40]!r} is {shown[:40]!r}")


async def test_every_text_of_the_schema_is_taken_or_refused_in_words(
    graphql: GraphQL, admin: Principal, world: World, pytestconfig: pytest.Config
) -> None:
    trial = Trial(graphql, admin, pytestconfig.getoption("--naughty"))
    done = {name: first for name, (first, _) in examples(world).items()}
    for root in ("Query", "Subscription"):
        for name, field in ROOTS[root].items():
            base = {
                key: plain(each.type)
                for key, each in field.args.items()
                if isinstance(each.type, GraphQLNonNull)
            }
            await trial.put(root, name, base)
    for name in sorted(ROOTS["Mutation"], key=lambda name: name.startswith(LAST)):
        kind = ROOTS["Mutation"][name].args["input"].type
        await trial.put("Mutation", name, {"input": done.get(name) or plain(kind)})

    assert trial.bugs == []
    assert trial.changed == []
    assert trial.places > 150
    assert trial.tried >= trial.places * AT_ONCE
    assert trial.kept > 50
