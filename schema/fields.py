"""The only way to declare fields and object types: a policy is not optional.

A root field has its own policy. An object type has one for all its fields; a field may be
stricter. `check_policies` runs when the schema is built and raises where one is missing, or
where a field would hand out objects that are more private than itself. Plain attributes stay
plain: the check is done at build time, so reading one costs nothing.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.types.base import (
    StrawberryContainer,
    StrawberryObjectDefinition,
    get_object_definition,
)
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion
from typing_extensions import dataclass_transform

from auth.policies import Policy, allows
from domain.errors import ErrorCode
from domain.principal import Scope

Cls = TypeVar("Cls", bound=type)
Decorator = Callable[[Callable[..., Any]], Any]

ACCESS = "access"
"""Metadata key of a field's own `Access`."""
SIZE = "size"
"""Metadata key: how many items a list holds at most when no argument says so (schema/cost.py)."""
WEIGHT = "weight"
"""Metadata key: what a field costs beyond the objects it returns (schema/cost.py)."""

_POLICY = "__fairlead_policy__"
_STRICTNESS = {
    Policy.PUBLIC: 0,
    Policy.SIGNED_IN: 1,
    Policy.SELF: 1,
    Policy.ORG_MEMBER: 2,
    Policy.ORG_ADMIN: 3,
    Policy.ADMIN: 4,
}


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a field, and what an API key must be allowed to do for it."""

    policy: Policy
    scope: Scope


class MissingPolicyError(TypeError):
    """The schema declares something that nobody decided who may see."""


class _Guard(FieldExtension):
    """Refuses with UNAUTHENTICATED for strangers and FORBIDDEN for the rest."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def _check(self, info: strawberry.Info) -> None:
        principal = info.context.principal
        if allows(self._access.policy, self._access.scope, principal):
            return
        if principal is None:
            raise GraphQLError(
                "Sign in to do this.", extensions={"code": ErrorCode.UNAUTHENTICATED.value}
            )
        needs = f"{self._access.policy} with scope {self._access.scope}"
        raise GraphQLError(f"This needs: {needs}.", extensions={"code": ErrorCode.FORBIDDEN.value})

    def resolve(
        self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        self._check(info)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self,
        next_: Callable[..., Awaitable[Any]],
        source: Any,
        info: strawberry.Info,
        **kwargs: Any,
    ) -> Any:
        self._check(info)
        result = next_(source, info, **kwargs)
        return result if inspect.isasyncgen(result) else await result


def _metadata(access: Access | None, size: int | None, weight: int | None) -> dict[str, Any]:
    given = {ACCESS: access, SIZE: size, WEIGHT: weight}
    return {key: value for key, value in given.items() if value is not None}


