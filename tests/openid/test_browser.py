"""Signing in with a provider in a browser: there and back, renewed, again without loss, and out."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.openid.conftest import House, house

pytestmark = pytest.mark.asyncio(loop_scope="module")
STORED = "() => [JSON.stringify(localStorage), document.cookie, JSON.stringify(sessionStorage)]"


async def log_in(page: Page, name: str) -> None:
    """On the provider's own page."""
    await page.fill("input[name=login]", name)
    await page.fill("input[name=password]", "x")
    await page.click("button[type=submit]")


async def sign_in_with_key(page: Page, home: House) -> None:
    """On our page, or in our dialog."""
    await page.get_by_label("API key").fill(home.installation.key)
    await page.get_by_role("button", name="Sign in with a key").click()
    await expect(page.get_by_role("button", name="Administrator")).to_be_visible()


async def opened(browser: Browser, home: House, path: str = "/") -> tuple[Page, list[str]]:
    """A page, and what the console complains of while it is ours."""
    page, problems = await browser.new_page(), []
    ours = home.installation.base_url

    def note(is_problem: bool, text: str) -> None:
        if is_problem and page.url.startswith(ours):
            problems.append(text)

    page.on("console", lambda said: note(said.type == "error", said.text))
    page.on("pageerror", lambda error: note(True, str(error)))
    await page.goto(home.installation.base_url + path)
    return page, problems


def sign_in(page: Page) -> Any:
    return page.get_by_role("button", name="Sign in", exact=True)


async def test_there_and_back_with_code_and_pkce(browser: Browser, open_folder: Path) -> None:
    async with house(open_folder) as home:
        await home.realm.set("ada", ["fairlead-admin"], ["/organizations/acme"])
        page, problems = await opened(browser, home, "/providers?x=1")
        async with page.expect_request(
            lambda sent: "/protocol/openid-connect/auth" in sent.url
        ) as asked:
            await sign_in(page).click()
        url = (await asked.value).url
        assert "code_challenge_method=S256" in url
        assert "response_type=code" in url
        await log_in(page, "ada")

        await expect(page.get_by_role("button", name="ada")).to_be_visible()
        assert page.url == f"{home.installation.base_url}/providers?x=1"
        await expect(page.get_by_role("heading", name="Providers").first).to_be_visible()
        local, cookie, kept = await page.evaluate(STORED)
        assert "access_token" in kept
        assert "ey" not in local + cookie
        await page.reload()
        await expect(page.get_by_role("button", name="ada")).to_be_visible()
        assert problems == []

        await page.get_by_role("button", name="ada").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(sign_in(page)).to_be_visible()
        assert "access_token" not in (await page.evaluate(STORED))[2]
        await sign_in(page).click()
        await expect(page.locator("input[name=login]")).to_be_visible()


async def test_a_token_is_renewed_before_it_ends(browser: Browser, open_folder: Path) -> None:
    async with house(open_folder, token_seconds=5) as home:
        page, _ = await opened(browser, home)
        await sign_in(page).click()
        await log_in(page, "ada")
        await expect(page.get_by_role("button", name="ada")).to_be_visible()
        await page.wait_for_timeout(8_000)

        assert await page.get_by_role("dialog", name="Sign in again").count() == 0
        await page.get_by_role("link", name="Models").first.click()
        await expect(page.get_by_role("heading", name="Models").first).to_be_visible()


async def test_an_end_in_the_middle_of_a_form_loses_nothing(
    browser: Browser, open_folder: Path
) -> None:
    async with house(open_folder, token_seconds=5) as home:
        await home.realm.set("ada", ["fairlead-admin"])
        page, _ = await opened(browser, home, "/keys")
        await sign_in(page).click()
        await log_in(page, "ada")
        await page.get_by_role("button", name="Create").first.click()
        name = page.get_by_label("Name")
        await name.fill("half a form")

        await home.realm.set("ada", ["fairlead-admin"], blocked=True)
        dialog = page.get_by_role("dialog", name="Sign in again")
        await expect(dialog).to_be_visible(timeout=20_000)
        await home.realm.set("ada", ["fairlead-admin"])
        async with page.context.expect_page() as beside:
            await dialog.get_by_role("button", name="Sign in", exact=True).click()
        other = await beside.value
        if await other.locator("input[name=login]").is_visible(timeout=10_000):
            await log_in(other, "ada")

        await expect(dialog).to_be_hidden(timeout=20_000)
        assert await name.input_value() == "half a form"


async def test_a_key_signs_in_beside_the_provider(browser: Browser, open_folder: Path) -> None:
    async with house(open_folder) as home:
        page, problems = await opened(browser, home)
        await sign_in_with_key(page, home)
        assert problems == []
        await page.get_by_role("button", name="Administrator").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(page.get_by_label("API key")).to_be_visible()


async def test_the_way_back_never_leads_elsewhere(browser: Browser, open_folder: Path) -> None:
    """The address that a sign-in began at comes from whoever made the link."""
    async with house(open_folder) as home:
        page, _ = await opened(browser, home)
        ours, asked = home.installation.base_url, []
        page.on("request", lambda sent: asked.append(sent.url))
        await sign_in(page).wait_for()
        await page.evaluate("history.replaceState(null, '', location.origin + '//evil.example/x')")
        await sign_in(page).click()
        async with page.expect_response(f"{ours}//evil.example/x") as answered:
            await log_in(page, "ada")
        assert (await answered.value).status == 404
        await page.wait_for_url(f"{ours}//evil.example/x")
        assert [url for url in asked if urlsplit(url).hostname == "evil.example"] == []


@pytest.mark.parametrize(
    "query",
    [
        "code=stolen&state=mine",
        "code=stolen&state=",
        "error=access_denied&state=mine&error_description=<img src=x onerror=alert(1)>",
    ],
)
async def test_a_code_that_this_browser_did_not_ask_for_signs_nobody_in(
    browser: Browser, open_folder: Path, query: str
) -> None:
    async with house(open_folder) as home:
        page, dialogs, tokens = await browser.new_page(), [], []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        page.on("request", lambda sent: tokens.append(sent.url) if "/token" in sent.url else None)
        await page.goto(f"{home.installation.base_url}/?{query}")
        await expect(page.get_by_role("alert")).to_be_visible()
        assert (dialogs, tokens) == ([], [])
        assert "access_token" not in "".join(await page.evaluate(STORED))
        assert "stolen" not in page.url
