"""Whole answers as servers give them beside the letter of the format, read by the official SDK."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import openai
import orjson
import pytest

from domain.usage import TokenUsage, UsageSource
from tests.gateway.plane import Plane, serving
from tests.gateway.raw import saying
from tests.gateway.test_chat import HELLO

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
SAID: Any = {"role": "assistant", "content": "Grüße"}
PLAIN: Any = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": SAID, "finish_reason": "stop"}],
    "usage": USAGE,
}
BODY = orjson.dumps(PLAIN)


def http(body: bytes, *headers: str, version: str = "1.1", measured: bool = True) -> bytes:
    length = [f"content-length: {len(body)}"] if measured else []
    head = [f"HTTP/{version} 200 OK", *headers, *length, "", ""]
    return "\r\n".join(head).encode() + body


@pytest.fixture
async def odd(pieces: list[bytes]) -> AsyncIterator[Plane]:
    """A plane before a provider whose `one/odd` answers so."""
    async with saying(pieces, stream=False) as where, serving(where) as plane:
        plane.model(plane.provider("one", f"http://{where}/v1"), "odd")
        yield plane


async def ask(plane: Plane) -> Any:
    return await plane.client.chat.completions.create(model="one/odd", messages=HELLO)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http(BODY), id="as documented"),
        pytest.param(http(b"\n \n" + BODY + b"\n"), id="space around it, to keep the line alive"),
        pytest.param(http(BODY, "content-type: text/plain"), id="as text"),
        pytest.param(http(BODY, "connection: close", measured=False), id="until it closes"),
        pytest.param(http(BODY, version="1.0"), id="HTTP/1.0"),
        pytest.param(
            http(
                b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (BODY[:5], len(BODY) - 5, BODY[5:]),
                "transfer-encoding: chunked",
                measured=False,
            ),
            id="in chunks",
        ),
    ],
)
async def test_it_is_read_and_paid_as_it_is_meant(
    odd: Plane, pieces: list[bytes], answer: bytes
) -> None:
    pieces.append(answer)
    told = await ask(odd)
    (made,) = await odd.records.settled()
    assert (told.choices[0].message.content, told.usage.model_extra["cost"]) == ("Grüße", 0.000039)
    assert (made.usage, made.usage_source) == (TokenUsage(11, output=7), UsageSource.PROVIDER)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(gzip.compress(BODY), "content-encoding: gzip"), "compressed its answer"),
        (http(b"<html>Sign in"), "not JSON"),
        (http(b""), "not JSON"),
        (http(BODY + BODY), "not JSON"),
        (http(orjson.dumps(PLAIN | {"choices": []})), "without choices"),
        (http(orjson.dumps(PLAIN | {"choices": None})), "without choices"),
        (http(orjson.dumps({"error": "out of memory"})), "out of memory"),
    ],
)
async def test_what_is_no_answer_is_an_error_that_says_so(
    odd: Plane, pieces: list[bytes], answer: bytes, words: str
) -> None:
    pieces.append(answer)
    with pytest.raises(openai.InternalServerError, match=words):
        await ask(odd)
    (made,) = await odd.records.settled()
    assert (made.cost, made.usage) == (0, TokenUsage())


@pytest.mark.parametrize("usage", [None, {}, dict.fromkeys(USAGE, 0)])
async def test_figures_of_nothing_are_replaced_by_an_estimate(
    odd: Plane, pieces: list[bytes], usage: Any
) -> None:
    pieces.append(http(orjson.dumps(PLAIN | {"usage": usage})))
    told = await ask(odd)
    (made,) = await odd.records.settled()
    assert made.usage_source is UsageSource.ESTIMATED
    assert told.usage.model_extra["estimated"] is True
    assert min(told.usage.prompt_tokens, told.usage.completion_tokens) > 0
