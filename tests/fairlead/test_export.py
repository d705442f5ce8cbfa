"""Downloads: what was asked for, by a link that ends, whole or visibly cut off."""

import csv
import io
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
import pytest
from fastapi import FastAPI

from auth.secrets import SecretBox, generate_master_key
from db.models.user import Membership, Organization, User
from db.queries.audit import AuditQuery
from db.queries.settlement import Settlements
from db.queries.usage import Reach, UsageQuery, usage_after
from db.session import Database
from domain import audit_export, usage_export
from domain.audit import AuditAction, AuditObject, record
from domain.download import Download, ExportFormat, csv_lines, link_to
from domain.retention import change_retention, drop_expired
from domain.usage_export import COLUMNS, PATH, asked_of
from fairlead.export import mount_export
from tests.auth.installation import add_key, add_person, revoke
from tests.fairlead.conftest import listening
from tests.turns import taking_turns
from tests.usage import USER, id_at, usage_row

NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=1)
"""A suite takes its time between here and a test."""
MINE = UsageQuery(Reach(False, USER, None), NOW - timedelta(days=2), NOW)


MINE_AS = Download(SOON, USER, None, False, None, ExportFormat.JSON_LINES, {})
"""Without a key, seeing one's own."""


def link(cipher: SecretBox, format: ExportFormat, query: UsageQuery = MINE, **who: Any) -> str:
    told = {"format": format, "asked": asked_of(query), **who}
    return link_to(cipher, PATH, msgspec.structs.replace(MINE_AS, **told))


@pytest.fixture(autouse=True)
async def me(database: Database) -> None:
    async with database.write(None) as session:
        session.add(
            User(id=USER, issuer="https://id.example", subject="me", name="Ada", role="USER")
        )


@pytest.fixture
def cipher() -> SecretBox:
    return SecretBox([generate_master_key()])


@pytest.fixture
async def client(database: Database, cipher: SecretBox) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    mount_export(app, database, cipher)
    async with (
        listening(app) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=20) as found,
    ):
        yield found


async def settle(database: Database, *rows: dict[str, Any]) -> None:
    made = []
    for second, row in enumerate(rows):
        at = NOW - timedelta(hours=1) + timedelta(seconds=second)
        made.append(usage_row(**{"id": id_at(at), "started_at": at, **row}))
    await Settlements(database).settle(made)


async def test_lines_hold_each_request_that_may_be_seen_oldest_first(
    database: Database, client: httpx2.AsyncClient, cipher: SecretBox
) -> None:
    await settle(
        database,
        {"requested_model": "=cmd()", "cost": 1_500_000_000},
        {"requested_model": 'two\n"lines"', "cost": None, "status": "ERROR"},
        {"requested_model": "theirs", "user_id": uuid.uuid4()},
    )

    answer = await client.get(link(cipher, ExportFormat.JSON_LINES))
    lines = [msgspec.json.decode(line) for line in answer.text.splitlines()]
    table = await client.get(link(cipher, ExportFormat.CSV))
    names, *rows = csv.reader(io.StringIO(table.text))

    assert answer.headers["content-type"] == "application/jsonl"
    assert [(line["requested_model"], line["cost"], line["status"]) for line in lines] == [
        ("=cmd()", "1.5", "OK"),
        ('two\n"lines"', None, "ERROR"),
    ]
    assert tuple(names) == COLUMNS
    place = names.index("requested_model")
    assert [row[place] for row in rows] == ["'=cmd()", 'two\n"lines"']
    assert "attachment" in table.headers["content-disposition"]


@pytest.mark.parametrize("start", [*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20"])
def test_no_spreadsheet_carries_out_what_a_caller_wrote(start: str) -> None:
    text = f'{start}HYPERLINK("https://evil.example")'

    [[cell, number]] = csv.reader(io.StringIO(csv_lines([[text, -5]]).decode(), newline=""))

    assert (cell, number) == (f"'{text}", "-5")


async def test_filters_and_pages_hold(
    database: Database,
    client: httpx2.AsyncClient,
    cipher: SecretBox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage_export, "PAGE_ROWS", 3)
    await settle(database, *({"status": "ERROR" if n % 2 else "OK"} for n in range(19)))
    errors = UsageQuery(MINE.reach, MINE.since, MINE.until, statuses=("ERROR",))

    answer = await client.get(link(cipher, ExportFormat.JSON_LINES, errors))

    assert len(answer.text.splitlines()) == 9


async def test_others_have_their_turn_within_a_page(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_export, "_SLICE", 3)
    await settle(database, *({} for _ in range(10)))
    before, found = [], b""
    async with taking_turns() as turns:
        async for lines in usage_export.lines(database, MINE, ExportFormat.JSON_LINES):
            before.append(turns.had)
            found += lines

    assert len(found.splitlines()) == 10
    assert len(before) == 4
    assert len(set(before)) == 4


async def test_days_that_are_dropped_meanwhile_are_left_out_and_the_rest_is_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_export, "PAGE_ROWS", 2)
    now = datetime.now(UTC)
    days = [now - timedelta(days=ago) for ago in (5, 4, 3, 0)]
    made = [usage_row(id=id_at(day), started_at=day) for day in days for _ in range(3)]
    await Settlements(database).settle(made)
    query = UsageQuery(MINE.reach, now - timedelta(days=6), now + timedelta(hours=1))

    found = usage_export.lines(database, query, ExportFormat.JSON_LINES)
    first = await anext(found)
    async with database.write(None) as session:
        await change_retention(session, 4, None)
    assert len(await drop_expired(database)) == 4
    rest = b"".join([each async for each in found])

    told = [msgspec.json.decode(line)["id"] for line in (first + rest).splitlines()]
    kept = [str(row.id) for row in made]
    assert sorted(told) == sorted([*told[:2], *kept[6:]])
    assert len(told) == 8


async def test_a_link_ends_and_cannot_be_changed(
    client: httpx2.AsyncClient, cipher: SecretBox
) -> None:
    good = link(cipher, ExportFormat.CSV)
    old = link(cipher, ExportFormat.CSV, expires=NOW - timedelta(seconds=1))
    other = link(SecretBox([generate_master_key()]), ExportFormat.CSV)
    changed = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]

    elsewhere = good.replace(PATH, audit_export.PATH)
    nothing = (good.partition("?")[0], f"{good.partition('=')[0]}=x")
    for bad in (old, other, changed, *nothing):
        answer = await client.get(bad)
        assert (answer.status_code, "usageExport" in answer.text) == (403, True)
    assert (await client.get(elsewhere)).status_code == 403
    assert (await client.get(good)).status_code == 200


