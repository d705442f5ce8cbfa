"""A real browser and a whole installation: one of each for all the tests of a module."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.installation import Installation, running
from tests.e2e.site import Site, opened_browser
from tests.provider.server import FakeProvider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with opened_browser() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[FakeProvider]:
    """The fake provider that the module's installation may reach."""
    async with FakeProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Of the installation; the user who runs PostgreSQL for root can enter it."""
    made = Path(tempfile.mkdtemp(prefix="fairlead-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installation(folder: Path, upstream: FakeProvider) -> AsyncIterator[Installation]:
    """Each test makes things of its own names in it."""
    hosts = urlsplit(upstream.base_url).netloc
    async with running(folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=hosts) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def site(
    browser: Browser, installation: Installation, upstream: FakeProvider
) -> AsyncIterator[Site]:
    """Signed in as the administrator; at the end the console and the network were clean."""
    found = await Site.visit(browser, installation, upstream)
    yield found
    await found.page.context.close()
