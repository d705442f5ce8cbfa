"""Responses as JSON."""

from typing import Any

import orjson
from graphql import ExecutionResult

from fairlead.graphql.errors import internal, shown

Response = dict[str, Any]


def encode(response: Response) -> bytes:
    """JSON; an internal error in its place when a resolver returned what JSON cannot hold."""
    try:
        return orjson.dumps(response)
    except TypeError as error:
        return orjson.dumps({"data": None, "errors": [internal(error)]})


def encoded(result: ExecutionResult) -> bytes:
    """What an execution came to, as JSON."""
    errors = shown(result.errors or [])
    return encode({"errors": errors, "data": result.data} if errors else {"data": result.data})
