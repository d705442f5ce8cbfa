"""What was large is gone when it is answered: nobody's memory is filled by what is refused."""

import gc
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.gateway.plane import KEY, Plane
from tests.provider.server import FakeProvider

MEGABYTE = 1024 * 1024
LARGE = 4 * MEGABYTE
TIMES = 25


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """The server's collector looks at everything once in fifty million objects."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.parametrize(
    ("model", "statuses"),
    [
        ("nowhere/at-all", {404}),
        ("one/small", {422}),
        ("one/fake", {200}),
        ("one/fake-fail400", {400}),
        ("one/fake-fail500", {502, 503}),
        ("one/fake-html", {502, 503}),
    ],
)
async def test_bodies_do_not_stay(
    plane: Plane, fake_provider: FakeProvider, model: str, statuses: set[int]
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "small", context=1_000)
    for name in ("fake", "fake-fail400", "fake-fail500", "fake-html"):
        plane.model(one, name, context=None)
    turn = {"role": "user", "content": "a" * LARGE}
    body = httpx2.Request("POST", "http://x", json={"model": model, "messages": [turn]}).content
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    met, before = set(), 0
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        for number in range(TIMES):
            url = f"{plane.base_url}/chat/completions"
            answer = await client.post(url, content=body, headers=headers)
            met.add(answer.status_code)
            fake_provider.log.clear()
            if number == 4:
                before = resident()

    assert met <= statuses
    assert resident() - before < (TIMES - 5) * LARGE // 3