def _guarded(
    access: Access,
    *,
    description: str,
    size: int | None,
    weight: int | None,
    graphql_type: Any,
    name: str | None,
    is_subscription: bool = False,
) -> Decorator:
    def decorate(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(
            resolver,
            name=name,
            description=description,
            graphql_type=graphql_type,
            is_subscription=is_subscription,
            metadata=_metadata(access, size, weight),
            extensions=[] if access.policy is Policy.PUBLIC else [_Guard(access)],
        )

    return decorate


def query_field(
    policy: Policy,
    *,
    description: str,
    scope: Scope = Scope.READ,
    size: int | None = None,
    weight: int | None = None,
    graphql_type: Any = None,
    name: str | None = None,
) -> Decorator:
    """A field of Query. `size`: the most items it returns when no argument says how many."""
    return _guarded(
        Access(policy, scope),
        description=description,
        size=size,
        weight=weight,
        graphql_type=graphql_type,
        name=name,
    )


def mutation_field(
    policy: Policy,
    *,
    description: str,
    scope: Scope = Scope.MANAGE,
    weight: int | None = None,
    graphql_type: Any = None,
    name: str | None = None,
) -> Decorator:
    """A field of Mutation."""
    return _guarded(
        Access(policy, scope),
        description=description,
        size=None,
        weight=weight,
        graphql_type=graphql_type,
        name=name,
    )


def subscription_field(
    policy: Policy,
    *,
    description: str,
    scope: Scope = Scope.READ,
    weight: int | None = None,
    graphql_type: Any = None,
    name: str | None = None,
) -> Decorator:
    """A field of Subscription; the guard runs when it starts, the feed checks again per event."""
    return _guarded(
        Access(policy, scope),
        description=description,
        size=None,
        weight=weight,
        graphql_type=graphql_type,
        name=name,
        is_subscription=True,
    )


def edge(
    *,
    description: str,
    policy: Policy | None = None,
    size: int | None = None,
    weight: int | None = None,
    graphql_type: Any = None,
    name: str | None = None,
) -> Decorator:
    """A computed field of an object type: a plain function that returns a loader's future.

    Without `policy` that of its type applies; with one it must be stricter and is checked on use.
    """
    access = None if policy is None else Access(policy, Scope.READ)

    def decorate(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(
            resolver,
            name=name,
            description=description,
            graphql_type=graphql_type,
            metadata=_metadata(access, size, weight),
            extensions=[] if access is None else [_Guard(access)],
        )

    return decorate


def attribute(
    *, description: str | None = None, size: int | None = None, name: str | None = None
) -> Any:
    """A plain attribute of an object type. A list must say its greatest `size`."""
    return strawberry.field(
        name=name, description=description, metadata=_metadata(None, size, None)
    )


@dataclass_transform(
    order_default=True, kw_only_default=True, field_specifiers=(strawberry.field, attribute)
)
def object_type(
    policy: Policy | None, *, description: str, name: str | None = None
) -> Callable[[Cls], Cls]:
    """An object type whose fields all have `policy`; None: generic, as strict as its arguments."""

    def decorate(cls: Cls) -> Cls:
        setattr(cls, _POLICY, policy)
        return strawberry.type(cls, name=name, description=description)

    return decorate


def policy_of_type(definition: StrawberryObjectDefinition) -> Policy | None:
    """The policy an object type was declared with, None when it was declared without one."""
    if definition.type_var_map:
        inner = [_object_of(argument) for argument in definition.type_var_map.values()]
        found = [policy_of_type(each) for each in inner if each is not None]
        known = [policy for policy in found if policy is not None]
        return max(known, key=_STRICTNESS.__getitem__, default=None)
    declared: Policy | None = vars(definition.origin).get(_POLICY)
    return declared


def policies_of(schema: strawberry.Schema) -> Iterator[tuple[str, Access | None]]:
    """Every object field as `Type.field`, and who may use it; None where nobody said."""
    for definition in _object_types(schema):
        of_type = policy_of_type(definition)
        for field in definition.fields:
            yield _name(definition, field), _access(of_type, field)


def check_policies(schema: strawberry.Schema) -> None:
    """Raise `MissingPolicyError` unless each field has a policy as strict as what it returns."""
    problems = []
    for definition in _object_types(schema):
        of_type = policy_of_type(definition)
        for field in definition.fields:
            name, access = _name(definition, field), _access(of_type, field)
            if access is None:
                problems.append(f"{name} has no policy")
                continue
            problems += [
                f"{name} is less strict than {inner.name}"
                for inner in _objects_of(field.type)
                if _strictness(policy_of_type(inner)) > _STRICTNESS[access.policy]
            ]
    if problems:
        raise MissingPolicyError("; ".join(sorted(problems)))


def _access(of_type: Policy | None, field: StrawberryField) -> Access | None:
    own: Access | None = field.metadata.get(ACCESS)
    if own is not None:
        return own
    return None if of_type is None else Access(of_type, Scope.READ)


def _strictness(policy: Policy | None) -> int:
    return 0 if policy is None else _STRICTNESS[policy]


def _name(definition: StrawberryObjectDefinition, field: StrawberryField) -> str:
    return f"{definition.name}.{field.graphql_name or field.python_name}"


def _object_types(schema: strawberry.Schema) -> Iterator[StrawberryObjectDefinition]:
    for entry in schema.schema_converter.type_map.values():
        found = entry.definition
        if isinstance(found, StrawberryObjectDefinition) and not _is_abstract(found):
            yield found


def _is_abstract(definition: StrawberryObjectDefinition) -> bool:
    return definition.is_input or definition.is_interface


def _objects_of(type_: Any) -> Sequence[StrawberryObjectDefinition]:
    """The object types a field's type may yield: itself, or the members of its union."""
    while isinstance(type_, StrawberryContainer):
        type_ = type_.of_type
    members = type_.types if isinstance(type_, StrawberryUnion) else (type_,)
    return [found for found in map(_object_of, members) if found is not None]


def _object_of(type_: Any) -> StrawberryObjectDefinition | None:
    while isinstance(type_, StrawberryContainer):
        type_ = type_.of_type
    if isinstance(type_, LazyType):
        type_ = type_.resolve_type()
    return get_object_definition(type_)
