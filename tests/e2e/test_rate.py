"""Who is quicker than the server allows is made to wait, and sees no error."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.e2e.seeding import provide
from tests.e2e.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSAL: dict[str, Any] = {
    "status": 429,
    "headers": {"content-type": "application/graphql-response+json", "retry-after": "1"},
    "json": {"errors": [{"message": "Too much.", "extensions": {"code": "LIMIT_EXCEEDED"}}]},
}


async def test_a_page_and_a_change_wait_for_the_rate(site: Site) -> None:
    await provide(site.installation, site.upstream, "Patient")
    refused: list[str] = []

    async def once(route: Route) -> None:
        asked = route.request.post_data_json
        operation = asked["operationName"] if asked else ""
        if operation in ("Providers", "UpdateProvider") and operation not in refused:
            refused.append(operation)
            await route.fulfill(**REFUSAL)
        else:
            await route.fallback()

    await site.page.route("**/graphql", once)
    await site.open("Providers")
    await site.choose("Patient", "Switch off")
    await site.page.get_by_text("Patient is switched off.").wait_for()

    await expect(site.row("Providers", "Patient")).to_contain_text("Off")
    await expect(site.page.get_by_text("Too much.")).to_have_count(0)
    assert refused == ["Providers", "UpdateProvider"]
    # The browser itself notes each refusal, nothing else.
    assert [each for each in site.problems if "429" not in each] == []
