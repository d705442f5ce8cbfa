"""Spans of time: calendar days of a place, cut where its clock says."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import InvalidInput
from domain.period import (
    MOST_POINTS,
    Interval,
    Period,
    Span,
    previous_of,
    span_of,
    starts_of,
    zone_of,
)

BERLIN = zone_of("Europe/Berlin")
KOLKATA = zone_of("Asia/Kolkata")
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


def utc(day: int, hour: int = 0, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "since"),
    [
        (None, utc(14, month=11)),
        (Period.DAYS_7, utc(14, month=11)),
        (Period.DAYS_30, utc(22)),
        (Period.DAYS_90, utc(23, month=8)),
    ],
)
def test_a_period_is_whole_days_and_today_so_far(period: Period | None, since: datetime) -> None:
    assert span_of(period, None, None, UTC, NOW) == Span(since, NOW)


def test_today_is_the_places_own() -> None:
    late = datetime(2026, 11, 20, 20, tzinfo=UTC)

    assert span_of(Period.DAYS_7, None, None, KOLKATA, late).since == utc(14, 18, 30, month=11)


def test_a_range_may_end_now() -> None:
    assert span_of(None, utc(1), None, UTC, NOW) == Span(utc(1), NOW)
    assert span_of(None, utc(1), utc(2), UTC, NOW) == Span(utc(1), utc(2))


@pytest.mark.parametrize(
    ("field", "period", "since", "until"),
    [
        ("to", None, None, utc(1)),
        ("period", Period.DAYS_7, utc(1), None),
        ("to", None, utc(2), utc(2)),
        ("to", None, utc(2), utc(1)),
        ("to", None, utc(1), utc(1) + timedelta(days=401)),
    ],
)
def test_refuses_what_is_no_span(
    field: str, period: Period | None, since: datetime | None, until: datetime | None
) -> None:
    with pytest.raises(InvalidInput) as caught:
        span_of(period, since, until, UTC, NOW)

    assert caught.value.field == field


def test_a_day_on_which_the_clock_goes_back_has_25_hours() -> None:
    """In Berlin on 25 October 2026, from 3:00 back to 2:00."""
    span = Span(utc(24, 22), utc(26, 23))

    assert starts_of(span, Interval.DAY, BERLIN) == [utc(24, 22), utc(25, 23)]
    hours = starts_of(Span(utc(24, 22), utc(25, 23)), Interval.HOUR, BERLIN)
    assert hours == [utc(24, 22) + timedelta(hours=n) for n in range(25)]


def test_hours_begin_on_the_places_clock() -> None:
    found = starts_of(Span(utc(1, 0, 10), utc(1, 2)), Interval.HOUR, KOLKATA)

    assert found == [utc(1, 0, 10), utc(1, 0, 30), utc(1, 1, 30)]


def test_an_end_on_the_hour_begins_no_further_one() -> None:
    assert starts_of(Span(utc(1), utc(1, 2)), Interval.HOUR, UTC) == [utc(1), utc(1, 1)]
    assert starts_of(Span(utc(1), utc(2)), Interval.DAY, UTC) == [utc(1)]


def test_there_are_no_more_points_than_a_chart_has() -> None:
    most = Span(utc(1), utc(1) + timedelta(hours=MOST_POINTS))

    assert len(starts_of(most, Interval.HOUR, UTC)) == MOST_POINTS
    with pytest.raises(InvalidInput) as caught:
        starts_of(Span(most.since, most.until + timedelta(seconds=1)), Interval.HOUR, UTC)
    assert caught.value.field == "interval"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "UTC\0"])
def test_refuses_what_is_no_place(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        zone_of(name)

    assert caught.value.field == "timeZone"


def test_a_range_is_compared_with_as_much_as_is_over_of_it() -> None:
    day, now = timedelta(days=1), datetime(2026, 3, 10, 6, tzinfo=UTC)
    midnight = datetime(2026, 3, 10, tzinfo=UTC)
    over, running = Span(midnight - 2 * day, midnight), Span(midnight - day, midnight + day)
    coming = Span(midnight + day, midnight + 2 * day)

    assert previous_of(over, None, UTC, now) == Span(midnight - 4 * day, midnight - 2 * day)
    assert previous_of(running, None, UTC, now) == Span(midnight - 3 * day, now - 2 * day)
    assert previous_of(coming, None, UTC, now) == Span(midnight, midnight + day)


def test_a_range_to_the_end_of_today_is_compared_as_the_same_period_is() -> None:
    now = datetime(2026, 3, 10, 6, tzinfo=UTC)
    period = span_of(Period.DAYS_7, None, None, UTC, now)
    same = Span(period.since, period.since + timedelta(days=7))

    assert previous_of(same, None, UTC, now) == previous_of(period, 7, UTC, now)
