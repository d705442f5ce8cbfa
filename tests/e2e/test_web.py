"""The web app in a real browser: each journey from the sign-in to what it is for."""

import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.installation import Installation, running
from tests.provider.server import FakeProvider

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
TABS = {
    "/": "Home",
    "/providers": "Providers",
    "/models": "Models",
    "/rules": "Routing Rules",
    "/usage": "Usage Analytics",
    "/byok": "BYOK Settings",
    "/keys": "API Keys",
    "/playground": "Playground",
    "/settings": "Settings",
}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 850}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 850}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
SERIOUS = """async () => {
  const { violations } = await axe.run();
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`.slice(0, 400));
}"""
PUBLISH = """mutation ($input: SetRoutingRulesInput!) {
  setRoutingRules(input: $input) { ... on Error { message } }
}"""


@dataclass
class Site:
    """A browser's page on a running installation, and what it should not have done."""

    installation: Installation
    page: Page
    upstream: FakeProvider
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        host = urlsplit(self.installation.base_url).netloc
        page = self.page
        page.on("console", lambda said: self._note(said.type == "error", said.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("request", lambda sent: self._note(urlsplit(sent.url).netloc != host, sent.url))

    def _note(self, is_problem: bool, text: str) -> None:
        if is_problem and not text.startswith("data:"):
            self.problems.append(text)

    async def sign_in(self) -> None:
        await self.page.goto(self.installation.base_url)
        # Nobody is signed in yet: the browser itself notes the 401 that says so.
        await self.page.get_by_label("API key").fill(self.installation.key)
        self.problems.clear()
        await self.page.get_by_role("button", name="Sign in").click()
        await self.heading("Home")

    async def heading(self, name: str) -> None:
        await self.page.get_by_role("heading", name=name, level=1, exact=True).wait_for()

    async def open(self, tab: str) -> None:
        await self.page.get_by_role("navigation").get_by_role("link", name=tab).click()
        await self.heading(tab)

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def add_provider(self) -> None:
        await self.open("Providers")
        await self.press("Add a provider")
        await self.page.get_by_label("Type").click()
        await self.page.get_by_role("option", name="Custom").click()
        await self.page.get_by_label("Base URL").fill(self.upstream.base_url)
        await self.page.get_by_role("textbox", name="API key").fill("sk-local-0123456789abcdef")
        await self.press("Add and test")
        await self.page.get_by_text("Local answers").wait_for()

    async def add_model(self, name: str) -> None:
        await self.open("Models")
        await self.press("Add a model")
        await self.page.get_by_label("Provider").last.click()
        await self.page.get_by_role("option", name="Local (local)").click()
        await self.page.get_by_label("Model name").fill(name)
        await self.page.get_by_label("Input", exact=True).fill("1.00")
        await self.page.get_by_label("Output", exact=True).fill("4.00")
        await self.press("Add")
        await self.page.get_by_text(f"local/{name} was added.").wait_for()


@pytest.fixture
async def site(
    open_folder: Path, fake_provider: FakeProvider, browser: Browser
) -> AsyncIterator[Site]:
    allowed = urlsplit(fake_provider.base_url).netloc
    async with running(open_folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=allowed) as installation:
        found = Site(installation, await browser.new_page(), fake_provider)
        found.watch()
        await found.sign_in()
        yield found


async def test_a_newcomer_goes_from_a_provider_to_what_its_answer_cost(site: Site) -> None:
    page = site.page
    await site.add_provider()
    await site.add_model("fake-i1000-o20")
    await site.open("Playground")
    await page.get_by_label("Model").fill("local/fake-i1000-o20")
    await page.get_by_label("Prompt", exact=False).first.fill("Say something.")
    await site.press("Send")

    await page.get_by_text("Served by local/fake-i1000-o20").wait_for()
    await page.get_by_text("Cost $0.00108").wait_for()
    await page.get_by_text("local/fake-i1000-o20 serves it.").wait_for()

    await site.open("Usage Analytics")
    row = page.get_by_role("table", name="Requests").get_by_role("row").nth(1)
    await expect(row).to_contain_text("local/fake-i1000-o20")
    await expect(row).to_contain_text("$0.00108")
    await row.get_by_role("button", name="Why").click()
    await page.get_by_role("dialog").get_by_text("exactly $0.00108").wait_for()
    assert site.problems == []


async def test_usage_is_followed_while_it_happens(site: Site) -> None:
    await site.add_provider()
    await site.add_model("fake-n4")
    await site.open("Usage Analytics")
    await site.page.get_by_text("No request yet").wait_for()

    sent = await site.page.evaluate(
        """() => fetch("/v1/chat/completions", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "auto", messages: [{ role: "user", content: "Hi" }] }),
        }).then(({ status }) => status)"""
    )

    assert sent == 200
    table = site.page.get_by_role("table", name="Requests")
    await expect(table.get_by_role("row").nth(1)).to_contain_text("local/fake-n4")
    assert site.problems == []


async def test_rules_apply_at_once_meet_a_conflict_and_go_back(site: Site) -> None:
    page, installation = site.page, site.installation
    await site.open("Routing Rules")
    await page.get_by_label("Custom").check()
    await page.get_by_role("slider", name="Cost").press("End")
    await expect(page.get_by_role("slider", name="Latency")).to_have_value("0")
    await site.press("Update")
    await page.get_by_text("Version 1, published").wait_for()

    await installation.graphql(PUBLISH, input={"strategy": "LATENCY", "aliases": []})
    await page.get_by_role("radio", name=re.compile("^Cost")).check()
    await site.press("Update")
    await site.press("Publish mine anyway")
    await page.get_by_text("Version 3, published").wait_for()

    versions = page.get_by_role("table", name="Versions")
    await versions.get_by_role("row").filter(has_text="Latency").get_by_role("button").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Roll back").click()
    await page.get_by_text("Version 4, published").wait_for()
    await expect(page.get_by_role("radio", name=re.compile("^Latency"))).to_be_checked()
    assert site.problems == []


async def test_deleting_what_a_rule_names_says_so_and_can_be_forced(site: Site) -> None:
    page = site.page
    await site.add_provider()
    await site.add_model("fake-n4")
    alias = {"name": "fast", "targets": ["local/fake-n4"]}
    await site.installation.graphql(PUBLISH, input={"aliases": [alias]})
    await site.open("Providers")
    await site.press("Actions for Local")
    await page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("alertdialog")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("fast")

    await dialog.get_by_role("button", name="Delete anyway").click()

    await page.get_by_text("Local was deleted.").wait_for()
    await expect(page.get_by_role("button", name="Actions for Local")).to_have_count(0)
    assert site.problems == []


async def test_a_key_is_shown_once_works_and_is_revoked(site: Site) -> None:
    page = site.page
    await site.open("API Keys")
    await site.press("Create a key")
    await page.get_by_label("Name").fill("reports")
    await page.get_by_label("Read over GraphQL").check()
    await site.press("Create")
    shown = await page.get_by_role("dialog").locator("pre").inner_text()
    assert re.fullmatch(r"fl_\w+", shown)
    await site.press("I have stored it")
    await expect(page.get_by_text(shown)).to_have_count(0)
    asked = await site.installation.graphql("{ viewer { scopes } }", key=shown)
    assert sorted(asked["viewer"]["scopes"]) == ["INFERENCE", "READ"]

    await site.press("Actions for reports")
    await page.get_by_role("menuitem", name="Revoke").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    await page.get_by_text("reports was revoked.").wait_for()

    row = page.get_by_role("table", name="API keys").get_by_role("row").filter(has_text="reports")
    await expect(row).to_contain_text("Revoked")
    assert site.problems == []


async def test_a_session_that_ends_loses_nothing_on_the_page(site: Site) -> None:
    page = site.page
    await site.open("API Keys")
    await site.press("Create a key")
    await page.get_by_label("Name").fill("kept")
    await page.context.clear_cookies()
    await site.press("Create")

    again = page.get_by_role("dialog", name="Sign in again")
    await again.get_by_label("API key").fill(site.installation.key)
    await again.get_by_role("button", name="Sign in").click()
    await again.wait_for(state="hidden")

    await expect(page.get_by_label("Name")).to_have_value("kept")
    await site.press("Create")
    await page.get_by_text("The key kept").wait_for()


@pytest.mark.parametrize("look", LOOKS)
async def test_every_tab_is_accessible_and_keeps_to_itself(site: Site, look: str) -> None:
    page = site.page
    await page.emulate_media(color_scheme=LOOKS[look]["color_scheme"])
    await page.set_viewport_size(LOOKS[look]["viewport"])
    kept = os.environ.get("FAIRLEAD_SCREENSHOTS")
    found: dict[str, Any] = {}
    for path, title in TABS.items():
        await page.goto(site.installation.base_url + path)
        await site.heading(title)
        await page.wait_for_load_state("networkidle")
        await page.evaluate(AXE.read_text())
        found[path] = await page.evaluate(SERIOUS)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if kept:
            await page.screenshot(path=f"{kept}/{title}-{look}.png", full_page=True)
    assert {path: each for path, each in found.items() if each} == {}, json.dumps(found, indent=1)
    assert site.problems == []
