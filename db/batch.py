"""Conditions over many keys at once: one array parameter, one prepared statement for any number."""

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam


def among(column: ColumnElement[Any], keys: Iterable[uuid.UUID]) -> ColumnElement[bool]:
    """Whether `column` is one of `keys`."""
    array = bindparam(None, list(keys), type_=ARRAY(Uuid), unique=True)
    return column == any_(array)
