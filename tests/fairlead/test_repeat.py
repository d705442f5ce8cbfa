"""Idempotency-Key through a whole installation: an answer that was given outlives its process."""

from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.installation import Installation, start
from tests.e2e.local import add_models
from tests.provider.server import FakeProvider

QUESTION: dict[str, Any] = {
    "model": "local/fake",
    "messages": [{"role": "user", "content": "Hello"}],
}
HEADERS = {"idempotency-key": "order-17"}


async def _ask(served: Installation, key: str, **more: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        return await client.post(
            f"{served.base_url}/v1/chat/completions",
            json=QUESTION | more,
            headers=HEADERS | {"authorization": f"Bearer {key}"},
        )


async def test_the_answer_of_a_killed_process_is_given_again_and_charged_once(
    open_folder: Path, fake_provider: FakeProvider
) -> None:
    allowed = {"FAIRLEAD_ALLOW_PRIVATE_HOSTS": fake_provider.host_port}
    served = await start(open_folder, **allowed)
    key = served.key
    await add_models(served, fake_provider, "fake")
    first = await _ask(served, key)
    await served.kill()

    served = await start(open_folder, **allowed)
    again = await _ask(served, key)
    other = await _ask(served, key, max_tokens=7)
    listed = await served.graphql("{ usageRecords(first: 5) { nodes { status } } }", key=key)
    served.process.terminate()
    assert await served.process.wait() == 0

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.content == first.content
    assert again.headers["x-fairlead-replayed"] == "true"
    assert len(fake_provider.chats) == 1
    assert [node["status"] for node in listed["usageRecords"]["nodes"]] == ["OK"]
