"""A real browser: Debian's Chromium, or whichever the machine has under one of its names."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Without one the test is skipped and says so; on CI it fails."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("no browser here: install Debian's `chromium` to run the browser tests")
    async with async_playwright() as playwright:
        # Chromium's sandbox does not start for root, as whom CI runs.
        opened = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        await opened.close()
