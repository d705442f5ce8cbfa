"""Roll-ups of finished requests: sums in cells of time, kept in the settlement's transaction.

Cells outlive the raw rows. A request belongs to the moment inside its UUIDv7, as its partition
does. Missing keys are the zero UUID and empty text, so that every key compares.
"""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Identity, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base

CHUNK = 4096
"""People in one bitmap."""


_ROOM = {"postgresql_with": {"fillfactor": 70}}
"""Every settlement adds to the cells of its day: in their own page, no index has to follow."""


COUNTS = (
    "requests",
    "errors",
    "priced",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost",
    "shadow_cost",
)
"""What a cell adds up, histograms aside."""


class Sums:
    """What a cell adds up. Money in nano-USD over the `priced` requests; `shadow_cost` is the part
    that went out with callers' own keys. `latency` and `first_token` are packed histograms of the
    answered requests (db/histogram.py)."""

    requests: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(BigInteger)
    priced: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[int] = mapped_column(BigInteger)
    shadow_cost: Mapped[int] = mapped_column(BigInteger)
    latency: Mapped[Decimal]
    first_token: Mapped[Decimal]


class UsageTime(Sums, Base):
    """By provider and outcome, in quarters of an hour, hours and days (`grain` in minutes)."""

    __tablename__ = "usage_times"
    __table_args__ = _ROOM

    grain: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    provider_slug: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    byok: Mapped[bool] = mapped_column(primary_key=True)
    error_class: Mapped[str] = mapped_column(primary_key=True)


class UsageTotal(Sums, Base):
    """All requests together, in the same grains."""

    __tablename__ = "usage_totals"
    __table_args__ = _ROOM

    grain: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)


class UsageServed(Base):
    """A provider and a model as they were named when they served."""

    __tablename__ = "usage_served"
    __table_args__ = (
        UniqueConstraint("model_id", "provider_id", "provider_slug", "model_name"),
        Index("ix_usage_served_provider_id", "provider_id"),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    provider_id: Mapped[uuid.UUID]
    provider_slug: Mapped[str]
    model_id: Mapped[uuid.UUID]
    model_name: Mapped[str]


class UsageCaller(Base):
    """Whose requests: a person, an organisation and a key that came together.

    `person` is their place in the bitmaps, `UsagePerson.ordinal`; None until they come again when
    an earlier release made the row.
    """

    __tablename__ = "usage_callers"
    __table_args__ = (
        UniqueConstraint("user_id", "organization_id", "api_key_id"),
        Index("ix_usage_callers_organization_id", "organization_id"),
        Index("ix_usage_callers_api_key_id", "api_key_id"),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    user_id: Mapped[uuid.UUID]
    organization_id: Mapped[uuid.UUID]
    api_key_id: Mapped[uuid.UUID]
    person: Mapped[int | None] = mapped_column(Integer)


class UsageServedDay(Sums, Base):
    """A UTC day of what served."""

    __tablename__ = "usage_served_days"
    __table_args__ = (Index("ix_usage_served_days_served_id", "served_id", "day"), _ROOM)

    day: Mapped[date] = mapped_column(primary_key=True)
    served_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    byok: Mapped[bool] = mapped_column(primary_key=True)


class UsageServedHour(Sums, Base):
    """An hour of what served: for days that are not of UTC."""

    __tablename__ = "usage_served_hours"
    __table_args__ = _ROOM

    start: Mapped[datetime] = mapped_column(primary_key=True)
    served_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    byok: Mapped[bool] = mapped_column(primary_key=True)


class UsageCallerDay(Sums, Base):
    """A UTC day of a caller."""

    __tablename__ = "usage_caller_days"
    __table_args__ = (Index("ix_usage_caller_days_caller_id", "caller_id", "day"), _ROOM)

    day: Mapped[date] = mapped_column(primary_key=True)
    caller_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    byok: Mapped[bool] = mapped_column(primary_key=True)


class UsageOrganizationDay(Sums, Base):
    """A UTC day of an organisation.

    Its index holds everything but the histograms, which are nine tenths of a row: all organisations
    are summed without reading a row.
    """

    __tablename__ = "usage_organization_days"
    __table_args__ = (
        Index(
            "ix_usage_organization_days_day",
            "day",
            "organization_id",
            postgresql_include=["status", "byok", *COUNTS],
        ),
        _ROOM,
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    byok: Mapped[bool] = mapped_column(primary_key=True)


class UsageOrganizationHour(Sums, Base):
    """An hour of an organisation: for days that are not of UTC."""

    __tablename__ = "usage_organization_hours"
    __table_args__ = _ROOM

    start: Mapped[datetime] = mapped_column(primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    byok: Mapped[bool] = mapped_column(primary_key=True)


class UsagePairDay(Sums, Base):
    """A UTC day of an organisation and a provider together: as many cells as there are both."""

    __tablename__ = "usage_pair_days"
    __table_args__ = (Index("ix_usage_pair_days_organization_id", "organization_id", "day"), _ROOM)

    day: Mapped[date] = mapped_column(primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    provider_slug: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    byok: Mapped[bool] = mapped_column(primary_key=True)


class UsagePerson(Base):
    """A person's place in the bitmaps; dense, from 0."""

    __tablename__ = "usage_people"

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, unique=True)


class UsageVisits(Base):
    """Who came to a provider in an hour or a day: one bit a person."""

    __tablename__ = "usage_visits"
    __table_args__ = _ROOM

    grain: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    provider_slug: Mapped[str] = mapped_column(primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True)
    people: Mapped[str] = mapped_column(BIT(CHUNK))


class UsageVisitors(Base):
    """Who came to any provider in a quarter of an hour, an hour, six hours or a day."""

    __tablename__ = "usage_visitors"
    __table_args__ = _ROOM

    grain: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True)
    people: Mapped[str] = mapped_column(BIT(CHUNK))


class UsageWeekCost(Base):
    """What a group has cost in a week (UTC, from Monday), up to batch `UsageFold.batch`.

    No span can have cost more than its weeks: the groups that cost most are found among the first
    of these.
    """

    __tablename__ = "usage_week_costs"
    __table_args__ = (Index("ix_usage_week_costs_cost", "dimension", "week", "cost"),)

    dimension: Mapped[str] = mapped_column(primary_key=True)
    week: Mapped[date] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    cost: Mapped[int] = mapped_column(BigInteger)


class UsageFold(Base):
    """One row: up to which settlement batch the weeks' costs go."""

    __tablename__ = "usage_folds"

    id: Mapped[bool] = mapped_column(primary_key=True)
    batch: Mapped[int] = mapped_column(BigInteger)
