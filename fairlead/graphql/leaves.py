"""Plain attributes that are leaves: how their values are read and shown."""

from collections.abc import Callable
from typing import Any, NamedTuple

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLString,
    is_leaf_type,
    is_non_null_type,
)

UNREAD: Any = object()
"""What `Leaf.read` gives when something is the matter with a value."""

_AS_THEY_ARE = {
    GraphQLString.name: str,
    GraphQLID.name: str,
    GraphQLBoolean.name: bool,
}
"""Scalars, and the Python type whose values they show unchanged."""


class Leaf(NamedTuple):
    """A plain attribute: its name in Python, and how its values are shown."""

    name: str
    show: Callable[[Any], Any]
    nullable: bool

    def read(self, source: Any) -> Any:
        """The value as it is answered; `UNREAD` when something is the matter with it."""
        try:
            value = getattr(source, self.name)
            shown = None if value is None else self.show(value)
        except Exception:
            return UNREAD
        return UNREAD if shown is None and not (value is None and self.nullable) else shown


def leaf_of(field: GraphQLField) -> Leaf | None:
    """How a field is read that is a plain attribute and a leaf."""
    declared = (field.extensions or {}).get("strawberry-definition")
    required = is_non_null_type(field.type)
    type_: Any = field.type.of_type if is_non_null_type(field.type) else field.type
    if declared is None or not declared.is_basic_field or not is_leaf_type(type_):
        return None
    return Leaf(declared.python_name, shown_by(type_), not required)


def shown_by(type_: Any) -> Callable[[Any], Any]:
    """What a leaf type shows a value as; the common cases without its own checks."""
    plain = _AS_THEY_ARE.get(type_.name)
    if plain is not None:
        return _unchanged(plain, type_.coerce_output_value)
    if isinstance(type_, GraphQLEnumType):
        return _named(type_)
    coerce: Callable[[Any], Any] = type_.coerce_output_value
    return coerce


def _unchanged(plain: type, coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is plain else coerce(value)


def _named(type_: GraphQLEnumType) -> Callable[[Any], Any]:
    coerce, wrapped = type_.coerce_output_value, getattr(type_, "wrapped_cls", None)
    if wrapped is None:
        return coerce
    names = {id(member): coerce(member) for member in wrapped}

    def show(value: Any) -> Any:
        known = names.get(id(value))
        return coerce(value) if known is None else known

    return show
