"""Every page in light, dark and at phone width: accessible, within its width, from nowhere else."""

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.installation import Installation
from tests.e2e.seeding import ask, provide
from tests.e2e.site import Site
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
TABS = {
    "/": "Home",
    "/providers": "Providers",
    "/models": "Models",
    "/rules": "Routing Rules",
    "/usage": "Usage Analytics",
    "/byok": "BYOK Settings",
    "/keys": "API Keys",
    "/credits": "Credits",
    "/playground": "Playground",
    "/webhooks": "Webhooks",
    "/people": "People",
    "/people?view=organisations": "People",
    "/audit": "Audit",
    "/settings": "Settings",
    "/guides": "First steps",
    "/guides/troubleshooting": "Troubleshooting",
    "/nowhere": "",
}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 850}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 850}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
SERIOUS = """async () => {
  const { violations } = await axe.run();
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`.slice(0, 400));
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(installation: Installation, upstream: FakeProvider) -> Installation:
    """With something on most pages."""
    await provide(installation, upstream, "Local", "fake-i1000-o20", "fake-fail503")
    await ask(installation, "auto")
    return installation


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_is_accessible_and_keeps_to_itself(
    filled: Installation, site: Site, look: str
) -> None:
    page = site.page
    await page.emulate_media(color_scheme=LOOKS[look]["color_scheme"])
    await page.set_viewport_size(LOOKS[look]["viewport"])
    found: dict[str, Any] = {}
    for path, title in TABS.items():
        await page.goto(filled.base_url + path)
        if title:
            await site.heading(title)
        await page.wait_for_load_state("networkidle")
        await page.evaluate(AXE.read_text())
        found[path] = await page.evaluate(SERIOUS)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        await site.keep(f"{path.strip('/').replace('/', '-').split('?')[-1] or 'home'}-{look}")
    assert {path: each for path, each in found.items() if each} == {}, json.dumps(found, indent=1)
    assert site.problems == []
