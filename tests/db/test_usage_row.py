"""What is encoded here for COPY is stored as what the driver encodes from the same values."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from db.queries.usage_row import (
    COPY_COLUMNS,
    COPY_END,
    COPY_HEADER,
    FAULTS,
    UsageRow,
    copy_record,
)
from tests.usage import usage_row

STAGING = """
    CREATE TEMP TABLE staged AS
    SELECT u.*, d.decision, d.attempts AS attempt_log, 0::bigint AS spend, u.id AS wallet_id,
        '{}'::uuid[] AS budget_ids, u.id AS lease_id, 0::bigint AS leased
    FROM llm_usage_logs u, llm_decisions d WITH NO DATA;
    CREATE TEMP TABLE expected (LIKE staged)
"""
WHOLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ODD = ["", "null", "NULL", "\\N", "\\.", 'a "quoted", one', "a\tb\r\nc\b\f", "{1}", "\x7f\x85😀"]
TEXTS = WHOLE | st.sampled_from(ODD)
KEYS = st.uuids() | st.uuids().map(str)
INT4, INT8 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | INT8 | TEXTS,
    lambda some: st.lists(some) | st.dictionaries(TEXTS, some),
    max_leaves=5,
).map(msgspec.json.encode)

ROWS = st.builds(
    UsageRow,
    id=st.uuids(),
    started_at=st.datetimes(timezones=st.just(UTC)),
    user_id=KEYS,
    organization_id=st.none() | KEYS,
    api_key_id=st.none() | KEYS,
    requested_model=TEXTS,
    provider_id=st.none() | KEYS,
    provider_slug=st.none() | TEXTS,
    model_id=st.none() | KEYS,
    model_name=st.none() | TEXTS,
    price_id=st.none() | KEYS,
    input_tokens=INT8,
    cached_tokens=INT8,
    cache_write_tokens=INT8,
    cache_write_1h_tokens=INT8,
    output_tokens=INT8,
    reasoning_tokens=INT8,
    usage_source=TEXTS,
    cost=st.none() | INT8,
    credits_charged=INT8,
    key_owner=st.none() | TEXTS,
    latency_ms=INT4,
    first_token_ms=st.none() | INT4,
    status=TEXTS,
    error_class=st.none() | TEXTS,
    attempts=st.integers(-(2**15), 2**15 - 1),
    streamed=st.booleans(),
    decision=st.none() | DOCUMENTS,
    attempt_log=DOCUMENTS,
    spend=st.none() | INT8,
    wallet_id=st.none() | KEYS,
    budget_ids=st.lists(KEYS, max_size=3).map(tuple),
    lease_id=st.none() | KEYS,
    leased=INT8,
)


async def stored(database_url: str, rows: Sequence[UsageRow]) -> tuple[list[Any], list[Any]]:
    """What is there of rows that were encoded here, and of rows that the driver encoded."""

    async def pieces() -> AsyncIterator[bytes]:
        yield COPY_HEADER
        for row in rows:
            yield copy_record(row)
        yield COPY_END

    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await connection.execute(STAGING)
        await connection.copy_to_table(
            "staged", source=pieces(), columns=COPY_COLUMNS, format="binary"
        )
        await connection.copy_records_to_table(
            "expected", records=map(with_text, rows), columns=UsageRow._fields
        )
        columns = ", ".join(UsageRow._fields)
        ours = await connection.fetch(f"SELECT {columns} FROM staged")
        theirs = await connection.fetch(f"SELECT {columns} FROM expected")
        return [tuple(row) for row in ours], [tuple(row) for row in theirs]
    finally:
        await connection.close()


def with_text(row: UsageRow) -> tuple[Any, ...]:
    """As the driver takes it: JSON is text to it."""
    decision = None if row.decision is None else row.decision.decode()
    return tuple(row._replace(decision=decision, attempt_log=row.attempt_log.decode()))  # type: ignore[arg-type]


def test_the_columns_are_those_of_the_row() -> None:
    assert sorted(COPY_COLUMNS) == sorted(UsageRow._fields)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROWS, max_size=20))
@example(
    rows=[usage_row(requested_model=text, provider_slug=text, model_name=text) for text in ODD]
)
def test_any_row_is_stored_as_the_driver_stores_it(database_url: str, rows: list[UsageRow]) -> None:
    ours, theirs = asyncio.run(stored(database_url, rows))

    assert len(ours) == len(rows)
    assert ours == theirs


@pytest.mark.parametrize(
    "fault",
    [
        {"id": None},
        {"started_at": None},
        {"requested_model": None},
        {"requested_model": "\ud800"},
        {"provider_slug": "\udfff"},
        {"user_id": "not a key"},
        {"user_id": "00"},
        {"price_id": "0" * 34},
        {"wallet_id": "0" * 31},
        {"budget_ids": ("",)},
        {"cost": 2**63},
        {"spend": 0.5},
        {"latency_ms": 2**31},
        {"attempts": 2**15},
        {"input_tokens": None},
        {"attempt_log": None},
    ],
)
def test_what_a_column_does_not_take_is_no_record(fault: dict[str, Any]) -> None:
    with pytest.raises(FAULTS):
        copy_record(usage_row(**fault))
