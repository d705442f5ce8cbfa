"""What administrators change in a real browser: refused where it must be, and told what goes."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.installation import Installation
from tests.e2e.seeding import provide, run
from tests.e2e.site import Site
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_rules_apply_at_once_meet_a_conflict_and_go_back(site: Site) -> None:
    page, installation = site.page, site.installation
    await site.open("Routing Rules")
    await page.get_by_label("Custom").check()
    await page.get_by_role("slider", name="Cost").press("End")
    await expect(page.get_by_role("slider", name="Latency")).to_have_value("0")
    await site.press("Update")
    await page.get_by_text("Version 1, published").wait_for()

    await run(installation, "setRoutingRules", strategy="LATENCY", aliases=[])
    await page.get_by_role("radio", name=re.compile("^Cost")).check()
    await site.press("Update")
    await site.press("Publish mine anyway")
    await page.get_by_text("Version 3, published").wait_for()

    await site.row("Versions", "Latency").get_by_role("button", name="Roll back").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Roll back").click()
    await page.get_by_text("Version 4, published").wait_for()
    await expect(page.get_by_role("radio", name=re.compile("^Latency"))).to_be_checked()
    assert site.problems == []


async def test_a_draft_is_reviewed_before_it_is_in_force(site: Site) -> None:
    page = site.page
    await site.open("Routing Rules")
    await page.get_by_label("Eco ends at").fill("0.4")
    await page.get_by_label("Why (kept with the version)").fill("Cheaper eco")
    await site.press("Save draft")
    await page.get_by_text("Nothing of it is in force.").wait_for()
    rules = await site.installation.graphql("{ routingRules { settings { ecoBelow } } }")
    assert rules["routingRules"]["settings"]["ecoBelow"] == "0.5"

    await site.press("Review")
    change = site.row("Differences", "Eco below")
    await expect(change).to_contain_text("0.5")
    await expect(change).to_contain_text("0.4")
    await site.keep("journey-draft")
    await site.press("Publish")
    await page.get_by_text("Applied on 1 of 1").wait_for()
    await expect(page.get_by_label("Eco ends at")).to_have_value("0.4")
    await expect(site.row("Versions", "Cheaper eco")).to_contain_text("Live")
    assert site.problems == []


async def test_what_is_wrong_with_rules_is_said_while_they_are_written(site: Site) -> None:
    page = site.page
    await site.open("Routing Rules")
    await page.get_by_label("Eco ends at").fill("50")
    await page.get_by_text("Cannot be published").wait_for()
    await expect(page.get_by_role("button", name="Update")).to_be_disabled()
    await site.press("Discard")
    await expect(page.get_by_text("Cannot be published")).to_have_count(0)
    assert site.problems == []


async def test_credits_are_added_and_refunded_and_stay_in_the_ledger(site: Site) -> None:
    page = site.page
    await run(site.installation, "createUser", name="Wanda")
    await site.open("Credits")
    await site.press("Open the wallet of Wanda")
    await site.press("Add credits")
    await page.get_by_label("Amount").fill("25.50")
    await page.get_by_label("Reason").fill("Paid by invoice 7")
    await site.press("Add")
    row = site.row("Ledger of Wanda", "invoice 7")
    await expect(row).to_contain_text("+$25.50")
    await row.get_by_role("button", name="Refund").click()
    await page.get_by_label("Amount").fill("5.50")
    await page.get_by_label("Reason").fill("Half of it back")
    await page.get_by_role("dialog").get_by_role("button", name="Refund").click()

    await expect(site.row("Ledger of Wanda", "Half of it back")).to_contain_text("-$5.50")
    await expect(site.row("Ledger of Wanda", "invoice 7")).to_contain_text("$5.50 refunded")
    await expect(page.get_by_text("$20.00").first).to_be_visible()
    await site.keep("journey-wallet")
    assert site.problems == []


async def test_providers_are_put_in_order_by_key(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Zulu")
    await site.open("Providers")
    await site.press("Order")
    up = site.page.get_by_role("button", name="Move Zulu up")
    while await up.is_enabled():
        await up.focus()
        await site.page.keyboard.press("Enter")
    await site.press("Save")
    await site.page.get_by_text("The order is in force.").wait_for()
    await expect(site.table("Providers").get_by_role("row").nth(1)).to_contain_text("Zulu")
    assert site.problems == []


async def test_deleting_what_a_rule_names_says_so_and_can_be_forced(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Named", "fake-n4")
    alias = {"name": "fast", "targets": ["named/fake-n4"]}
    await run(installation, "setRoutingRules", aliases=[alias])
    await site.open("Providers")
    await site.choose("Named", "Delete")
    dialog = site.page.get_by_role("alertdialog")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("fast")

    await dialog.get_by_role("button", name="Delete anyway").click()

    await site.page.get_by_text("Named was deleted.").wait_for()
    await expect(site.page.get_by_role("button", name="Actions for Named")).to_have_count(0)
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

    await site.choose("reports", "Limits")
    await page.get_by_label("In one day").fill("2.50")
    await site.press("Save")
    await page.get_by_text("The limits of reports are in force.").wait_for()

    await site.choose("reports", "Revoke")
    await page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    await page.get_by_text("reports was revoked.").wait_for()

    await expect(site.row("API keys", "reports")).to_contain_text("Revoked")
    assert site.problems == []


async def test_people_and_members_are_made_changed_and_disabled(site: Site) -> None:
    page = site.page
    await site.open("People")
    await site.press("Add a person")
    await page.get_by_label("Name").fill("Vera Lind")
    await site.press("Add")
    await page.get_by_text("Vera Lind was added.").wait_for()

    await page.get_by_role("tab", name="Organisations").click()
    await site.press("Add an organisation")
    await page.get_by_label("Slug").fill("research")
    await page.get_by_label("Name (optional)").fill("Research")
    await site.press("Add")
    await site.choose("Research", "Members")
    await page.get_by_label("Add somebody").fill("Vera")
    await page.get_by_role("option", name="Vera Lind").click()
    await site.choose("Vera Lind", "Make an administrator")
    await expect(site.row("Members of Research", "Vera")).to_contain_text("Administrator")
    await site.press("Close")

    await page.get_by_role("tab", name="People").click()
    await expect(site.row("People", "Vera")).to_contain_text("Research (administrator)")
    await site.choose("Vera Lind", "Disable")
    await page.get_by_role("alertdialog").get_by_role("button", name="Disable").click()
    await expect(site.row("People", "Vera")).to_contain_text("Disabled")
    assert site.problems == []


async def test_the_audit_log_tells_who_changed_what_from_what(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    id = await provide(installation, upstream, "Watched")
    await run(installation, "updateProvider", id=id, priority=7)
    page = site.page
    await site.open("Audit")
    await page.get_by_label("Action").click()
    await page.get_by_role("option", name="Update").click()
    await expect(site.table("Audit log")).not_to_contain_text("Create")
    row = site.row("Audit log", "Update provider").first
    await expect(row).to_contain_text("Administrator")
    await row.get_by_role("button", name="Details").click()
    change = site.row("What changed", "priority")
    await expect(change).to_contain_text("100")
    await expect(change).to_contain_text("7")
    await site.keep("audit-entry")
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
    await again.get_by_role("button", name="Sign in", exact=True).click()
    await again.wait_for(state="hidden")

    await expect(page.get_by_label("Name")).to_have_value("kept")
    await site.press("Create")
    await page.get_by_text("The key kept").wait_for()
