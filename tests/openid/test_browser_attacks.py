"""Attacks on signing in, in a browser: codes of others, answers of others, what stays behind."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.openid.conftest import House, house
from tests.openid.realm import challenge_of
from tests.openid.test_browser import STORED, log_in, opened, sign_in, sign_in_with_key
from tests.openid.test_requests import statuses

pytestmark = pytest.mark.asyncio(loop_scope="module")


def token_requests(page: Page) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/token" in sent.url else None)
    return asked


async def answered(page: Page, home: House, **answer: str) -> None:
    """This browser begins to sign in; what comes back to it is another answer."""
    async with page.expect_request(lambda sent: f"{home.realm.flow}/auth?" in sent.url) as begun:
        await sign_in(page).click()
    await page.locator("input[name=login]").wait_for()
    [state] = parse_qs(urlsplit((await begun.value).url).query)["state"]
    query = {"state": state, "iss": home.realm.issuer, **answer}
    await page.goto(f"{home.installation.base_url}/?{urlencode(query)}")


async def nobody_is_signed_in(page: Page) -> None:
    await expect(page.get_by_role("alert")).to_be_visible()
    assert "access_token" not in "".join(await page.evaluate(STORED))
    assert urlsplit(page.url).query == ""


async def signed_in(context: BrowserContext, home: House, name: str) -> Page:
    """A tab; the provider asks the first of them alone."""
    first = not context.pages
    page = await context.new_page()
    await page.goto(home.installation.base_url)
    await sign_in(page).click()
    if first:
        await log_in(page, name)
    await expect(page.get_by_role("button", name=name)).to_be_visible()
    return page


async def kept(page: Page) -> Any:
    """The tokens of this tab."""
    stored = json.loads((await page.evaluate(STORED))[2])
    return json.loads(next(value for name, value in stored.items() if name.startswith("oidc.user")))


async def test_somebody_elses_code_signs_nobody_in(browser: Browser, open_folder: Path) -> None:
    """In the answer to a sign-in that this browser did begin."""
    async with house(open_folder) as home:
        place = await home.realm.authorized("mallory", code_challenge=challenge_of("v" * 43))
        [code] = parse_qs(urlsplit(place).query)["code"]
        page, _ = await opened(browser, home)
        asked = token_requests(page)
        await answered(page, home, code=code)
        await nobody_is_signed_in(page)
        assert len(asked) == 1


async def test_an_answer_of_another_provider_is_not_taken(
    browser: Browser, open_folder: Path
) -> None:
    async with house(open_folder) as home:
        page, _ = await opened(browser, home)
        asked = token_requests(page)
        await answered(page, home, code="x", iss="https://id.evil.example/realms/fairlead")
        await nobody_is_signed_in(page)
        assert asked == []


async def test_tokens_of_another_sign_in_are_not_taken(browser: Browser, open_folder: Path) -> None:
    async with house(open_folder) as home:
        others = await home.realm.sign_in("mallory")
        page, _ = await opened(browser, home)
        headers = {"access-control-allow-origin": "*"}
        await page.route(
            "**/protocol/openid-connect/token",
            lambda route: route.fulfill(json=others, headers=headers),
        )
        await sign_in(page).click()
        await log_in(page, "ada")
        await nobody_is_signed_in(page)


async def test_an_answer_counts_once_and_leaves_no_trace(
    browser: Browser, open_folder: Path
) -> None:
    async with house(open_folder) as home:
        ours, urls, referrers = home.installation.base_url, [], []
        context = await browser.new_context()
        context.on("request", lambda sent: urls.append(sent.url))
        context.on("request", lambda sent: referrers.append(sent.headers.get("referer", "")))
        page = await signed_in(context, home, "ada")
        [answer] = [url for url in urls if url.startswith(f"{ours}/?") and "code=" in url]
        token = (await kept(page))["access_token"]
        assert page.url == f"{ours}/"
        assert [url for url in urls if token in url] == []
        assert [each for each in referrers if each.startswith(ours)] == []
        await page.go_back()
        assert "code=" not in page.url

        again = await context.new_page()
        asked = token_requests(again)
        await again.goto(answer)
        await nobody_is_signed_in(again)
        assert asked == []


async def test_signing_out_ends_what_was_copied_and_the_other_tabs(
    browser: Browser, open_folder: Path
) -> None:
    async with house(open_folder) as home:
        context = await browser.new_context()
        page = await signed_in(context, home, "ada")
        other = await signed_in(context, home, "ada")
        copies = [await kept(page), await kept(other)]
        assert copies[0]["access_token"] != copies[1]["access_token"]
        await page.get_by_role("button", name="ada").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        for each in (page, other):
            await expect(sign_in(each)).to_be_visible()
            assert "access_token" not in "".join(await each.evaluate(STORED))
        for copy in copies:
            assert await statuses(home, copy["access_token"]) == [401, 401, 401]
            assert (await home.realm.refreshed(copy["refresh_token"])).status_code == 400


async def test_a_cookie_beside_a_token_is_in_nobodys_way(
    browser: Browser, open_folder: Path
) -> None:
    """Of another tab, or planted: the tab with the token goes on as its own person."""
    async with house(open_folder) as home:
        context = await browser.new_context()
        page = await signed_in(context, home, "ada")
        by_key = await context.new_page()
        await by_key.goto(home.installation.base_url)
        await sign_in_with_key(by_key, home)

        await page.get_by_role("link", name="Models").first.click()
        await expect(page.get_by_role("heading", name="Models").first).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("button", name="ada")).to_be_visible()
        assert await page.get_by_role("alert").count() == 0


async def test_somebody_else_sees_nothing_of_the_page_before(
    browser: Browser, open_folder: Path
) -> None:
    """Who signs in again where a session has ended may be another person."""
    async with house(open_folder) as home:
        context = await browser.new_context()
        page = await signed_in(context, home, "ada")
        await page.get_by_role("link", name="Keys").first.click()
        await page.evaluate("window.dispatchEvent(new Event('fairlead:session-ended'))")
        dialog = page.get_by_role("dialog", name="Sign in again")
        await sign_in_with_key(page, home)
        await expect(dialog).to_be_hidden()
        assert urlsplit(page.url).path == "/"
        assert "access_token" not in "".join(await page.evaluate(STORED))
