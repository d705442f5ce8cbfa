"""Responses as JSON."""

from typing import Any

import orjson

from fairlead.graphql.errors import internal

Response = dict[str, Any]


def encode(response: Response) -> bytes:
    """JSON; an internal error in its place when a resolver returned what JSON cannot hold."""
    try:
        return orjson.dumps(response)
    except TypeError as error:
        return orjson.dumps({"data": None, "errors": [internal(error)]})
