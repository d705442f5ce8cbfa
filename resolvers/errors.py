"""One row per expected failure: the exception the domain raises, the type the client sees."""

from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from domain import errors as domain
from schema import errors as schema


def shown(exception: domain.FairleadError) -> schema.Error:
    """The member of result unions that tells of a failure. Raises it when there is none."""
    common: dict[str, Any] = {
        "message": exception.message,
        "code": exception.code,
        "retryable": exception.retryable,
    }
    match exception:
        case domain.InvalidInput():
            return schema.InvalidInputError(**common, field=exception.field)
        case domain.NotFound():
            return schema.NotFoundError(**common)
        case domain.Conflict():
            return schema.ConflictError(**common, references=list(exception.references))
        case domain.InsufficientCredits():
            return schema.InsufficientCreditsError(**common)
        case domain.LimitExceeded():
            return schema.LimitExceededError(**common, retry_after=exception.retry_after)
        case domain.NothingEligible():
            reasons = list(exception.reasons)[: schema.MOST_REASONS]
            return schema.NothingEligibleError(**common, reasons=reasons)
        case domain.ProviderError():
            return schema.ProviderError(
                **common, provider=exception.provider, upstream_status=exception.upstream_status
            )
        case domain.Unavailable():
            return schema.UnavailableError(**common)
    raise exception


class Shown(strawberry.ExceptionHandler):  # type: ignore[type-arg]
    """Turns one branch of the tree into its type."""

    def __init__(
        self, exception_type: type[domain.FairleadError], error_type: type[schema.Error]
    ) -> None:
        self.exception_type = exception_type
        self.error_type = error_type

    def handle(
        self, exception: domain.FairleadError, *, field: StrawberryField, info: strawberry.Info
    ) -> schema.Error:
        return shown(exception)


HANDLERS = tuple(
    Shown(exception, error)
    for exception, error in (
        (domain.InvalidInput, schema.InvalidInputError),
        (domain.NotFound, schema.NotFoundError),
        (domain.Conflict, schema.ConflictError),
        (domain.InsufficientCredits, schema.InsufficientCreditsError),
        (domain.LimitExceeded, schema.LimitExceededError),
        (domain.NothingEligible, schema.NothingEligibleError),
        (domain.ProviderError, schema.ProviderError),
        (domain.Unavailable, schema.UnavailableError),
    )
)
