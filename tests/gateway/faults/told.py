"""What a caller was told, put into a few words, from the bytes that came."""

import json
from typing import Any

import httpx2

from tests.gateway.faults.cells import Cell, In

SPARE = "two"
WHOLE = "".join(f"word{number} " for number in range(8))


def whole(cell: Cell, answer: httpx2.Response) -> str:
    said = answer.json()
    if answer.status_code != 200:
        return f"{answer.status_code} {_error(said)}"
    return _by(answer.headers, text(cell, said))


def streamed(headers: Any, body: bytes, *, broken: bool) -> str:
    """`broken`: the body did not end in order."""
    words, ended, failed = "", False, ""
    for event in body.split(b"\n\n"):
        lines = [line for line in event.splitlines() if line.startswith(b"data: ")]
        for line in lines:
            if line == b"data: [DONE]":
                ended = True
                continue
            said = json.loads(line.removeprefix(b"data: "))
            if "error" in said:
                failed = _error(said)
                continue
            words += _delta(said)
            ended |= said.get("type") == "message_stop"
    if failed or broken:
        assert failed, "a broken body without an error event"
        assert broken, "an error event before a clean end"
        assert not ended, "an error event beside a terminal one"
        return f"{len(words.split())} words, then an error event and no end"
    assert ended, "a clean end without a terminal event"
    return _by(headers, words)


def text(cell: Cell, said: Any) -> str:
    if cell.format is In.EMBEDDINGS:
        return "an embedding" if len(said["data"][0]["embedding"]) == 4 else "?"
    if cell.format is In.CHAT:
        content: str = said["choices"][0]["message"]["content"]
        return content
    return "".join(block["text"] for block in said["content"])


def _delta(said: Any) -> str:
    if "choices" in said:
        return "".join(choice["delta"].get("content") or "" for choice in said["choices"])
    if said["type"] == "content_block_delta":
        delta: str = said["delta"].get("text", "")
        return delta
    return ""


def _error(said: Any) -> str:
    error = said["error"]
    return str(error.get("code") or error["type"])


def _by(headers: Any, words: str) -> str:
    """Who began it; it must be whole."""
    assert words in (WHOLE, "an embedding"), words
    return "the spare's answer" if headers["x-fairlead-provider"] == SPARE else "the answer"
