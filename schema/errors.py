"""The failures a caller can expect, as members of result unions (domain/errors.py has the tree)."""

import strawberry

from auth.policies import Policy
from domain import errors
from schema.fields import attribute, object_type

MOST_REASONS = 40

strawberry.enum(
    errors.ErrorCode,
    description="Every failure of Fairlead by its stable name, here and on `/v1` alike.",
)


@strawberry.interface(description="A failure the caller can expect and act on.")
class Error:
    message: str = strawberry.field(description="For people.")
    code: errors.ErrorCode = strawberry.field(description="Stable, for programs.")
    retryable: bool = strawberry.field(description="Whether the same request may work later.")


@object_type(Policy.PUBLIC, description="A value is wrong.")
class InvalidInputError(Error):
    field: str = strawberry.field(
        description="The input field at fault, in camelCase; dots lead into nested inputs."
    )


@object_type(Policy.PUBLIC, description="It is not there, or not yours to see.")
class NotFoundError(Error):
    pass


@object_type(Policy.PUBLIC, description="Somebody else was first, or it is in use.")
class ConflictError(Error):
    references: list[str] = attribute(
        description="What refers to a thing that was to be deleted, at most 20.", size=20
    )


@object_type(Policy.PUBLIC, description="The wallet does not cover this.")
class InsufficientCreditsError(Error):
    pass


@object_type(Policy.PUBLIC, description="A rate, a budget or a size limit is reached.")
class LimitExceededError(Error):
    retry_after: float | None = strawberry.field(
        description="Seconds until it may work again; null when waiting does not help."
    )


@object_type(Policy.PUBLIC, description="The upstream provider failed or refused.")
class ProviderError(Error):
    provider: str = strawberry.field(description="The provider's slug.")
    upstream_status: int | None = strawberry.field(
        description="The HTTP status it answered with; null when it never answered."
    )


@object_type(Policy.PUBLIC, description="Models exist, but none may serve this request.")
class NothingEligibleError(Error):
    reasons: list[str] = attribute(
        description="A line for each way the candidates fell out.", size=MOST_REASONS
    )


@object_type(Policy.PUBLIC, description="The database or the disk is away: try again.")
class UnavailableError(Error):
    pass
