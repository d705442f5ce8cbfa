"""What administrators do from day to day in a real browser: rules tried, keys turned, tenants."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.installation import Installation
from tests.e2e.seeding import add_person, provide, run
from tests.e2e.site import Site
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def organization(installation: Installation, slug: str, name: str) -> str:
    made = await run(
        installation,
        "createOrganization",
        "... on CreateOrganizationPayload { organization { id } }",
        slug=slug,
        name=name,
    )
    id: str = made["organization"]["id"]
    return id


async def test_rules_are_explained_while_they_are_written(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Tried", "fake-n4", "fake-n8")
    page = site.page
    await site.open("Routing Rules")
    explain = page.get_by_role("region", name="Explain")
    await page.get_by_label("New alias").fill("quick")
    await site.press("Add alias")
    targets = page.get_by_role("combobox", name="Add to targets of quick")
    await targets.fill("tried/fake-n8")
    await targets.press("Enter")
    await explain.get_by_role("combobox", name="Model").fill("quick")
    await page.keyboard.press("Escape")
    await expect(explain).to_contain_text("tried/fake-n8 serves it.")

    await explain.get_by_role("button", name="As in force").click()
    await expect(explain).to_contain_text("There is no model")
    await site.press("Save draft")
    await page.get_by_text("Nothing of it is in force.").wait_for()
    await explain.get_by_role("button", name="With the draft").click()
    await expect(explain).to_contain_text("tried/fake-n8 serves it.")
    await site.keep("journey-explain-draft")
    rules = await installation.graphql("{ routingRules { version } }")
    assert rules["routingRules"]["version"] == 0
    assert site.problems == []


async def test_an_organisations_administrator_makes_its_own_rules(
    browser: Browser, installation: Installation, upstream: FakeProvider
) -> None:
    await provide(installation, upstream, "Tenant", "fake-n4")
    id = await organization(installation, "acme", "Acme")
    key = await add_person(installation, "Olga", id)
    olga = await Site.visit(browser, installation, upstream, key)
    page = olga.page
    await olga.open("Routing Rules")
    await page.get_by_role("button", name="Organisation Acme").click()
    await page.get_by_text("Nothing decided here yet").wait_for()
    await expect(page.get_by_label("Eco ends at")).to_have_count(0)
    await page.get_by_role("radio", name=re.compile("^Latency")).check()
    await olga.press("Update")
    await page.get_by_text("Version 1, published").wait_for()
    await olga.keep("journey-organisation-rules")

    asked = "{ effectiveRoutingRules { settings { strategy } } }"
    theirs = await installation.graphql(asked, key=key)
    others = await installation.graphql(asked)
    assert theirs["effectiveRoutingRules"]["settings"]["strategy"] == "LATENCY"
    assert others["effectiveRoutingRules"]["settings"]["strategy"] == "BALANCED"
    assert olga.problems == []
    await page.context.close()


async def test_an_organisation_gets_limits_and_is_deleted(
    installation: Installation, site: Site
) -> None:
    id = await organization(installation, "brief", "Brief")
    await add_person(installation, "Bela", id)
    page = site.page
    await site.open("People")
    await page.get_by_role("tab", name="Organisations").click()
    await site.choose("Brief", "Limits")
    await page.get_by_label("In one month").fill("100")
    await page.get_by_label("Requests in a minute").fill("60")
    await site.press("Save")
    await page.get_by_text("The limits of Brief are in force.").wait_for()
    document = """query ($id: ID!) {
      node(id: $id) { ... on Organization { limits { spendPerMonth requestsPerMinute } } }
    }"""
    kept = (await installation.graphql(document, id=id))["node"]["limits"]
    assert kept == {"spendPerMonth": "100", "requestsPerMinute": 60}

    await site.choose("Brief", "Delete")
    dialog = page.get_by_role("alertdialog")
    await dialog.get_by_role("button", name="Delete").click()
    await dialog.get_by_role("button", name="Delete anyway").click()
    await page.get_by_text("Brief was deleted.").wait_for()
    await expect(page.get_by_role("button", name="Actions for Brief")).to_have_count(0)
    assert site.problems == []


async def test_a_providers_key_is_rotated(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Lock", "fake-n4")
    page = site.page
    await site.open("Providers")
    await site.choose("Lock", "Keys")
    await expect(site.row("Keys of Lock", "main")).to_contain_text("cdef")
    await site.choose("main", "Rotate")
    await page.get_by_role("textbox", name="API key").fill("sk-local-turned-56789")
    await site.press("Rotate")
    await page.get_by_text("main was rotated.").wait_for()
    await expect(site.row("Keys of Lock", "main")).to_contain_text("6789")

    await site.choose("main", "Switch off")
    await expect(site.row("Keys of Lock", "main")).to_contain_text("Disabled")
    await page.get_by_text("main is switched off.").wait_for()
    assert site.problems == []


async def test_two_routes_are_compared_side_by_side(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Left", "fake-n4")
    await provide(installation, upstream, "Right", "fake-i1000-o20")
    page = site.page
    await site.open("Playground")
    await page.get_by_label("Compare two").check()
    first = page.get_by_role("region", name="First answer")
    second = page.get_by_role("region", name="Second answer")
    for card, model in ((first, "left/fake-n4"), (second, "right/fake-i1000-o20")):
        await card.get_by_role("combobox", name="Model").fill(model)
        await page.keyboard.press("Escape")
    await page.get_by_label("Prompt", exact=False).first.fill("Say something.")
    await page.keyboard.press("Control+Enter")
    await expect(first).to_contain_text("Served by left/fake-n4")
    await expect(second).to_contain_text("Served by right/fake-i1000-o20")
    await expect(second).to_contain_text("Cost $0.00108")
    await site.keep("journey-compare")
    assert site.problems == []


async def test_models_are_worked_with_by_key_in_columns_of_ones_choice(
    installation: Installation, upstream: FakeProvider, site: Site
) -> None:
    await provide(installation, upstream, "Many", *(f"fake-n{n}" for n in range(1, 61)))
    page = site.page
    await site.open("Models")
    await page.get_by_label("Search models").fill("many/")
    await page.get_by_text("60 models", exact=True).wait_for()
    grid = site.grid("Models")
    await site.press("Columns")
    await page.get_by_role("checkbox", name="Longest answer").check()
    await page.keyboard.press("Escape")
    await expect(grid.get_by_role("columnheader", name="Longest answer")).to_be_visible()
    await site.press("Compact")
    await grid.get_by_role("columnheader", name="Model").click()
    await expect(grid.get_by_role("columnheader", name="Model")).to_have_attribute(
        "aria-sort", "ascending"
    )
    await expect(grid.get_by_role("row").nth(1)).to_contain_text("many/fake-n1")
    await grid.get_by_role("gridcell").first.click()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        await page.keyboard.press(key)
    await page.get_by_role("dialog").get_by_text("Price of many/fake-n10").wait_for()
    await page.keyboard.press("Escape")
    await site.press("Next page")
    await expect(grid.get_by_role("row")).to_have_count(11)

    await page.reload()
    await expect(grid.get_by_role("columnheader", name="Longest answer")).to_be_visible()
    assert site.problems == []


async def test_the_log_of_changes_is_downloaded(installation: Installation, site: Site) -> None:
    await run(installation, "createUser", name="Written Down")
    page = site.page
    await site.open("Audit")
    await page.get_by_label("Of what").click()
    await page.get_by_role("option", name="User", exact=True).click()
    await site.press("Export")
    async with page.expect_download() as started:
        await page.get_by_role("menuitem", name="CSV").click()
    saved = (await (await started.value).path()).read_text()
    assert saved.startswith("number,id,at,")
    assert "Written Down" in saved
    assert ",PROVIDER," not in saved
    assert site.problems == []
