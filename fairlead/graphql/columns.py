"""Lists of objects, answered column by column: one field of all of them, then the next.

Only what is certain to be answered as graphql-core answers it: plain attributes, and edges that
are plain functions without arguments and give values or loaders' futures. All futures of a level
are awaited before the next level begins, so loaders see all keys at once and no task is made for
any object. The same object met again in a column is answered once: no edge may depend on where it
was met. At anything odd `Odd` is raised, and the list is left to graphql-core: what loaders hold is
not read again.
"""

from asyncio import isfuture
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.pyutils import Path, is_awaitable
from strawberry.types.field import StrawberryField

from fairlead.graphql.leaves import Leaf, leaf_of, shown_by

InfoOf: TypeAlias = Callable[[GraphQLField, Any, GraphQLObjectType, Path], Any]
Answer: TypeAlias = dict[str, Any]


class Odd(Exception):
    """Something that graphql-core had better answer."""


class Shape(NamedTuple):
    """What a field's value becomes: a leaf by `show`, else an object of `type`; or a list of."""

    required: bool
    listed: bool
    item_required: bool
    show: Callable[[Any], Any] | None
    type: GraphQLObjectType | None


class Edge(NamedTuple):
    """A field that is an attribute (`call` is None) or a plain function of its object."""

    field: GraphQLField
    declared: StrawberryField
    shape: Shape
    call: Callable[..., Any] | None
    info_name: str | None


Known: TypeAlias = Mapping[str, Leaf | Edge]


def known_fields(type_: GraphQLObjectType) -> Known:
    """The fields of an object type that columns can be made of."""
    found: dict[str, Leaf | Edge] = {}
    for name, each in type_.fields.items():
        known = leaf_of(each) or _edge(each)
        if known is not None:
            found[name] = known
    return found


def _edge(field: GraphQLField) -> Edge | None:
    declared = (field.extensions or {}).get("strawberry-definition")
    shape = _shape(field.type)
    if declared is None or shape is None or field.args or declared.extensions:
        return None
    resolver = declared.base_resolver
    if resolver is None:
        return Edge(field, declared, shape, None, None)
    others = resolver.parent_parameter or resolver.root_parameter
    if declared.is_async or resolver.self_parameter is None or others is not None:
        return None
    info = resolver.info_parameter
    return Edge(field, declared, shape, resolver.wrapped_func, info and info.name)


def _shape(type_: Any) -> Shape | None:
    required, type_ = _opened(type_)
    listed, item_required = is_list_type(type_), False
    if listed:
        item_required, type_ = _opened(type_.of_type)
    if is_leaf_type(type_):
        return Shape(required, listed, item_required, shown_by(type_), None)
    if is_object_type(type_):
        return Shape(required, listed, item_required, None, type_)
    return None


def _opened(type_: Any) -> tuple[bool, Any]:
    required = is_non_null_type(type_)
    return required, type_.of_type if required else type_


@dataclass(slots=True)
class Plan:
    """One selection on one type. `exact`: the class its objects must have, if it is checked."""

    selected_on: GraphQLObjectType
    exact: type | None
    template: Answer = field(default_factory=dict)
    leaves: list[tuple[str, Leaf]] = field(default_factory=list)
    edges: list[tuple[str, Edge, Any, "Plan | None"]] = field(default_factory=list)


@dataclass(slots=True)
class Level:
    """Objects of one selection, each with its path and its answer in the making."""

    plan: Plan
    sources: list[Any] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def add(self, source: Any, path: Path) -> Answer:
        """A place for the answer about one more object. Raises Odd."""
        exact = self.plan.exact
        if exact is not None and type(source) is not exact:
            raise Odd
        answer = self.plan.template.copy()
        self.sources.append(source)
        self.paths.append(path)
        self.answers.append(answer)
        return answer


class _Column(NamedTuple):
    """An edge's values for all objects of a level, futures among them."""

    level: Level
    key: str
    edge: Edge
    plan: Plan | None
    values: list[Any]


