"""Names, reasons and providers' own words that programs stumble over, in the web app of a browser.

They are shown as text: nothing runs, nothing is asked elsewhere, and every page keeps its width.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import pytest_asyncio

from tests.e2e.installation import Installation, running
from tests.e2e.seeding import add_person, ask, provide, run
from tests.e2e.site import Site
from tests.e2e.test_looks import TABS
from tests.naughty import KEEPABLE
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKS = {"wide": (1360, 850), "phone": (390, 844)}
LONG = ("W" * 100, "\ufdfa" * 100, "\u202e" + "evil.exe" * 12, "Z" + "\u0316\u0301\u0489" * 33)
TEXTS = (*LONG, *(text for text in KEEPABLE if text.strip()))
BY_NAME: dict[str, dict[str, Any]] = {
    "createOrganization": {"slug": "o{n}"},
    "createUser": {},
    "createApiKey": {"scopes": ["READ"]},
    "createWebhook": {"url": "https://hooks.example/{n}", "eventTypes": ["PRICE_CHANGED"]},
    "createProvider": {"slug": "p{n}", "type": "CUSTOM", "baseUrl": "https://p{n}.example/v1"},
}
WORDS = (
    "<img src=x onerror=window.naughty=1>\u202e" + "W" * 2_000 + "\u0000\n<script>alert(1)</script>"
)


async def unfriendly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A provider that refuses with words of its own."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"error": {"message": WORDS, "type": WORDS, "code": WORDS}}).encode()
        head = f"HTTP/1.1 400 {WORDS[:20]!a}\r\ncontent-length: {len(body)}\r\n"
        head += "content-type: application/json\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
    writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unfriendly_url() -> AsyncIterator[str]:
    server = await asyncio.start_server(unfriendly, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installation(
    folder: Path, upstream: FakeProvider, unfriendly_url: str
) -> AsyncIterator[Installation]:
    """That may reach both."""
    hosts = ",".join(urlsplit(url).netloc for url in (upstream.base_url, unfriendly_url))
    async with running(folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=hosts) as started:
        yield started


async def tried(installation: Installation, name: str, /, **input: Any) -> bool:
    """Whether it was taken; what is not is refused in words."""
    typed = f"{name[0].upper()}{name[1:]}Input"
    document = f"""mutation ($input: {typed}!) {{
      {name}(input: $input) {{ __typename ... on Error {{ message }} }}
    }}"""
    answer = await installation.post("/graphql", {"query": document, "variables": {"input": input}})
    found = (answer.get("data") or {}).get(name) or {}
    assert found or answer["errors"], answer
    return str(found.get("__typename", "")).endswith("Payload")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def odd(
    installation: Installation, upstream: FakeProvider, unfriendly_url: str
) -> dict[str, int]:
    """One of each of every name, and how many were taken."""
    taken = dict.fromkeys(BY_NAME, 0)
    for n, text in enumerate(TEXTS):
        for name, more in BY_NAME.items():
            filled = {k: v.format(n=n) if isinstance(v, str) else v for k, v in more.items()}
            taken[name] += await tried(installation, name, name=text, **filled)
    local = await provide(installation, upstream, "Local", "plain", "fake-fail503")
    taken["createModel"] = 0
    for text in TEXTS:
        taken["createModel"] += await tried(installation, "createModel", provider=local, name=text)
        await tried(installation, "createCredential", provider=local, secret="sk-1", name=text)
    person = await add_person(installation, TEXTS[0][:90])
    viewer = await installation.graphql("{ viewer { user { id } } }", key=person)
    for n, text in enumerate(TEXTS[:20]):
        told = {"reason": text, "idempotencyKey": f"odd-{n}", "amount": "0.01"}
        await tried(installation, "creditWallet", wallet=viewer["viewer"]["user"]["id"], **told)
    await rude(installation, unfriendly_url, person)
    return taken


async def rude(installation: Installation, url: str, person: str) -> None:
    """Requests that fail in a provider's own words, and such an attempt of a test."""
    made = await run(
        installation,
        "createProvider",
        "... on CreateProviderPayload { provider { id } }",
        slug="rude",
        type="CUSTOM",
        baseUrl=url,
    )
    id = made["provider"]["id"]
    await run(installation, "createCredential", provider=id, secret="sk-rude", name=LONG[0])
    await run(installation, "createModel", provider=id, name="rude")
    await tried(installation, "testProvider", id=id)
    for model in ("rude/rude", *TEXTS[:30]):
        body = {"model": model, "messages": [{"role": "user", "content": model}]}
        await installation.post("/v1/chat/completions", body, key=person)
    await ask(installation, "local/plain", person)


def quiet(site: Site) -> None:
    """Dialogs are noted as problems too."""
    site.page.on("dialog", lambda dialog: site.problems.append(f"dialog {dialog.message}"))


async def settled(site: Site, path: str) -> None:
    await site.page.goto(site.installation.base_url + path)
    await site.page.wait_for_load_state("networkidle")
    site.problems[:] = [each for each in site.problems if "status of 404" not in each]
    await keeps(site, path)


async def keeps(site: Site, where: str) -> None:
    """Nothing ran, and nothing was asked elsewhere."""
    assert await site.page.evaluate("window.naughty") is None, where
    assert site.problems == [], where


async def too_wide(site: Site, where: str) -> list[str]:
    """`where` when its page is wider than the window."""
    fits = await site.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return [] if fits else [where]


@pytest.mark.parametrize("look", LOOKS)
async def test_no_text_of_anybody_runs_or_breaks_a_page(
    odd: dict[str, int], site: Site, look: str
) -> None:
    assert all(count >= 20 for count in odd.values()), json.dumps(odd)
    quiet(site)
    width, height = LOOKS[look]
    await site.page.set_viewport_size({"width": width, "height": height})
    wide = []
    for path in TABS:
        await settled(site, path)
        wide += await too_wide(site, path)
        await site.keep(f"odd-{path.strip('/').replace('/', '-').split('?')[-1] or 'home'}-{look}")
    assert wide == []


async def test_a_providers_words_are_shown_as_words(odd: dict[str, int], site: Site) -> None:
    quiet(site)
    await settled(site, "/usage")
    await site.press("Why: rude/rude")
    dialog = site.page.get_by_role("dialog")
    await dialog.get_by_text("rude", exact=False).first.wait_for()
    await site.page.wait_for_load_state("networkidle")
    await site.keep("odd-request")
    await keeps(site, "the request")
    assert await too_wide(site, "the request") == []


async def test_no_address_runs_or_breaks_a_page(odd: dict[str, int], site: Site) -> None:
    quiet(site)
    for text in (*TEXTS[:4], *(text for text in TEXTS if "naughty" in text)):
        shown = quote(text, safe="")
        query = "&".join(f"{name}={shown}" for name in ("search", "discover", "view", "model"))
        for path in (
            f"/{shown}",
            f"/guides/{shown}",
            f"/models?{query}",
            f"/usage?{query}#{shown}",
        ):
            await settled(site, path)
            assert await too_wide(site, path) == []
