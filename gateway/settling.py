"""Turns spooled outcomes into usage rows, and gets them into the database or into quarantine."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog

from db.queries.hold import release
from db.queries.lease import left_by
from db.queries.settlement import RowRefused, Settlements
from db.queries.usage_row import UsageRow
from domain.usage import (
    UNFINISHED,
    Attempt,
    Charge,
    Intent,
    Outcome,
    Progress,
    UsageSource,
    UsageStatus,
)
from gateway.records import (
    Kind,
    Record,
    StoredOutcome,
    decode_outcome,
    encode_outcome,
    frame,
)

_ESCAPE, _NUL = b"\\", b"\\u0000"

log = structlog.get_logger(__name__)


class Settler:
    """Settles records of the kind OUTCOME; what cannot be settled is kept in `quarantine`."""

    def __init__(self, settlements: Settlements, quarantine: Path) -> None:
        self._settlements = settlements
        self._quarantine = quarantine

    async def settle(self, records: Sequence[Record]) -> int | None:
        """Returns the newest batch number, None when nothing was new.

        Raises what the database raises when it is away: then nothing, or only whole batches,
        are settled, and the same records may be given again. Raises `OSError` when a row that is
        refused cannot be kept.
        """
        try:
            return await self.settle_all(records)
        except RowRefused as error:
            if len(records) == 1:
                self.keep(records[0], error)
                return None
        middle = len(records) // 2
        numbers = [await self.settle(half) for half in (records[:middle], records[middle:])]
        return max((number for number in numbers if number is not None), default=None)

    async def settle_all(self, records: Iterable[Record]) -> int | None:
        """The same for records that are read one by one, and may be read again; none is held.

        Raises `RowRefused` where one of them cannot be settled: none is, then.
        """
        rows = _Rows(records)
        number = await self._settlements.settle(rows)
        for record, unreadable in rows.unreadable:
            self.keep(record, unreadable)
        return number

    async def give_back(self, leases: Collection[uuid.UUID]) -> None:
        """What is left of the leases of a process that is gone."""
        async with self._settlements.database.write(None) as session:
            await release(session, await left_by(session, leases))

    def keep(self, record: Record, error: Exception) -> None:
        """Set a record aside, framed as it was. Raises `OSError`."""
        with self._quarantine.open("ab") as file:
            file.write(frame(record.sequence, record.kind, record.payload))
        log.error("usage row is quarantined", reason=str(error), sequence=record.sequence)


class _Rows:
    """The rows of records, one at a time and made anew whenever they are read. `unreadable` are
    those that made none at the last reading."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = records
        self.unreadable: list[tuple[Record, Exception]] = []

    def __iter__(self) -> Iterator[UsageRow]:
        self.unreadable = []
        for record in self._records:
            try:
                row = _row(decode_outcome(record.payload))
                # Most hold no escape at all, which is seen at a glance.
                if _ESCAPE in record.payload and _NUL in record.payload:
                    row = _without_nul(row)
            except (ValueError, OverflowError) as error:
                self.unreadable.append((record, error))
            else:
                yield row


def unknown(intent: Intent) -> Record:
    """The outcome of a request whose process died before it wrote one: listed, not charged.

    Whom it was to be sent to first is its only attempt: ask there what came of it.
    """
    outcome = Outcome(
        id=intent.id,
        started_at=intent.started_at,
        user_id=intent.user_id,
        requested_model=intent.requested_model,
        streamed=intent.streamed,
        status=UsageStatus.UNKNOWN,
        usage_source=UsageSource.NONE,
        latency_ms=0,
        organization_id=intent.organization_id,
        api_key_id=intent.api_key_id,
        charge=_leased(intent),
        attempts=_asked(intent),
    )
    return Record(0, Kind.OUTCOME, encode_outcome(outcome))


def _asked(intent: Intent) -> tuple[Attempt, ...]:
    """What earlier releases wrote does not say."""
    if intent.deployment_id is None:
        return ()
    return (Attempt(intent.deployment_id, intent.provider, intent.model, 0, 0, UNFINISHED),)


def _leased(intent: Intent) -> Charge | None:
    """Nothing is paid, and its part of a lease is free again."""
    if intent.lease_id is None:
        return None
    return Charge(0, lease_id=intent.lease_id, leased=intent.leased)


def recovered(progress: Progress) -> Record:
    """The outcome of a stream whose process died: charged for what had been passed on by then."""
    intent = progress.intent
    outcome = Outcome(
        id=intent.id,
        started_at=intent.started_at,
        user_id=intent.user_id,
        requested_model=intent.requested_model,
        streamed=intent.streamed,
        status=UsageStatus.RECOVERED,
        usage_source=UsageSource.ESTIMATED,
        latency_ms=progress.latency_ms,
        organization_id=intent.organization_id,
        api_key_id=intent.api_key_id,
        provider_id=progress.provider_id,
        provider_slug=progress.provider_slug,
        model_id=progress.model_id,
        model_name=progress.model_name,
        price_id=progress.price_id,
        key_owner=progress.key_owner,
        usage=progress.usage,
        cost=progress.cost,
        charge=progress.charge,
        first_token_ms=progress.first_token_ms,
        decision=msgspec.json.decode(progress.decision),
        attempts=progress.attempts,
    )
    return Record(0, Kind.OUTCOME, encode_outcome(outcome))


def _row(stored: StoredOutcome) -> UsageRow:
    usage, charge, decision = stored.usage, stored.charge, bytes(stored.decision)
    # By position: by their names they are filled in three times as slowly.
    return UsageRow(
        stored.id,
        datetime.fromtimestamp(stored.started_at, UTC),
        stored.user_id,
        stored.organization_id,
        stored.api_key_id,
        stored.requested_model,
        stored.provider_id,
        stored.provider_slug,
        stored.model_id,
        stored.model_name,
        stored.price_id,
        usage.input,
        usage.cached,
        usage.cache_write,
        usage.cache_write_1h,
        usage.output,
        usage.reasoning,
        stored.usage_source._value_,
        stored.cost,
        0 if charge is None or charge.wallet_id is None else charge.amount,
        stored.key_owner,
        stored.latency_ms,
        stored.first_token_ms,
        stored.status._value_,
        stored.error_class,
        len(stored.attempts),
        stored.streamed,
        None if decision == b"null" else decision,
        b"[" + b",".join(map(bytes, stored.attempts)) + b"]",
        None if charge is None else charge.amount,
        None if charge is None else charge.wallet_id,
        () if charge is None else charge.budget_ids,
        None if charge is None else charge.lease_id,
        0 if charge is None else charge.leased,
    )


def _without_nul(row: UsageRow) -> UsageRow:
    """PostgreSQL's text holds no NUL, which a caller may send as a model's name."""
    return row._replace(
        requested_model=_text(row.requested_model),
        decision=None if row.decision is None else _json(row.decision),
        attempt_log=_json(row.attempt_log),
    )


def _text(value: str) -> str:
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _json(raw: bytes) -> bytes:
    return msgspec.json.encode(_value(msgspec.json.decode(raw))) if _NUL in raw else raw


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {_text(name): _value(item) for name, item in value.items()}
    return value
