"""Scalars are exact both ways, and refuse what they could only round."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.secret import Secret
from schema.scalars import SCALARS, USD, BigInt, parse_usd, usd_text

MOST = 10**18 - 1
BIG_INT, TIME, SECRET = SCALARS[BigInt], SCALARS[datetime], SCALARS[Secret]


@given(st.integers(min_value=-MOST, max_value=MOST))
def test_every_amount_comes_back_to_the_last_digit(nano: int) -> None:
    assert parse_usd(usd_text(nano)) == USD(nano)


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (1_500_000_000, "1.5"),
        (10_000_000_000, "10"),
        (MOST, "999999999.999999999"),
    ],
)
def test_amounts_are_plain_decimals(nano: int, text: str) -> None:
    assert usd_text(nano) == text


@pytest.mark.parametrize(
    "value",
    [1.5, 1, True, None, "", "1e3", "1,5", ".5", "1.", "+1", "٣", "1.0000000001", "NaN", " 1"],
)
def test_refuses_amounts_it_could_only_guess(value: object) -> None:
    with pytest.raises(ValueError, match="USD is a decimal string"):
        parse_usd(value)


@pytest.mark.parametrize(
    ("value", "parsed"), [(5, 5), ("-5", -5), (2**63 - 1, 2**63 - 1), (str(1 - 2**63), 1 - 2**63)]
)
def test_big_integers_come_as_numbers_or_strings(value: object, parsed: int) -> None:
    assert BIG_INT.parse_value is not None
    assert BIG_INT.parse_value(value) == parsed


@pytest.mark.parametrize("value", [2**63, 1.0, True, "1.5", "", "0x10"])
def test_refuses_what_is_no_big_integer(value: object) -> None:
    assert BIG_INT.parse_value is not None
    with pytest.raises(ValueError, match="BigInt is an integer"):
        BIG_INT.parse_value(value)


def test_times_are_in_utc_and_need_an_offset() -> None:
    assert TIME.parse_value is not None
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)

    assert TIME.serialize is not None
    assert TIME.serialize(noon) == "2026-01-31T12:00:00Z"
    assert TIME.parse_value("2026-01-31T14:00:00+02:00") == noon
    with pytest.raises(ValueError, match="needs an offset"):
        TIME.parse_value("2026-01-31T12:00:00")


def test_a_secret_is_taken_and_never_given() -> None:
    assert SECRET.parse_value is not None
    assert SECRET.serialize is not None
    taken = SECRET.parse_value("sk-canary")

    assert (str(taken), taken.reveal()) == ("Secret(…)", "sk-canary")
    with pytest.raises(TypeError, match="never an output"):
        SECRET.serialize(taken)
