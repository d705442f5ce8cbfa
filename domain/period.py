"""Spans of time that analytics are asked for, and how they are cut into hours and days."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput

MOST_POINTS = 750
"""A month of hours, with an hour more where the clock goes back."""
_LONGEST = timedelta(days=400)
_HOUR = timedelta(hours=1)


class Period(StrEnum):
    """That many calendar days, today included."""

    DAYS_7 = "DAYS_7"
    DAYS_30 = "DAYS_30"
    DAYS_90 = "DAYS_90"

    @property
    def days(self) -> int:
        return int(self.value.removeprefix("DAYS_"))


class Interval(StrEnum):
    HOUR = "HOUR"
    DAY = "DAY"


class Span(NamedTuple):
    """`since` is included, `until` is not."""

    since: datetime
    until: datetime


def zone_of(name: str) -> tzinfo:
    """Raises InvalidInput for a name the IANA database does not have."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise InvalidInput("timeZone", "Use an IANA name such as Europe/Berlin.") from None


def span_of(
    period: Period | None,
    since: datetime | None,
    until: datetime | None,
    zone: tzinfo,
    now: datetime,
) -> Span:
    """Either a period or a range; by default the last seven days. Raises InvalidInput."""
    if since is None and until is not None:
        raise InvalidInput("to", "Say `from` as well.")
    if since is None:
        first = now.astimezone(zone).date() - timedelta(days=(period or Period.DAYS_7).days - 1)
        return Span(_midnight(first, zone), now)
    if period is not None:
        raise InvalidInput("period", "Give `period` or `from` and `to`, not both.")
    span = Span(since, now if until is None else until)
    if not timedelta() < span.until - span.since <= _LONGEST:
        raise InvalidInput("to", f"Later than `from`, by at most {_LONGEST.days} days.")
    return span


def previous_of(span: Span, days: int | None, zone: tzinfo, now: datetime) -> Span:
    """The span of the same length before, of one that is not over yet as much as is over.

    `days` calendar days earlier, where it is a period.
    """
    if days is None:
        length = span.until - span.since
        reached = min(span.until, now) if span.since < now else span.until
        return Span(span.since - length, reached - length)
    return Span(*(_days_before(moment, days, zone) for moment in span))


def starts_of(span: Span, interval: Interval, zone: tzinfo) -> list[datetime]:
    """Where the hours or days of `zone` begin that `span` touches; the first is `since` itself.

    Raises InvalidInput when there are more than 750.
    """
    if interval is Interval.DAY:
        later = _midnights(span, zone)
    else:
        whole = span.since.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        later = _hours(whole.astimezone(UTC), span)
    if len(later) >= MOST_POINTS:
        raise InvalidInput("interval", f"More than {MOST_POINTS} points: ask for days.")
    return [span.since, *later]


def _midnights(span: Span, zone: tzinfo) -> list[datetime]:
    day = span.since.astimezone(zone).date()
    found = []
    while (start := _midnight(day := day + timedelta(days=1), zone)) < span.until:
        found.append(start)
    return found


def _hours(start: datetime, span: Span) -> list[datetime]:
    count = min(int((span.until - start) / _HOUR) + 1, MOST_POINTS + 1)
    hours = (start + n * _HOUR for n in range(1, count + 1))
    return [hour for hour in hours if span.since < hour < span.until]


def _days_before(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time on the clock, that many days ago."""
    return (moment.astimezone(zone) - timedelta(days=days)).astimezone(UTC)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
