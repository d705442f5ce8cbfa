"""Counting tokens over raw bytes."""

import json
import time

import orjson
import pytest

from domain.tokens import ATTACHED, WHOLE, Count, TokenCounter


@pytest.fixture(scope="module")
def counter() -> TokenCounter:
    return TokenCounter.load()


def test_counts_what_the_vocabulary_says(counter: TokenCounter) -> None:
    assert counter.count("The quick brown fox jumps over the lazy dog.") == Count(10, False)
    assert counter.count(b"") == Count(0, False)


def test_the_first_request_waits_for_nothing_to_be_compiled() -> None:
    fresh = TokenCounter.load()
    began = time.process_time()
    fresh.count(orjson.dumps([{"role": "user", "content": "What is 2 + 2?\n\n```py\nf(x)\n```"}]))
    assert time.process_time() - began < 0.03


def test_counts_bytes_and_text_alike(counter: TokenCounter) -> None:
    assert counter.count("Grüße, 世界".encode()) == counter.count("Grüße, 世界")


def test_a_long_text_is_sampled_and_says_so(counter: TokenCounter) -> None:
    sentence = b"Routing is a decision, and a decision can be explained. "
    text = sentence * 1_000
    assert len(text) > WHOLE
    exact = counter.count(sentence * 100).tokens * 10
    sampled = counter.count(text)
    assert sampled.estimated
    assert abs(sampled.tokens - exact) < exact * 0.03


def test_an_attached_image_counts_as_an_image_not_as_text(counter: TokenCounter) -> None:
    def messages(payload: str) -> bytes:
        url = {"url": f"data:image/png;base64,{payload}"}
        return orjson.dumps(
            [{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]
        )

    small, large = counter.count(messages("AAAA")), counter.count(messages("QUJD" * 100_000))
    assert small == large
    assert ATTACHED < large.tokens < ATTACHED + 50
    assert large.estimated


@pytest.mark.parametrize("text", ["世界你好" * 40, "Größere Änderungen " * 50, "🌍🎉 " * 60])
@pytest.mark.parametrize("times", [1, 40])
def test_json_in_ascii_counts_as_what_it_says(counter: TokenCounter, text: str, times: int) -> None:
    """Python's `requests`, PHP and others write six letters for one."""
    messages = [{"role": "user", "content": text * times}]
    plain, escaped = orjson.dumps(messages), json.dumps(messages, separators=(",", ":")).encode()
    assert len(escaped) > 1.1 * len(plain)
    assert counter.count(escaped).tokens == pytest.approx(counter.count(plain).tokens, rel=0.03)


def test_half_a_letter_is_counted_not_refused(counter: TokenCounter) -> None:
    assert counter.count(rb'"\ud83c\u00"').tokens > 0


def test_bytes_that_are_no_text_are_counted_not_refused(counter: TokenCounter) -> None:
    assert counter.count(b"\xff\xfe\x00").tokens > 0


def test_without_a_vocabulary_four_bytes_are_a_token() -> None:
    assert TokenCounter().count("a" * 41) == Count(11, True)
