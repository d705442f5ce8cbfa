"""What an upstream's status and words come to, retries as a share, and keys kept for a minute."""

import json
import time
from email.utils import formatdate
from typing import Any

import pytest

from domain.errors import ErrorCode
from domain.ports import Place
from domain.secret import Secret
from domain.snapshot import Credential, KeyOwner, Provider, ProviderType
from gateway.budget import RetryBudget
from gateway.failure import End, UpstreamFailure, of_status, to_error
from gateway.keys import KeyRing
from tests.gateway.plane import Plain, identity


def _error(message: str, code: Any = None, kind: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "code": code, "type": kind}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "end"),
    [
        (400, _error("Too long.", "context_length_exceeded"), End.CONTEXT_LENGTH),
        (400, _error("This model's maximum context length is 8192 tokens."), End.CONTEXT_LENGTH),
        (400, _error("prompt is too long: 210000 tokens > 200000"), End.CONTEXT_LENGTH),
        (413, _error("input is too long for the context window"), End.CONTEXT_LENGTH),
        (400, _error("Filtered.", "content_filter"), End.CONTENT_FILTER),
        (403, _error("Your input was flagged by moderation."), End.CONTENT_FILTER),
        (403, _error("The response was blocked."), End.CONTENT_FILTER),
        (403, _error("Access was denied by content_policy."), End.CONTENT_FILTER),
        (403, _error("Your account has been blocked."), End.KEY_REFUSED),
        (403, _error("Your organization was flagged for review."), End.KEY_REFUSED),
        (403, b"<title>Sorry, you have been blocked</title>", End.KEY_REFUSED),
        (400, _error("Invalid value for temperature."), End.REJECTED),
        (422, b'{"message":"bad"}', End.REJECTED),
        (401, _error("Incorrect API key provided: sk-ab***yz"), End.KEY_REFUSED),
        (402, _error("Insufficient credits."), End.KEY_REFUSED),
        (403, _error("Your key may not use this project."), End.KEY_REFUSED),
        (404, _error("No such model."), End.MODEL_MISSING),
        (403, _error("Project `p` does not have access to model `m`."), End.MODEL_MISSING),
        (403, _error("No.", "model_not_found"), End.MODEL_MISSING),
        (429, _error("You exceeded your quota.", "insufficient_quota"), End.KEY_REFUSED),
        (429, _error("Slow down: insufficient_quota of patience."), End.RATE_LIMITED),
        (408, b"", End.TIMEOUT),
        (429, b"[]", End.RATE_LIMITED),
        (500, b"<html>", End.INTERNAL_ERROR),
        (502, b"", End.SERVER_ERROR),
        (529, _error("Overloaded."), End.SERVER_ERROR),
        (302, b"", End.SERVER_ERROR),
        (400, b'[{"error":{"code":400,"message":"API key not valid"}}]', End.REJECTED),
    ],
)
def test_a_status_and_its_words_say_what_to_do_next(status: int, body: bytes, end: End) -> None:
    assert of_status(status, {}, body).end is end


def test_the_words_of_a_refused_key_are_never_passed_on() -> None:
    failure = of_status(401, {}, _error("Incorrect API key provided: sk-ab***yz"))

    error = to_error(failure, "one")

    assert "sk-" not in error.message
    assert failure.body == b""
    assert error.message == "`one` refused its key."


@pytest.mark.parametrize(
    ("header", "wait"),
    [("3", 3.0), ("0.5", 0.5), ("-1", None), ("nan", None), ("inf", None), ("soon", None)],
)
def test_retry_after_is_in_seconds(header: str, wait: float | None) -> None:
    assert of_status(429, {"retry-after": header}, b"").retry_after == wait


@pytest.mark.parametrize(
    ("end", "upstream", "code", "status"),
    [
        (End.CONNECT, None, ErrorCode.PROVIDER_ERROR, 503),
        (End.SERVER_ERROR, 502, ErrorCode.PROVIDER_ERROR, 503),
        (End.MALFORMED, 200, ErrorCode.PROVIDER_ERROR, 502),
        (End.TIMEOUT, None, ErrorCode.PROVIDER_TIMEOUT, 504),
        (End.RATE_LIMITED, 429, ErrorCode.LIMIT_EXCEEDED, 429),
        (End.REJECTED, 422, ErrorCode.PROVIDER_REJECTED, 422),
    ],
)
def test_the_caller_is_told_by_status_whose_fault_it_was(
    end: End, upstream: int | None, code: ErrorCode, status: int
) -> None:
    error = to_error(UpstreamFailure(end, "failed", status=upstream), "one")

    assert (error.code, error.status) == (code, status)


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_retries_are_a_share_of_the_traffic_once_the_reserve_is_gone() -> None:
    budget = RetryBudget(_Clock())

    granted = 0
    for _ in range(1_000):
        budget.request()
        granted += budget.spend()

    assert granted == 30 + 200 - 1


def test_time_earns_retries_too() -> None:
    clock = _Clock()
    budget = RetryBudget(clock)
    while budget.spend():
        pass

    clock.now = 1.0

    assert [budget.spend() for _ in range(4)] == [True, True, True, False]


def test_a_key_is_opened_once_a_minute_and_only_for_its_address() -> None:
    clock, cipher = _Clock(), _Counting()
    provider = Provider(identity("p"), "p", ProviderType.CUSTOM, "https://one.test/v1")
    place = Place("llm_credentials", "ciphertext", identity("k"), 1, "https://one.test/v1")
    sealed = cipher.seal(Secret("sk-1"), place)
    credential = Credential(
        identity("k"),
        provider.id,
        KeyOwner.SYSTEM,
        None,
        1,
        place.destination,
        "test",
        sealed.ciphertext,
    )
    ring = KeyRing(cipher, clock)

    assert ring.open(credential, provider).reveal() == "sk-1"
    clock.now = 59.0
    ring.open(credential, provider)
    assert cipher.opened == 1
    clock.now = 60.0
    ring.open(credential, provider)
    assert cipher.opened == 2
    moved = Provider(provider.id, "p", ProviderType.CUSTOM, "https://two.test/v1")
    with pytest.raises(ValueError, match="belong"):
        ring.open(credential, moved)


class _Counting(Plain):
    opened = 0

    def open(self, sealed: Any, place: Place) -> Secret:
        self.opened += 1
        return super().open(sealed, place)


def test_retry_after_may_be_a_date_or_in_milliseconds() -> None:
    in_a_minute = formatdate(time.time() + 60, usegmt=True)
    dated = of_status(429, {"retry-after": in_a_minute}, b"").retry_after
    assert dated is not None
    assert 50 < dated <= 60
    past = of_status(429, {"retry-after": formatdate(0, usegmt=True)}, b"")
    assert past.retry_after == 0.0
    exact = of_status(429, {"retry-after-ms": "250", "retry-after": "1"}, b"")
    assert exact.retry_after == 0.25
