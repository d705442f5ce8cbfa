"""An answer's usage gets its cost, and everything else the provider said stays as it said it."""

import json

import pytest

from domain.usage import TokenUsage
from gateway.bill import Bill
from gateway.openai.usage import with_usage

USAGE = b'{"prompt_tokens": 3, "details": {"cached": 1}, "completion_tokens": 4}'
BILL = Bill(TokenUsage(3, output=4), False, 1_500_000, 2_000_000)
COSTS = {"cost": 0.0015, "charged": 0.002}


def test_only_the_cost_is_written_into_an_answer() -> None:
    answer = b'{"x": 1.50,  "usage": ' + USAGE + b' , "choices": ["\\u00e9"]}'
    said = with_usage(answer, USAGE, BILL)
    assert said == answer.replace(b"4}", b'4,"cost":0.0015,"charged":0.002}')


@pytest.mark.parametrize(
    "answer",
    [
        b'{"x_groq": {"usage": ' + USAGE + b'}, "usage": ' + USAGE + b"}",
        b'{"usage": ' + USAGE + b', "x_groq": {"usage": ' + USAGE + b"}}",
    ],
)
def test_the_same_figures_elsewhere_are_left_alone(answer: bytes) -> None:
    said = json.loads(with_usage(answer, USAGE, BILL))
    assert said["usage"] == json.loads(USAGE) | COSTS
    assert said["x_groq"]["usage"] == json.loads(USAGE)


def test_a_cost_that_the_provider_told_is_replaced() -> None:
    theirs = b'{"prompt_tokens":3,"completion_tokens":4,"cost":9}'
    said = json.loads(with_usage(b'{"usage":' + theirs + b"}", theirs, BILL))
    assert said["usage"] == {"prompt_tokens": 3, "completion_tokens": 4} | COSTS


def test_figures_that_cannot_be_true_are_ours() -> None:
    theirs = b'{"prompt_tokens":-3}'
    bill = Bill(TokenUsage(3, output=4), True, None)
    for answer, raw in ((b'{"usage":' + theirs + b"}", theirs), (b"{}", None)):
        assert json.loads(with_usage(answer, raw, bill))["usage"] == {
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "total_tokens": 7,
            "estimated": True,
            "cost": None,
        }
