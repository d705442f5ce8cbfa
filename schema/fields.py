"""The only way to declare fields and object types: a policy is not optional.

A root field has its own policy. An object type has one for all its fields; a field may be
stricter. schema/policies.py checks at build time that none is missing, so plain attributes stay
plain and reading one costs nothing.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension
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
PATIENCE = "patience"
"""Metadata key: seconds a root field may take that waits for somebody else."""
WEIGHT = "weight"
"""Metadata key: what a field costs beyond the objects it returns (schema/cost.py)."""

POLICY = "__fairlead_policy__"
"""Class attribute that holds an object type's policy."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a field, and what an API key must be allowed to do for it."""

    policy: Policy
    scope: Scope


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


def _metadata(
    access: Access | None, size: int | None, weight: int | None, patience: float | None = None
) -> dict[str, Any]:
    given = {ACCESS: access, SIZE: size, WEIGHT: weight, PATIENCE: patience}
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
    patience: float | None = None,
) -> Decorator:
    def decorate(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(
            resolver,
            name=name,
            description=description,
            graphql_type=graphql_type,
            is_subscription=is_subscription,
            metadata=_metadata(access, size, weight, patience),
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
    patience: float | None = None,
) -> Decorator:
    """A field of Mutation. `patience`: the seconds it may take, where that is a provider's."""
    return _guarded(
        Access(policy, scope),
        description=description,
        size=None,
        weight=weight,
        graphql_type=graphql_type,
        name=name,
        patience=patience,
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
        setattr(cls, POLICY, policy)
        return strawberry.type(cls, name=name, description=description)

    return decorate


def result(name: str) -> Any:
    """The union a mutation answers with, as metadata of its annotation."""
    return strawberry.union(
        name, description="The payload when it is done, else a failure that can be expected."
    )
