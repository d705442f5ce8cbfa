"""What a caller may read about a failure: their own mistakes in full, ours as a number."""

import re
import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLFormattedError

from db.session import database_is_away, sqlstate
from domain.errors import ErrorCode, FairleadError, LimitExceeded, Unavailable

log = structlog.get_logger(__name__)

INTERNAL = "INTERNAL"
TIMEOUT = "TIMEOUT"

_CANCELLED = "57014"
"""PostgreSQL's code for a statement that ran into its timeout."""

_ECHO = re.compile(r"([,;] found|: [A-Z][A-Za-z]* cannot represent[^:]*): .*$", re.DOTALL)
"""graphql-core repeats a wrong value in its message; the value may be somebody's secret."""


class Refused(Exception):
    """The operation does not run. `status` is HTTP's, `retry_after` in seconds."""

    def __init__(
        self,
        errors: Sequence[GraphQLFormattedError],
        status: int = 400,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(errors[0]["message"])
        self.errors = list(errors)
        self.status = status
        self.retry_after = retry_after


def refused(error: FairleadError) -> Refused:
    """One of our own errors in GraphQL's shape."""
    wait = error.retry_after if isinstance(error, LimitExceeded) else None
    if isinstance(error, Unavailable):
        wait = 5.0
    return Refused([_plain(error.message, error.code.value)], error.status, wait)


def shown(errors: Sequence[GraphQLError]) -> list[GraphQLFormattedError]:
    """Errors as a caller may see them; what we did not expect is logged under an id."""
    return [_shown(error) for error in errors]


def internal(error: BaseException, **where: Any) -> GraphQLFormattedError:
    """Log an exception nobody expected; the caller gets only the id to ask about."""
    error_id = uuid.uuid4().hex[:12]
    log.error(
        "graphql_internal_error",
        error_id=error_id,
        exc_info=(type(error), error, error.__traceback__),
        **where,
    )
    return {
        "message": f"Internal error {error_id}.",
        "extensions": {"code": INTERNAL, "errorId": error_id},
    }


def timed_out(seconds: float) -> GraphQLFormattedError:
    return _plain(f"The operation took longer than {seconds:g} seconds.", TIMEOUT)


def _shown(error: GraphQLError) -> GraphQLFormattedError:
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    formatted = error.formatted
    if error.path is None:
        # Not from a resolver: syntax, validation, or a variable that does not fit its type.
        formatted["message"] = _ECHO.sub(r"\1.", error.message)
        return formatted
    if isinstance(cause, FairleadError):
        formatted["message"] = cause.message
        formatted["extensions"] = {"code": cause.code.value}
        return formatted
    if cause is None:
        return formatted
    if sqlstate(cause) == _CANCELLED:
        return {**formatted, **_plain("The database took too long to answer.", TIMEOUT)}
    if database_is_away(cause):
        code = ErrorCode.UNAVAILABLE.value
        return {**formatted, **_plain("The database is away: try again soon.", code)}
    return {**formatted, **internal(cause, path=".".join(map(str, error.path)))}


def _plain(message: str, code: str) -> GraphQLFormattedError:
    return {"message": message, "extensions": {"code": code}}
