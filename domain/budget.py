"""What may be spent in a day or a month, as accounts that requests hold and spend from."""

import uuid
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import msgspec

from domain.limits import Limited


class BudgetKind(StrEnum):
    """Whose spending it counts. CREDENTIAL: what an own key's person spends beside it."""

    API_KEY = "API_KEY"
    USER = "USER"
    ORGANIZATION = "ORGANIZATION"
    CREDENTIAL = "CREDENTIAL"


class Period(StrEnum):
    """In UTC."""

    DAY = "DAY"
    MONTH = "MONTH"


_WORDS = {
    BudgetKind.API_KEY: "this API key",
    BudgetKind.USER: "this person",
    BudgetKind.ORGANIZATION: "this organization",
    BudgetKind.CREDENTIAL: "requests that your own key is too busy for",
}


class Budget(msgspec.Struct, frozen=True):
    """One subject's account of one period. `limit` in nano-USD is the one in force now."""

    id: uuid.UUID
    kind: BudgetKind
    subject_id: uuid.UUID
    period: Period
    starts_on: date
    limit: int

    @property
    def renews_at(self) -> datetime:
        """When the next one begins."""
        start = datetime(self.starts_on.year, self.starts_on.month, self.starts_on.day, tzinfo=UTC)
        if self.period is Period.DAY:
            return start + timedelta(days=1)
        return (start + timedelta(days=32)).replace(day=1)

    @property
    def words(self) -> str:
        """Whose limit of what, for people."""
        return f"each {self.period.lower()} of {_WORDS[self.kind]}"


def budget(
    kind: BudgetKind, subject_id: uuid.UUID, period: Period, limit: int, now: float
) -> Budget:
    """The account of the period that `now` (Unix seconds) lies in; its id follows from the rest."""
    today = datetime.fromtimestamp(now, UTC).date()
    starts_on = today if period is Period.DAY else today.replace(day=1)
    id = uuid.uuid5(subject_id, f"{kind}:{period}:{starts_on}")
    return Budget(id, kind, subject_id, period, starts_on, limit)


def budgets_of(limits: tuple[Limited, ...], now: float) -> tuple[Budget, ...]:
    """Those that a request made now is within."""
    found = []
    for each in limits:
        kind = BudgetKind(each.kind.value)
        if each.limits.spend_per_day is not None:
            day = each.limits.spend_per_day
            found.append(budget(kind, each.id, Period.DAY, day, now))
        if each.limits.spend_per_month is not None:
            month = each.limits.spend_per_month
            found.append(budget(kind, each.id, Period.MONTH, month, now))
    return tuple(found)