def answered(
    plan: Plan, items: Sequence[Any], required: bool, path: Path, info_of: InfoOf
) -> list[Any] | Awaitable[list[Any]]:
    """The answers about `items`; None for a None among them, unless `required`. Raises Odd."""
    level, found = Level(plan), dict[int, Answer]()
    answers = [
        _object(level, found, item, required, path.add_key(index, None))
        for index, item in enumerate(items)
    ]
    levels: list[Level] = [level]
    while levels:
        columns = _begin(levels, info_of)
        waiting = _futures(columns)
        if waiting:
            return _later(answers, columns, waiting, info_of)
        levels = _end(columns)
    return answers


async def _later(
    answers: list[Any], columns: list[_Column], waiting: list[Any], info_of: InfoOf
) -> list[Any]:
    while columns:
        for each in waiting:
            await each
        columns = _begin(_end(columns), info_of)
        waiting = _futures(columns)
    return answers


def _begin(levels: list[Level], info_of: InfoOf) -> list[_Column]:
    """Answer the leaves, and ask for the values of the edges. Raises Odd."""
    columns = []
    for level in levels:
        pairs = list(zip(level.sources, level.answers, strict=True))
        for key, leaf in level.plan.leaves:
            name, show, nullable = leaf
            for source, answer in pairs:
                value = getattr(source, name)
                if value is not None:
                    value = show(value)
                    if value is None:
                        raise Odd
                elif not nullable:
                    raise Odd
                answer[key] = value
        for key, edge, nodes, plan in level.plan.edges:
            values = _values(level, key, edge, nodes, info_of)
            columns.append(_Column(level, key, edge, plan, values))
    return columns


def _values(level: Level, key: str, edge: Edge, nodes: Any, info_of: InfoOf) -> list[Any]:
    call, type_ = edge.call, level.plan.selected_on
    if call is None:
        return [getattr(source, edge.declared.python_name) for source in level.sources]
    name = edge.info_name
    if name is None:
        return [call(source) for source in level.sources]
    return [
        call(source, **{name: info_of(edge.field, nodes, type_, path.add_key(key, type_.name))})
        for source, path in zip(level.sources, level.paths, strict=True)
    ]


def _futures(columns: list[_Column]) -> list[Any]:
    """Each future once. Raises Odd for what must be awaited and is none."""
    found: dict[int, Any] = {}
    for column in columns:
        for value in column.values:
            if isfuture(value):
                found[id(value)] = value
            elif is_awaitable(value):
                raise Odd
    return list(found.values())


def _end(columns: list[_Column]) -> list[Level]:
    """Put the values in their places; gives the objects that are still to be answered."""
    levels = []
    for level, key, edge, plan, values in columns:
        below = None if plan is None else Level(plan)
        found: dict[int, Answer] = {}
        for value, path, answer in zip(values, level.paths, level.answers, strict=True):
            plain = value.result() if isfuture(value) else value
            answer[key] = _placed(
                edge.shape, below, found, plain, path, key, level.plan.selected_on.name
            )
        if below is not None and below.sources:
            levels.append(below)
    return levels


def _placed(
    shape: Shape,
    below: Level | None,
    found: dict[int, Answer],
    value: Any,
    path: Path,
    key: str,
    type_name: str,
) -> Any:
    if value is None:
        if shape.required:
            raise Odd
        return None
    if not shape.listed:
        if below is None:
            return _leaf(shape, value, True)
        return _object(below, found, value, True, path.add_key(key, type_name))
    if type(value) is not list:
        raise Odd
    if below is None:
        return [_leaf(shape, each, shape.item_required) for each in value]
    whole = path.add_key(key, type_name)
    return [
        _object(below, found, each, shape.item_required, whole.add_key(index, None))
        for index, each in enumerate(value)
    ]


def _leaf(shape: Shape, value: Any, required: bool) -> Any:
    shown = None if value is None or shape.show is None else shape.show(value)
    if shown is None and (required or value is not None):
        raise Odd
    return shown


def _object(level: Level, found: dict[int, Answer], value: Any, required: bool, path: Path) -> Any:
    if value is None:
        if required:
            raise Odd
        return None
    known = found.get(id(value))
    if known is None:
        if isinstance(value, Exception) or is_awaitable(value):
            raise Odd
        known = found[id(value)] = level.add(value, path)
    return known
