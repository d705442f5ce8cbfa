"""A GraphQL request as it came in, checked to the last type: nothing odd gets any further."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from domain.errors import MalformedRequest

MAX_BODY = 256 * 1024
MAX_PROMPTS = 20 * 1024 * 1024
"""Bytes; of an operation that carries a prompt as many as on `/v1`."""
_MAX_JSON_DEPTH = 16
_MAX_MEMBERS = 1_000
_MAX_VALUES = 20_000


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


def decode_json(raw: bytes | str) -> Any:
    """Strict JSON of bounded depth: no NaN, no lone surrogates, only UTF-8.

    Raises MalformedRequest.
    """
    try:
        value = orjson.loads(raw)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise MalformedRequest("The body is not JSON.") from error
    if isinstance(value, dict | list):
        _check_shape(value)
    return value


def decode_request(body: bytes) -> GraphQLRequest:
    """Raises MalformedRequest."""
    return request_of(decode_json(body))


def request_of(value: Any) -> GraphQLRequest:
    """A request from decoded JSON. Raises MalformedRequest."""
    if isinstance(value, list):
        raise MalformedRequest("Batches are not taken: send one operation a request.")
    if not isinstance(value, dict):
        raise MalformedRequest("The body must be a JSON object.")
    query = value.get("query")
    if not isinstance(query, str) or not query:
        raise MalformedRequest("`query` must be a string with an operation.")
    name = value.get("operationName")
    if name is not None and not isinstance(name, str):
        raise MalformedRequest("`operationName` must be a string.")
    for key in ("variables", "extensions"):
        if value.get(key) is not None and not isinstance(value[key], dict):
            raise MalformedRequest(f"`{key}` must be an object.")
    return GraphQLRequest(query, name or None, value.get("variables") or {})


def _check_shape(value: Any) -> None:
    """What is wrong with an object is told with all of it, so that it may not be endless."""
    values, pending = 0, [(value, 1)]
    while pending:
        each, level = pending.pop()
        if level > _MAX_JSON_DEPTH:
            raise MalformedRequest(f"The JSON is nested more than {_MAX_JSON_DEPTH} levels deep.")
        values += len(each)
        if values > _MAX_VALUES:
            raise MalformedRequest(f"The JSON holds more than {_MAX_VALUES} values.")
        if isinstance(each, dict):
            if len(each) > _MAX_MEMBERS:
                text = f"An object of the JSON has more than {_MAX_MEMBERS} members."
                raise MalformedRequest(text)
            each = each.values()
        pending += [(one, level + 1) for one in each if isinstance(one, dict | list)]
