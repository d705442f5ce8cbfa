"""Every failure a caller can expect, named once.

    FairleadError
    ├── InvalidInput          422  a value is wrong; names the field
    ├── MalformedRequest      400  not the JSON, or not the shape, we take
    ├── RequestTooLarge       413
    ├── Unauthenticated       401  no credential, or one we do not know
    ├── Forbidden             403  known, but not allowed to do this
    ├── NotFound              404  absent, or not the caller's to see
    │   └── ModelNotFound          with near matches the caller may see
    ├── Conflict              409  somebody else was first, or it is in use
    │   └── InProgress             the same request is being answered
    ├── InsufficientCredits   402
    ├── LimitExceeded         429  a rate, a budget, or a query too costly
    ├── NothingEligible       422  models exist, but none may serve this request; says why
    ├── ProviderError         502  the upstream failed; carries its status and its own words
    │   ├── ProviderRejected  4xx  the upstream found fault with the request itself
    │   └── ProviderTimeout   504
    └── Unavailable           503  our database or disk is away; try again

The GraphQL layer turns these into union members and the data plane into OpenAI's JSON
shape; neither invents failures of its own.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """Stable, for programs."""

    INVALID_INPUT = "INVALID_INPUT"
    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    CONFLICT = "CONFLICT"
    INSUFFICIENT_CREDITS = "INSUFFICIENT_CREDITS"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    NOTHING_ELIGIBLE = "NOTHING_ELIGIBLE"
    PROVIDER_ERROR = "PROVIDER_ERROR"
    PROVIDER_REJECTED = "PROVIDER_REJECTED"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"


class FairleadError(Exception):
    """`message` is for people, `code` for programs; `retryable` says whether the same may work."""

    code: ClassVar[ErrorCode]
    status: int
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(FairleadError):
    """`field` is the input field at fault, in camelCase."""

    code = ErrorCode.INVALID_INPUT
    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class MalformedRequest(FairleadError):
    """`param` is the path of the part at fault, as in `messages[0].content`, where one is."""

    code = ErrorCode.MALFORMED_REQUEST
    status = 400

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class RequestTooLarge(FairleadError):
    code = ErrorCode.REQUEST_TOO_LARGE
    status = 413


class Unauthenticated(FairleadError):
    code = ErrorCode.UNAUTHENTICATED
    status = 401


class Forbidden(FairleadError):
    code = ErrorCode.FORBIDDEN
    status = 403


class NotFound(FairleadError):
    code = ErrorCode.NOT_FOUND
    status = 404


class ModelNotFound(NotFound):
    """`near` holds similar references that the caller may use."""

    code = ErrorCode.MODEL_NOT_FOUND

    def __init__(self, reference: str, near: Sequence[str] = ()) -> None:
        hint = f" Did you mean {', '.join(f'`{name}`' for name in near)}?" if near else ""
        super().__init__(f"There is no model `{reference}` here.{hint}")
        self.near = tuple(near)


class Conflict(FairleadError):
    """`references` names what uses a thing that was to be deleted."""

    code = ErrorCode.CONFLICT
    status = 409

    def __init__(self, message: str, *, references: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.references = tuple(references)


class InProgress(Conflict):
    retryable = True


class InsufficientCredits(FairleadError):
    code = ErrorCode.INSUFFICIENT_CREDITS
    status = 402


class LimitExceeded(FairleadError):
    """`retry_after` is in seconds, None when waiting does not help."""

    code = ErrorCode.LIMIT_EXCEEDED
    status = 429
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NothingEligible(FairleadError):
    """`reasons`: one line for each way the candidates fell out, with how many."""

    code = ErrorCode.NOTHING_ELIGIBLE
    status = 422

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)


class ProviderError(FairleadError):
    """The upstream failed. `upstream_status` is None when it never answered."""

    code = ErrorCode.PROVIDER_ERROR
    status = 502
    retryable = True

    def __init__(
        self, message: str, *, provider: str = "", upstream_status: int | None = None
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.upstream_status = upstream_status


class ProviderRejected(ProviderError):
    """The upstream says the request itself is at fault: its 4xx is passed on.

    `body` is its own answer where that has OpenAI's shape, else empty.
    """

    code = ErrorCode.PROVIDER_REJECTED
    retryable = False

    def __init__(
        self, message: str, *, provider: str, upstream_status: int, body: bytes = b""
    ) -> None:
        super().__init__(message, provider=provider, upstream_status=upstream_status)
        self.status = upstream_status
        self.body = body


class ProviderTimeout(ProviderError):
    code = ErrorCode.PROVIDER_TIMEOUT
    status = 504


class Unavailable(FairleadError):
    code = ErrorCode.UNAVAILABLE
    status = 503
    retryable = True


def let_go(error: BaseException | None) -> None:
    """Forget where `error` and what led to it were raised, once it has been answered.

    The frames hold the request, and often something in them the error: a cycle as large as the
    body, that nobody looks for before fifty million objects were made.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