async def test_a_download_that_breaks_off_is_no_whole_one(
    database: Database,
    client: httpx2.AsyncClient,
    cipher: SecretBox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await settle(database, *({} for _ in range(5)))
    pages = 0

    async def broken(*arguments: Any) -> Sequence[Any]:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise RuntimeError("The disk is on fire.")
        return await usage_after(*arguments)

    monkeypatch.setattr(usage_export, "PAGE_ROWS", 2)
    monkeypatch.setattr(usage_export, "usage_after", broken)

    with pytest.raises(httpx2.RemoteProtocolError):
        await client.get(link(cipher, ExportFormat.CSV))


async def changed(database: Database, model: type[Any], id: uuid.UUID, **values: Any) -> None:
    async with database.write(None) as session:
        found = await session.get(model, id)
        for name, value in values.items():
            setattr(found, name, value)


async def test_a_link_ends_with_the_person_and_the_key(
    database: Database, client: httpx2.AsyncClient, cipher: SecretBox
) -> None:
    key, _ = await add_key(database, cipher, USER)
    by_key, by_person = link(cipher, ExportFormat.CSV, api_key=key), link(cipher, ExportFormat.CSV)
    assert (await client.get(by_key)).status_code == 200

    await revoke(database, key)
    assert (await client.get(by_key)).status_code == 403
    assert (await client.get(by_person)).status_code == 200

    await changed(database, User, USER, enabled=False)
    assert (await client.get(by_person)).status_code == 403


async def test_a_link_ends_with_the_right_to_see_what_is_others(
    database: Database, client: httpx2.AsyncClient, cipher: SecretBox
) -> None:
    admin, organization = await add_person(database, "ADMIN"), uuid.uuid4()
    async with database.write(None) as session:
        session.add(Organization(id=organization, slug="research", name="Research"))
        await session.flush()
        session.add(
            Membership(user_id=USER, organization_id=organization, role="ADMIN", origin="MANUAL")
        )
    everybodys = link(cipher, ExportFormat.CSV, user=admin, everybody=True)
    governed = link(cipher, ExportFormat.CSV, governed=organization)
    assert [(await client.get(each)).status_code for each in (everybodys, governed)] == [200, 200]

    await changed(database, User, admin, role="USER")
    async with database.write(None) as session:
        found = await session.get(Membership, (organization, USER))
        assert found is not None
        found.role = "MEMBER"

    assert [(await client.get(each)).status_code for each in (everybodys, governed)] == [403, 403]


async def test_the_log_of_changes_is_for_administrators(
    database: Database, client: httpx2.AsyncClient, cipher: SecretBox
) -> None:
    admin, objects = await add_person(database, "ADMIN"), [uuid.uuid4() for _ in range(3)]
    async with database.write(None) as session:
        for id in objects:
            after = {"name": f"=cmd({id})"}
            await record(session, AuditAction.CREATE, AuditObject.WEBHOOK, id, after=after)
    asked = audit_export.asked_of(AuditQuery(object_types=("WEBHOOK",)))
    given = msgspec.structs.replace(MINE_AS, user=admin, everybody=True, asked=asked)

    def address(download: Download) -> str:
        return link_to(cipher, audit_export.PATH, download)

    answer = await client.get(address(given))
    table = await client.get(address(msgspec.structs.replace(given, format=ExportFormat.CSV)))
    names, *rows = csv.reader(io.StringIO(table.text))

    lines = [msgspec.json.decode(line) for line in answer.text.splitlines()]
    assert [line["object_id"] for line in lines] == [str(id) for id in objects]
    assert lines[1]["previous_hash"] == lines[0]["hash"]
    assert "audit.jsonl" in answer.headers["content-disposition"]
    assert tuple(names) == audit_export.COLUMNS
    assert [row[names.index("number")] for row in rows] == [str(line["number"]) for line in lines]
    assert (
        await client.get(address(msgspec.structs.replace(given, everybody=False)))
    ).status_code == 403
