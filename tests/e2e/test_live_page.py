"""The usage page in bad times: its server is killed and comes back, its database is too slow."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import WebSocket, expect
from sqlalchemy import text
from uuid_utils.compat import uuid7

from auth.secrets import generate_master_key
from db.queries.settlement import Settlements
from db.session import Database
from tests.e2e.installation import free_port, start
from tests.e2e.site import Site, opened_browser
from tests.provider.server import FakeProvider
from tests.usage import usage_row


async def settle(database: Database, *models: str) -> None:
    for model in models:
        row = usage_row(id=uuid7(), started_at=datetime.now(UTC), requested_model=model)
        await Settlements(database).settle([row])


class Wire:
    """What the page asks for and hears over its WebSocket of usage events."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.heard = asyncio.Event()

    def watch(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "subscribe" and "usageEvents" in message["payload"]["query"]:
            self.asked.append(message["payload"]["variables"])

    def _received(self, frame: str | bytes) -> None:
        if "cursor" in str(frame):
            self.heard.set()


def settings(database_url: str) -> dict[str, str]:
    key = generate_master_key().reveal()
    return {"DATABASE_URL": database_url, "ENCRYPTION_KEY": key, "PORT": str(free_port())}


@pytest.mark.parametrize("has_seen", [True, False], ids=["after an event", "before any event"])
async def test_what_settled_while_the_server_was_away_is_shown_when_it_is_back(
    database_url: str, database: Database, tmp_path: Path, has_seen: bool
) -> None:
    env, wire = settings(database_url), Wire()
    served = await start(tmp_path, **env)
    async with opened_browser() as browser, FakeProvider() as upstream:
        page = (site := await Site.visit(browser, served, upstream)).page
        page.on("websocket", wire.watch)
        await site.open("Usage Analytics")
        await page.get_by_text("Live", exact=True).wait_for()
        while has_seen and not wire.heard.is_set():
            await settle(database, "model-before")
            await asyncio.sleep(0.5)
        await served.kill()
        await page.get_by_text("Reconnecting …").wait_for()
        await settle(database, "model-while-away", "model-second")
        served = await start(tmp_path, **env)
        for model in ("model-while-away", "model-second"):
            await page.get_by_text(model).wait_for()
        await page.get_by_text("Live", exact=True).wait_for()
        await settle(database, "model-after")
        await page.get_by_text("model-after").wait_for()
        assert bool(wire.asked[-1].get("after")) is has_seen
        assert await page.get_by_label("Live").is_checked()
    await served.kill()


async def test_a_question_that_takes_too_long_says_so_and_can_be_asked_again(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    served = await start(tmp_path, **settings(database_url))
    async with opened_browser() as browser, FakeProvider() as upstream:
        page = (site := await Site.visit(browser, served, upstream)).page
        failed = page.get_by_role("alert").get_by_role("button", name="Try again").first
        average = page.get_by_text("Average cost")
        async with database.write(None) as session:
            await session.execute(text("LOCK TABLE usage_totals, usage_served, usage_times"))
            await site.open("Usage Analytics")
            await failed.wait_for()
            # What is not coming does not look as if it were on its way.
            await expect(average).to_have_count(0)
            await site.keep("usage-timeout")
        await failed.click()
        await average.wait_for()
        await page.get_by_text("No request yet").wait_for()
        await site.keep("usage-empty")
    await served.kill()
