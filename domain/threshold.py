"""Spending near its limit and credits near their end, told while something can be done."""

import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from db.keyset import Row
from db.queries.budget import reached, tell
from db.queries.charge import Crossing, used_up
from db.session import AsyncSession, Database
from domain.event import EventType, emit
from domain.globalid import global_id

SHARES = (50, 80, 100)
"""Percent of a limit."""

_LONGEST_PERIOD = timedelta(days=31)
_TYPES = {"API_KEY": "ApiKey", "USER": "User", "ORGANIZATION": "Organization"}


async def tell_of_spending(database: Database, now: datetime) -> int:
    """One event for each limit that has reached a share nobody was told of; how many there were.

    Of shares passed at once only the greatest is told. A limit that is raised tells the rest of
    its shares later; one that is lowered may tell at once.
    """
    since = now.astimezone(UTC).date() - _LONGEST_PERIOD
    async with database.read(None) as session:
        found = await reached(session, SHARES, since)
    told = 0
    for row in found:
        async with database.write(None) as session:
            if await tell(session, row.id, row.share):
                data = _data(row)
                await emit(
                    session, EventType.SPEND_THRESHOLD, data, organization_id=row.organization_id
                )
                told += 1
    return told


async def tell_of_credits(session: AsyncSession, crossings: Sequence[Crossing]) -> None:
    """One event for each wallet that has become low, or is used up."""
    for each in crossings:
        data = {
            "ownerId": global_id(_TYPES[each.kind], each.id),
            "ownerKind": each.kind,
            "balance": _dollars(each.posted),
            "creditLimit": _dollars(each.credit_limit),
            "lowMark": _dollars(each.low_mark),
        }
        type_ = EventType.CREDITS_LOW if each.level == 1 else EventType.CREDITS_EXHAUSTED
        owner = each.id if each.kind == "ORGANIZATION" else None
        await emit(session, type_, data, organization_id=owner)


async def tell_of_refusals(database: Database, wallet_ids: Collection[uuid.UUID]) -> None:
    """Wallets that are low and had too little for a request: they count as used up."""
    async with database.write(None) as session:
        await tell_of_credits(session, await used_up(session, wallet_ids))


def _data(row: Row) -> dict[str, object]:
    """Amounts as decimal strings in US dollars, as in the schema."""
    return {
        "ownerId": global_id(_TYPES[row.kind], row.subject_id),
        "ownerKind": row.kind,
        "period": row.period,
        "startsOn": row.starts_on.isoformat(),
        "percent": row.share,
        "spent": _dollars(row.spent),
        "limit": _dollars(row.most),
    }


def _dollars(nano: int) -> str:
    whole, rest = divmod(abs(nano), 10**9)
    sign = "-" if nano < 0 else ""
    return sign + f"{whole}.{rest:09}".rstrip("0").rstrip(".")
