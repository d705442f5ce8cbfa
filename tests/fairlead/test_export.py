"""Downloads of usage: what was asked for, by a link that ends, whole or visibly cut off."""

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
from db.queries.settlement import Settlements
from db.queries.usage import Reach, UsageQuery, usage_after
from db.session import Database
from domain import usage_export
from domain.usage_export import COLUMNS, ExportFormat, link_to
from fairlead.export import mount_export
from tests.fairlead.conftest import listening
from tests.usage import USER, id_at, usage_row

NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=1)
"""A suite takes its time between here and a test."""
MINE = UsageQuery(Reach(False, USER, None), NOW - timedelta(days=2), NOW)


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

    answer = await client.get(link_to(cipher, MINE, ExportFormat.JSON_LINES, SOON))
    lines = [msgspec.json.decode(line) for line in answer.text.splitlines()]
    table = await client.get(link_to(cipher, MINE, ExportFormat.CSV, SOON))
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


async def test_filters_and_pages_hold(
    database: Database,
    client: httpx2.AsyncClient,
    cipher: SecretBox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage_export, "PAGE_ROWS", 3)
    await settle(database, *({"status": "ERROR" if n % 2 else "OK"} for n in range(19)))
    errors = UsageQuery(MINE.reach, MINE.since, MINE.until, statuses=("ERROR",))

    answer = await client.get(link_to(cipher, errors, ExportFormat.JSON_LINES, SOON))

    assert len(answer.text.splitlines()) == 9


async def test_a_link_ends_and_cannot_be_changed(
    client: httpx2.AsyncClient, cipher: SecretBox
) -> None:
    good = link_to(cipher, MINE, ExportFormat.CSV, SOON)
    old = link_to(cipher, MINE, ExportFormat.CSV, NOW - timedelta(seconds=1))
    other = link_to(SecretBox([generate_master_key()]), MINE, ExportFormat.CSV, SOON)
    changed = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]

    for link in (old, other, changed, good.partition("?")[0], f"{good.partition('=')[0]}=x"):
        answer = await client.get(link)
        assert (answer.status_code, "usageExport" in answer.text) == (403, True)
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
        await client.get(link_to(cipher, MINE, ExportFormat.CSV, SOON))
