"""Responses as JSON."""

import orjson

from fairlead.graphql.engine import Response
from fairlead.graphql.errors import internal


def encode(response: Response) -> bytes:
    """JSON; an internal error in its place when a resolver returned what JSON cannot hold."""
    try:
        return orjson.dumps(response)
    except TypeError as error:
        return orjson.dumps({"data": None, "errors": [internal(error)]})
