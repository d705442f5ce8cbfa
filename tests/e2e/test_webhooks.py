"""A webhook from its form to a receiver that verifies what it is sent, and to its end."""

from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.x509 import IPAddress
from playwright.async_api import expect
from standardwebhooks import Webhook as Verifier

from tests.e2e.installation import Installation, running
from tests.e2e.seeding import run
from tests.e2e.site import Site
from tests.gateway.egress.authority import Authority
from tests.gateway.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installation(folder: Path, authority: Authority) -> AsyncIterator[Installation]:
    trusted = str(authority.file)
    async with running(folder, module="tests.e2e.reachable", SSL_CERT_FILE=trusted) as started:
        yield started


async def made(site: Site, url: str) -> str:
    """A webhook `Pager` by the form; its secret, which is shown this once."""
    page = site.page
    await page.get_by_role("button", name="Add a webhook").first.click()
    form = page.get_by_role("dialog")
    await form.get_by_label("URL").fill(url)
    await form.get_by_label("Name").fill("Pager")
    await form.get_by_label("Routing rules were published").check()
    await form.get_by_role("button", name="Add", exact=True).click()
    secret = await page.get_by_role("dialog").locator("pre").inner_text()
    await site.press("I have stored it")
    await expect(page.get_by_text(secret)).to_have_count(0)
    return secret


async def test_a_webhook_is_made_heard_replayed_and_deleted(
    site: Site, authority: Authority
) -> None:
    page = site.page
    await site.open("Webhooks")
    await page.get_by_text("No webhook yet").wait_for()
    async with Receiver(tls=authority.server(IPAddress(ip_address("127.0.0.1")))) as receiver:
        secret = await made(site, f"https://{receiver.host_port}/hooks")
        await site.choose("Pager", "Send a test")
        await expect(site.row("Deliveries", "A test")).to_contain_text("Delivered")
        [test] = await receiver.got(1)
        Verifier(secret).verify(test.body, test.headers)

        await run(site.installation, "setRoutingRules", strategy="LATENCY")
        published = site.row("Deliveries", "Routing rules were published")
        await expect(published).to_contain_text("204 in")
        await published.get_by_role("button", name="Send again").click()
        await page.get_by_text("It is sent again.").wait_for()
        _, first, again = await receiver.got(3)
        assert again.headers["webhook-id"] == first.headers["webhook-id"]
        Verifier(secret).verify(again.body, again.headers)
        await expect(site.table("Deliveries").get_by_role("listitem")).to_have_count(3)
        await site.keep("journey-webhook")
        await site.press("Close")

    await site.choose("Pager", "Delete")
    confirm = page.get_by_role("alertdialog")
    await expect(confirm).to_contain_text(receiver.host_port)
    await confirm.get_by_role("button", name="Delete").click()
    await page.get_by_text("Pager was deleted.").wait_for()
    await page.get_by_text("No webhook yet").wait_for()
    assert site.problems == []
