"""Credits as both sides see them: missed, followed while they come, frozen and released."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.installation import Installation
from tests.e2e.seeding import add_person, provide
from tests.e2e.site import Site
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "bank/fake-n4"


@pytest_asyncio.fixture(loop_scope="module")
async def wanda(
    browser: Browser, installation: Installation, upstream: FakeProvider
) -> AsyncIterator[Site]:
    """Another person's browser."""
    await provide(installation, upstream, "Bank", "fake-n4")
    key = await add_person(installation, "Wanda")
    found = await Site.visit(browser, installation, upstream, key)
    yield found
    await found.page.context.close()


async def ask(site: Site) -> None:
    await site.open("Playground")
    await site.page.get_by_role("combobox", name="Model").fill(MODEL)
    await site.page.keyboard.press("Escape")
    await site.page.get_by_label("Prompt", exact=False).first.fill("Say something.")
    await site.press("Send")


async def enforce(site: Site) -> None:
    await site.open("Credits")
    await site.press("Change")
    await site.page.get_by_label("Mode").click()
    await site.page.get_by_role("option", name=re.compile("^Enforced")).click()
    await site.press("Save")
    await site.page.get_by_text("Credits are enforced:").wait_for()


async def test_enforced_credits_are_missed_paid_in_frozen_and_released(
    site: Site, wanda: Site
) -> None:
    page = site.page
    await enforce(site)
    await ask(wanda)
    refused = wanda.page.get_by_role("alert").filter(has_text="credits")
    await expect(refused.get_by_role("link")).to_have_text("What it means")
    await wanda.keep("journey-credits-refused")

    await wanda.open("Credits")
    await expect(wanda.page.get_by_title("exactly $0").first).to_be_visible()
    await site.press("Open the wallet of Wanda")
    await site.press("Add credits")
    await page.get_by_label("Amount").fill("5")
    await page.get_by_label("Reason").fill("To try it")
    await site.press("Add")
    # Nobody reloads: the wallet is followed.
    await expect(wanda.page.get_by_title("exactly $5").first).to_be_visible()
    await expect(wanda.row("Ledger of Wanda", "To try it")).to_contain_text("+$5.00")
    await ask(wanda)
    await wanda.page.get_by_text(f"Served by {MODEL}").wait_for()
    await expect(site.table("Ledger of Wanda")).to_contain_text("-$0.0000")

    await site.press("Freeze")
    await page.get_by_label("Reason").fill("Asked by the owner")
    await page.get_by_role("dialog").get_by_role("button", name="Freeze").click()
    await page.get_by_text("Frozen: Asked by the owner").wait_for()
    await ask(wanda)
    await wanda.page.get_by_role("alert").filter(has_text="frozen").wait_for()
    await site.press("Unfreeze")
    await page.get_by_text("It is unfrozen.").wait_for()
    await ask(wanda)
    await wanda.page.get_by_text(f"Served by {MODEL}").wait_for()

    assert site.problems == []
    # The browser itself notes each refusal, nothing else.
    assert [each for each in wanda.problems if "402" not in each] == []
