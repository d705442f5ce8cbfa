"""GraphiQL in a real browser: signed in by key, under the page's own policy, from nowhere else."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from tests.e2e.installation import running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_administrator_signs_in_and_asks(open_folder: Path, browser: Browser) -> None:
    page = await browser.new_page()
    problems: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    async with running(open_folder) as installation:
        await page.goto(f"{installation.base_url}/graphql")
        await page.fill("input[type=password]", installation.key)
        await page.click("button[type=submit]")
        await page.locator(".graphiql-editor .view-line").get_by_text("viewer").wait_for()
        await page.click(".graphiql-execute-button")
        await page.locator(".result-window").get_by_text("Administrator").wait_for()

        stored = await page.evaluate("JSON.stringify([localStorage, document.cookie])")
        assert installation.key not in stored
        assert hosts - {""} == {urlsplit(installation.base_url).netloc}
        assert problems == []
