"""What people come for, walked in a real browser from the first click to what it was for."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.installation import Installation
from tests.e2e.seeding import add_person, ask, provide
from tests.e2e.site import Site
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_newcomer_goes_from_a_provider_to_what_its_answer_cost(site: Site) -> None:
    page = site.page
    await site.add_provider("Newcomer")
    await site.add_model("Newcomer", "fake-i1000-o20")
    await site.open("Routing Rules")
    await page.get_by_role("radio", name=re.compile("^Cost")).check()
    await site.press("Update")
    await page.get_by_text("Version 1, published").wait_for()

    await site.open("Playground")
    await page.get_by_role("combobox", name="Model").fill("newcomer/fake-i1000-o20")
    await page.keyboard.press("Escape")
    await page.get_by_label("Prompt", exact=False).first.fill("Say something.")
    await site.press("Send")
    await page.get_by_text("Served by newcomer/fake-i1000-o20").wait_for()
    await page.get_by_text("Cost $0.00108").wait_for()
    await page.get_by_text("newcomer/fake-i1000-o20 serves it.").wait_for()
    await site.keep("journey-playground")

    await site.open("Providers")
    await expect(site.row("Providers", "Newcomer")).to_contain_text("Healthy")
    await site.open("Usage Analytics")
    row = site.row("Requests", "newcomer/fake-i1000-o20")
    await expect(row).to_contain_text("$0.00108")
    await site.press("Export")
    async with page.expect_download() as started:
        await page.get_by_role("menuitem", name="CSV").click()
    saved = await (await started.value).path()
    assert ",newcomer," in saved.read_text()
    await row.get_by_role("button", name="Why").click()
    await page.get_by_role("dialog").get_by_text("$0.00108 (exact)").wait_for()
    await site.keep("journey-why")
    assert site.problems == []


async def test_a_user_stores_an_own_key_and_watches_what_it_spends(
    browser: Browser, installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Shared", "fake-i2000-o10")
    key = await add_person(installation, "Uma")
    page = site.page
    await page.context.clear_cookies()
    await site.sign_in(key)
    await expect(page.get_by_role("navigation").get_by_role("link", name="Audit")).to_have_count(0)
    await site.open("BYOK Settings")
    await page.get_by_text("No key of your own yet").wait_for()
    await page.get_by_role("button", name="Add a key").first.click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Provider").click()
    await page.get_by_role("option", name="Shared (shared)").click()
    await form.get_by_role("textbox", name="API key").fill("sk-mine-0123456789uma1")
    await form.get_by_label("When it is used").click()
    await page.get_by_role("option", name="Mine, then the system's").click()
    await site.press("Save and test")
    await page.get_by_text("your key answers").wait_for()
    row = site.row("Your keys", "Shared")
    await expect(row).to_contain_text("sk-…uma1")
    await expect(row).to_contain_text("Active")
    await site.keep("journey-byok")

    await ask(installation, "shared/fake-i2000-o10", key=key)

    await site.open("Usage Analytics")
    row = site.row("Requests", "shared/fake-i2000-o10")
    await expect(row).to_contain_text("$0.00204")
    await row.get_by_role("button", name="Why").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Provider keyUser")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("table", name="Requests").get_by_role("row")).to_have_count(2)
    assert site.problems == []


async def test_own_keys_are_rotated_and_deleted(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Turning")
    await site.open("BYOK Settings")
    await site.page.get_by_role("button", name="Add a key").first.click()
    form = site.page.get_by_role("dialog")
    await form.get_by_label("Provider").click()
    await site.page.get_by_role("option", name="Turning (turning)").click()
    await form.get_by_role("textbox", name="API key").fill("sk-mine-0123456789old1")
    await site.press("Save and test")
    await expect(site.row("Your keys", "Turning")).to_contain_text("old1")

    await site.choose("default at Turning", "Rotate")
    await site.page.get_by_role("textbox", name="API key").fill("sk-mine-0123456789new2")
    await site.press("Rotate and test")
    await expect(site.row("Your keys", "Turning")).to_contain_text("new2")

    await site.choose("default at Turning", "Delete")
    dialog = site.page.get_by_role("alertdialog")
    await expect(dialog).to_contain_text("sk-…new2")
    await dialog.get_by_role("button", name="Delete").click()
    await site.page.get_by_text("default was deleted.").wait_for()
    assert site.problems == []


async def test_a_discovery_is_chosen_from_and_applied(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Finder", "fake-old")
    page = site.page
    await site.open("Models")
    await site.press("Discover")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Provider").click()
    await page.get_by_role("option", name="Finder (finder)").click()
    await site.press("Ask what it serves")
    await dialog.get_by_label("New: fake-t50").uncheck()
    await expect(dialog.get_by_label("Gone: fake-old")).not_to_be_checked()
    await dialog.get_by_label("Gone: fake-old").check()
    await site.keep("journey-discovery")
    await site.press("Apply 3")
    await page.get_by_text("3 changes were applied.").wait_for()

    await page.get_by_label("Search models").fill("finder/")
    models = site.grid("Models")
    rows = models.get_by_role("row")
    await expect(rows).to_have_count(4)
    await expect(rows.filter(has_text="finder/fake-old")).to_contain_text("Off")
    await expect(models).not_to_contain_text("fake-t50")
    assert site.problems == []


async def test_usage_is_followed_while_it_happens(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Live", "fake-n4")
    await site.open("Usage Analytics")
    await site.page.get_by_text("Live", exact=True).wait_for()
    await site.page.wait_for_load_state("networkidle")

    await ask(installation, "live/fake-n4")

    await expect(site.table("Requests").get_by_role("row").nth(1)).to_contain_text("live/fake-n4")
    assert site.problems == []
