"""Every text of a request to /v1 takes what programs stumble over; the provider gets it whole."""

from typing import Any

import httpx2
import orjson
import pytest

from tests.gateway.plane import KEY, Plane
from tests.naughty import TEXTS, UNREADABLE
from tests.provider.server import FakeProvider

CHAT: dict[str, Any] = {
    "model": "one/fake",
    "messages": [{"role": "user", "content": "hello", "name": "x"}],
    "stop": ["x"],
    "user": "x",
    "tools": [
        {"type": "function", "function": {"name": "f", "description": "x", "parameters": {}}}
    ],
    "metadata": {"x": "x"},
}
MESSAGES: dict[str, Any] = {
    "model": "one/fake",
    "max_tokens": 5,
    "system": "x",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
    "stop_sequences": ["x"],
    "metadata": {"user_id": "x"},
}
EMBEDDINGS: dict[str, Any] = {"model": "one/fake", "input": ["hello"], "user": "x"}
PATHS = {"chat/completions": CHAT, "messages": MESSAGES, "embeddings": EMBEDDINGS}
HEADERS = ("x-fairlead-mode", "x-fairlead-max-cost", "x-fairlead-clamp", "idempotency-key")


def places(value: Any, put: Any) -> list[Any]:
    """`value` with `put` in the place of each text in turn, and of each name of a member."""
    if isinstance(value, str):
        return [put]
    if isinstance(value, list):
        return [
            [*value[:n], other, *value[n + 1 :]]
            for n, each in enumerate(value)
            for other in places(each, put)
        ]
    if not isinstance(value, dict):
        return []
    inside = [value | {key: other} for key, each in value.items() for other in places(each, put)]
    return inside + ([value | {put: "x"}] if isinstance(put, str) else [])


async def statuses(plane: Plane, path: str, bodies: list[bytes]) -> set[int]:
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answers = [
            await client.post(f"{plane.base_url}/{path}", content=body, headers=headers)
            for body in bodies
        ]
    for answer in answers:
        assert answer.status_code < 500, (answer.status_code, answer.text[:300])
        if answer.status_code >= 400:
            assert orjson.loads(answer.content)["error"]["message"]
    return {answer.status_code for answer in answers}


@pytest.mark.parametrize("path", PATHS)
async def test_no_text_of_a_request_is_a_failure_of_ours(
    plane: Plane, fake_provider: FakeProvider, path: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    for text in TEXTS:
        bodies = [orjson.dumps(each) for each in places(PATHS[path], text)]
        assert len(bodies) > 3
        assert await statuses(plane, path, bodies)


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_no_text_is_refused(
    plane: Plane, fake_provider: FakeProvider, path: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    for bad in UNREADABLE:
        bodies = [orjson.dumps(each).replace(b'"@@"', bad) for each in places(PATHS[path], "@@")]
        assert await statuses(plane, path, bodies) == {400}


async def test_a_provider_gets_each_text_as_it_was_sent(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    for text in TEXTS:
        await plane.client.chat.completions.create(
            model="one/fake", messages=[{"role": "user", "content": text}]
        )
    sent = [chat.body["messages"][0]["content"] for chat in fake_provider.chats]
    assert sent == list(TEXTS)


@pytest.mark.parametrize("name", HEADERS)
async def test_no_text_of_a_header_is_a_failure_of_ours(
    plane: Plane, fake_provider: FakeProvider, name: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        for text in TEXTS:
            raw = text.strip().encode()[:2_000]
            if any(each < 32 or each == 127 for each in raw):
                continue
            sent: Any = {**headers, name.encode(): raw}
            answer = await client.post(
                f"{plane.base_url}/chat/completions",
                content=orjson.dumps(CHAT),
                headers=sent,
            )
            assert answer.status_code < 500, (name, text, answer.text[:300])
