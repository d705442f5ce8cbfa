"""One row per expected failure: the exception the domain raises, the type the client sees."""

from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from domain import errors as domain
from schema import errors as schema


def _common(exception: domain.FairleadError) -> dict[str, Any]:
    return {
        "message": exception.message,
        "code": exception.code,
        "retryable": exception.retryable,
    }


class OnInvalidInput(strawberry.ExceptionHandler[domain.InvalidInput, schema.InvalidInputError]):
    def handle(
        self, exception: domain.InvalidInput, *, field: StrawberryField, info: strawberry.Info
    ) -> schema.InvalidInputError:
        return schema.InvalidInputError(**_common(exception), field=exception.field)


class OnNotFound(strawberry.ExceptionHandler[domain.NotFound, schema.NotFoundError]):
    def handle(
        self, exception: domain.NotFound, *, field: StrawberryField, info: strawberry.Info
    ) -> schema.NotFoundError:
        return schema.NotFoundError(**_common(exception))


class OnConflict(strawberry.ExceptionHandler[domain.Conflict, schema.ConflictError]):
    def handle(
        self, exception: domain.Conflict, *, field: StrawberryField, info: strawberry.Info
    ) -> schema.ConflictError:
        return schema.ConflictError(**_common(exception), references=list(exception.references))


class OnInsufficientCredits(
    strawberry.ExceptionHandler[domain.InsufficientCredits, schema.InsufficientCreditsError]
):
    def handle(
        self,
        exception: domain.InsufficientCredits,
        *,
        field: StrawberryField,
        info: strawberry.Info,
    ) -> schema.InsufficientCreditsError:
        return schema.InsufficientCreditsError(**_common(exception))


class OnLimitExceeded(strawberry.ExceptionHandler[domain.LimitExceeded, schema.LimitExceededError]):
    def handle(
        self, exception: domain.LimitExceeded, *, field: StrawberryField, info: strawberry.Info
    ) -> schema.LimitExceededError:
        return schema.LimitExceededError(**_common(exception), retry_after=exception.retry_after)


class OnProviderError(strawberry.ExceptionHandler[domain.ProviderError, schema.ProviderError]):
    def handle(
        self, exception: domain.ProviderError, *, field: StrawberryField, info: strawberry.Info
    ) -> schema.ProviderError:
        return schema.ProviderError(
            **_common(exception),
            provider=exception.provider,
            upstream_status=exception.upstream_status,
        )


HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    OnInvalidInput(),
    OnNotFound(),
    OnConflict(),
    OnInsufficientCredits(),
    OnLimitExceeded(),
    OnProviderError(),
)
