"""A usage row, and how COPY takes it: in PostgreSQL's binary format.

The driver would look at each value; here the numbers are packed in one step, and what rows have in
common is packed once for many.
"""

import struct
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from struct import Struct
from typing import NamedTuple

Key = uuid.UUID | str
"""As text it is looked at less."""


class UsageRow(NamedTuple):
    """A row of `llm_usage_logs` without its batch, of `llm_decisions` as JSON in UTF-8, and money.

    `spend` is None where nothing was held, else what is to be paid: see db/queries/charge.py.
    `leased` of the lease `lease_id` was granted to it.
    """

    id: uuid.UUID
    started_at: datetime
    user_id: Key
    organization_id: Key | None
    api_key_id: Key | None
    requested_model: str
    provider_id: Key | None
    provider_slug: str | None
    model_id: Key | None
    model_name: str | None
    price_id: Key | None
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usage_source: str
    cost: int | None
    credits_charged: int
    key_owner: str | None
    latency_ms: int
    first_token_ms: int | None
    status: str
    error_class: str | None
    attempts: int
    streamed: bool
    decision: bytes | None
    attempt_log: bytes
    spend: int | None = None
    wallet_id: Key | None = None
    budget_ids: tuple[Key, ...] = ()
    lease_id: Key | None = None
    leased: int = 0


LOG_COLUMNS = UsageRow._fields[: UsageRow._fields.index("decision")]
"""Those of `llm_usage_logs`."""
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"

_NUMBERS = (
    *("id", "started_at", "input_tokens", "cached_tokens", "cache_write_tokens"),
    *("cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "credits_charged"),
    *("latency_ms", "attempts", "streamed"),
)
"""Never NULL, and always of the same length."""
_WHO = ("user_id", "organization_id", "api_key_id")
_WHAT = ("provider_id", "model_id", "price_id")
_NAMES = ("provider_slug", "model_name", "usage_source", "key_owner", "status", "error_class")
_FIRST = (*_NUMBERS, *_WHO, *_WHAT, *_NAMES)
COPY_COLUMNS = (*_FIRST, *(name for name in UsageRow._fields if name not in _FIRST))
"""In the order in which `copy_record` gives them."""

_who, _what, _names = attrgetter(*_WHO), attrgetter(*_WHAT), attrgetter(*_NAMES)
_numbers = Struct(">h i16s iq iqiqiqiqiqiqiq ii ih i?").pack
_length, _int4, _int8 = Struct(">i").pack, Struct(">ii").pack, Struct(">iq").pack
_json_head, _array_head = Struct(">iB").pack, Struct(">iiiIii").pack

_NULL = b"\xff\xff\xff\xff"
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_JSONB_VERSION = 1
_KEY_BYTES, _UUID_TYPE = 16, 2950
_KEY_HEAD = _length(_KEY_BYTES)
_NO_KEYS = Struct(">iiiI").pack(12, 0, 0, _UUID_TYPE)
_REMEMBERED = 512
"""Of callers and models together, of names, and of budgets: each takes a quarter of a megabyte."""

FAULTS = (struct.error, AttributeError, OverflowError, TypeError, ValueError)
"""What `copy_record` raises of a value that its column does not take."""


def copy_record(row: UsageRow) -> bytes:
    """The values of `COPY_COLUMNS`, each behind its length. Raises `FAULTS`; of some faults only
    the database tells: text with a NUL, JSON that is none."""
    asked, decision, log = row.requested_model.encode(), row.decision, row.attempt_log
    cost, first_token_ms, spend, wallet_id = row.cost, row.first_token_ms, row.spend, row.wallet_id
    lease_id = row.lease_id
    return b"".join(
        (
            _packed(row),
            _keys(_who(row)),
            _keys(_what(row)),
            _texts(_names(row)),
            _length(len(asked)),
            asked,
            _NULL if cost is None else _int8(8, cost),
            _NULL if first_token_ms is None else _int4(4, first_token_ms),
            _NULL if decision is None else _json_head(len(decision) + 1, _JSONB_VERSION) + decision,
            _json_head(len(log) + 1, _JSONB_VERSION),
            log,
            _NULL if spend is None else _int8(8, spend),
            _NULL if wallet_id is None else _key(wallet_id),
            _array(row.budget_ids) if row.budget_ids else _NO_KEYS,
            _NULL if lease_id is None else _key(lease_id),
            _int8(8, row.leased),
        )
    )


def _packed(row: UsageRow) -> bytes:
    """How many columns there are, and the `_NUMBERS`."""
    return _numbers(
        len(COPY_COLUMNS),
        _KEY_BYTES,
        row.id.int.to_bytes(16, "big"),
        8,
        (row.started_at - _EPOCH) // _MICROSECOND,
        8,
        row.input_tokens,
        8,
        row.cached_tokens,
        8,
        row.cache_write_tokens,
        8,
        row.cache_write_1h_tokens,
        8,
        row.output_tokens,
        8,
        row.reasoning_tokens,
        8,
        row.credits_charged,
        4,
        row.latency_ms,
        2,
        row.attempts,
        1,
        row.streamed,
    )


@lru_cache(_REMEMBERED)
def _keys(values: tuple[Key | None, ...]) -> bytes:
    return b"".join([_NULL if value is None else _key(value) for value in values])


@lru_cache(_REMEMBERED)
def _texts(values: tuple[str | None, ...]) -> bytes:
    return b"".join([_NULL if value is None else _text(value) for value in values])


def _key(value: Key) -> bytes:
    data = bytes.fromhex(value.replace("-", "")) if isinstance(value, str) else value.bytes
    if len(data) != _KEY_BYTES:
        raise ValueError("no key")
    return _KEY_HEAD + data


def _text(value: str) -> bytes:
    data = value.encode()
    return _length(len(data)) + data


@lru_cache(_REMEMBERED)
def _array(values: tuple[Key, ...]) -> bytes:
    items = b"".join(map(_key, values))
    return _array_head(20 + len(items), 1, 0, _UUID_TYPE, len(values), 1) + items
