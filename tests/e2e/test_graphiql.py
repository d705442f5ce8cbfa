"""GraphiQL in a real browser: signed in by key, under the page's own policy, from nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.installation import running

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield await browser.new_page()
        await browser.close()


async def test_an_administrator_signs_in_and_asks(open_folder: Path, page: Page) -> None:
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
