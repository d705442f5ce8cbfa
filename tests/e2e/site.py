"""The web app as a person uses it, in a browser of their own."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright

from tests.e2e.installation import Installation
from tests.provider.server import FakeProvider

KEPT = os.environ.get("FAIRLEAD_SCREENSHOTS", "artifacts/screenshots")
NAMES = ("chromium", "chromium-browser", "google-chrome")


@asynccontextmanager
async def opened_browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, or whichever the machine has under one of its names.

    `make test` is for machines without one too: there it says what was skipped. `.ci/run` demands
    one, so that nothing lands without these tests.
    """
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        end = pytest.fail if os.environ.get("FAIRLEAD_BROWSER") == "required" else pytest.skip
        end("no browser here: install Debian's `chromium` to run the browser tests")
    async with async_playwright() as playwright:
        # Chromium's sandbox does not start for root, as whom CI runs.
        opened = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        await opened.close()


@dataclass
class Site:
    """A browser's page on a running installation, and what it should not have done."""

    installation: Installation
    page: Page
    upstream: FakeProvider
    problems: list[str] = field(default_factory=list)

    @classmethod
    async def visit(
        cls,
        browser: Browser,
        installation: Installation,
        upstream: FakeProvider,
        key: str | None = None,
    ) -> "Site":
        """Signed in, by default as the administrator, on the first page."""
        context = await browser.new_context()
        site = cls(installation, await context.new_page(), upstream)
        site.watch()
        await site.sign_in(key or installation.key)
        return site

    def watch(self) -> None:
        host = urlsplit(self.installation.base_url).netloc
        page = self.page
        page.on("console", lambda said: self._note(said.type == "error", said.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("request", lambda sent: self._note(urlsplit(sent.url).netloc != host, sent.url))

    def _note(self, is_problem: bool, text: str) -> None:
        if is_problem and not text.startswith(("data:", "blob:")):
            self.problems.append(text)

    async def sign_in(self, key: str) -> None:
        await self.page.goto(self.installation.base_url)
        # Nobody is signed in yet: the browser itself notes the 401 that says so.
        await self.page.get_by_label("API key").fill(key)
        self.problems.clear()
        await self.page.get_by_role("button", name="Sign in", exact=True).click()
        await self.heading("Home")

    async def heading(self, name: str) -> None:
        await self.page.get_by_role("heading", name=name, level=1, exact=True).wait_for()

    async def open(self, tab: str) -> None:
        await self.page.get_by_role("navigation").get_by_role("link", name=tab).click()
        await self.heading(tab)

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def choose(self, row: str, command: str) -> None:
        """An entry of a row's menu."""
        await self.press(f"Actions for {row}")
        await self.page.get_by_role("menuitem", name=command, exact=True).click()

    def table(self, name: str) -> Locator:
        return self.page.get_by_role("table", name=name, exact=True)

    def grid(self, name: str) -> Locator:
        return self.page.get_by_role("grid", name=name, exact=True)

    def row(self, table: str, text: str) -> Locator:
        return self.table(table).get_by_role("row").filter(has_text=text)

    async def keep(self, name: str) -> None:
        """A picture of the whole page, for people to look at."""
        await self.page.screenshot(path=f"{KEPT}/{name}.png", full_page=True)

    async def add_provider(self, name: str) -> None:
        """By the form, as a newcomer does."""
        await self.open("Providers")
        await self.press("Add a provider")
        page = self.page
        await page.get_by_label("Type").click()
        await page.get_by_role("option", name="Custom").click()
        await page.get_by_role("textbox", name="Slug").fill(name.lower())
        await page.get_by_role("textbox", name="Name", exact=False).fill(name)
        await page.get_by_label("Base URL").fill(self.upstream.base_url)
        await page.get_by_role("textbox", name="API key").fill("sk-local-0123456789abcdef")
        await self.press("Add and test")
        await page.get_by_text(f"{name} answers").wait_for()

    async def add_model(self, provider: str, name: str) -> None:
        await self.open("Models")
        await self.press("Add a model")
        page = self.page
        await page.get_by_label("Provider").last.click()
        await page.get_by_role("option", name=f"{provider} ({provider.lower()})").click()
        await page.get_by_label("Model name").fill(name)
        await page.get_by_label("Input", exact=True).fill("1.00")
        await page.get_by_label("Output", exact=True).fill("4.00")
        await self.press("Add")
        await page.get_by_text(f"{provider.lower()}/{name} was added.").wait_for()
