"""The chain of the audit log: what was altered is found, and the application alters nothing."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from uuid_utils.compat import uuid7

from db.keyset import Row
from db.models.audit import AuditEntry
from db.queries.audit import entries_after
from db.session import Database
from domain.audit import GENESIS, AuditAction, AuditObject, Break, ChainWalk, record


@pytest.fixture
async def log(database: Database) -> None:
    """Five entries, with values whose text could change on the way to the database and back."""
    values: list[Any] = [0.1, 1e15, "…\\x00", {"b": [1, None], "a": True}, -0.0]
    for value in values:
        async with database.write(None) as session:
            after = {"value": value}
            await record(session, AuditAction.UPDATE, AuditObject.MODEL, uuid7(), after=after)


async def entries(database: Database) -> Sequence[Row]:
    async with database.read(None) as session:
        return await entries_after(session, 0, 1000)


async def broken(database: Database, walk: ChainWalk | None = None) -> Break | None:
    followed = walk or ChainWalk()
    return followed.follow(await entries(database)) or followed.end()


async def test_an_entry_that_is_rolled_back_leaves_no_gap(database: Database, log: None) -> None:
    async with database.read(None) as session:
        await record(session, AuditAction.CREATE, AuditObject.MODEL, uuid7())
    async with database.write(None) as session:
        await record(session, AuditAction.DELETE, AuditObject.MODEL, uuid7())

    found = await entries(database)
    assert [row.number for row in found] == [1, 2, 3, 4, 5, 6]
    assert found[-1].action == "DELETE"
    assert found[0].previous_hash == GENESIS
    assert await broken(database) is None


@pytest.mark.parametrize(
    "statement",
    [update(AuditEntry).values(action="CREATE"), delete(AuditEntry), text("TRUNCATE audit_log")],
)
async def test_the_application_cannot_alter_the_log(
    database: Database, log: None, statement: Any
) -> None:
    before = await entries(database)

    with pytest.raises(DBAPIError, match="audit_log is append-only"):
        async with database.write(None) as session:
            await session.execute(statement)

    assert await entries(database) == before


async def tamper(database: Database, statement: str) -> None:
    """As somebody who may switch the trigger off."""
    async with database.write(None) as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(statement))


LAST_HASH = "(SELECT hash FROM audit_log ORDER BY number DESC LIMIT 1)"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE audit_log SET after = '{\"value\": 9}' WHERE number = 2",
            Break(2, "Its content is not what was hashed."),
        ),
        (
            "UPDATE audit_log SET user_id = gen_random_uuid() WHERE number = 3",
            Break(3, "Its content is not what was hashed."),
        ),
        (
            "UPDATE audit_log SET at = at - interval '1 microsecond' WHERE number = 1",
            Break(1, "Its content is not what was hashed."),
        ),
        ("DELETE FROM audit_log WHERE number = 2", Break(2, "It is missing: entry 3 comes next.")),
        (
            f"UPDATE audit_log SET hash = {LAST_HASH} WHERE number = 2",
            Break(2, "Its content is not what was hashed."),
        ),
        (
            f"UPDATE audit_log SET previous_hash = {LAST_HASH} WHERE number = 4",
            Break(4, "It is not chained to the entry before it."),
        ),
    ],
)
async def test_what_was_altered_past_the_trigger_is_found(
    database: Database, log: None, statement: str, found: Break
) -> None:
    assert await broken(database) is None

    await tamper(database, statement)

    assert await broken(database) == found


async def test_entries_cut_off_at_the_end_are_found_by_an_earlier_hash(
    database: Database, log: None
) -> None:
    last = (await entries(database))[-1]
    anchor = (last.number, last.hash)
    assert await broken(database, ChainWalk(anchor)) is None

    await tamper(database, f"DELETE FROM audit_log WHERE number = {last.number}")

    assert await broken(database) is None
    ends = Break(last.number, f"The log ends before entry {last.number}.")
    assert await broken(database, ChainWalk(anchor)) == ends
    other = Break(1, "Its hash is not the one seen earlier.")
    assert await broken(database, ChainWalk((1, GENESIS))) == other
