"""The rules of webhooks: who may have one, where it may point, how its secret changes."""

import uuid
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import delivery as deliveries
from db.queries import webhook as queries
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.delivery import DeliveryState
from domain.errors import Conflict, InvalidInput, NotFound
from domain.event import EventType, body_of
from domain.globalid import global_id
from domain.ports import Cipher, Place, Sealed
from domain.principal import Principal
from domain.reach import reach_of
from domain.secret import Secret

MOST_WEBHOOKS = 20
"""Of the installation, and of each organisation."""
LONGEST_OVERLAP = timedelta(days=7)

_LONGEST_URL = 2_000


def checked_url(value: str) -> str:
    """Https to a named host. Its addresses are checked at each delivery (gateway/egress)."""
    text = checks.token("url", value, _LONGEST_URL)
    try:
        parts = urlsplit(text)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    if host is None or not text.isascii() or "\\" in text:
        raise InvalidInput("url", "Give a full URL such as https://example.com/hooks.")
    if parts.scheme != "https":
        raise InvalidInput("url", "Use https.")
    if parts.username is not None or parts.fragment:
        raise InvalidInput("url", "Leave out user names and fragments.")
    return text


def _checked_types(values: Iterable[EventType]) -> list[str]:
    types = sorted({EventType(each).value for each in values})
    if not types:
        raise InvalidInput("eventTypes", "Name at least one.")
    if EventType.WEBHOOK_TEST in types:
        raise InvalidInput("eventTypes", "Tests come when they are asked for.")
    return types


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(values)
    if "url" in result:
        result["url"] = checked_url(result["url"])
    if "event_types" in result:
        result["event_types"] = _checked_types(result["event_types"])
    if "name" in result:
        result["name"] = checks.line("name", result["name"])
    return result


async def create_webhook(
    session: AsyncSession,
    cipher: Cipher,
    caller: Principal,
    organization_id: uuid.UUID | None,
    secret: Secret,
    values: Mapping[str, Any],
) -> Row:
    """Of the organisation that the caller governs, or for administrators of the installation.

    `values` without a name take the URL's host for one.
    """
    reach = reach_of(caller)
    if organization_id is None and not reach.everybody:
        raise InvalidInput("organization", "Name your organisation: only administrators may not.")
    if organization_id is not None and organization_id != reach.organization:
        raise NotFound("There is no such organization.")
    checked = _checked(values)
    checked.setdefault("name", str(urlsplit(checked["url"]).hostname)[:100])
    count = await queries.count_webhooks(session, organization_id)
    if count >= MOST_WEBHOOKS:
        raise Conflict(f"There are {count} webhooks already: delete one first.")
    row = await queries.add_webhook(
        session, {"id": uuid7(), "organization_id": organization_id, **checked}
    )
    await _add_secret(session, cipher, row.id, secret)
    await record(session, AuditAction.CREATE, AuditObject.WEBHOOK, row.id, after=_told(row))
    return row


async def update_webhook(
    session: AsyncSession,
    caller: Principal,
    id: uuid.UUID,
    expected_version: int | None,
    patch: Mapping[str, Any],
) -> Row:
    """Set what `patch` names. One that is switched on again begins anew."""
    before = await _locked(session, caller, id)
    if expected_version is not None and before.version != expected_version:
        raise Conflict(
            f"This webhook is at version {before.version}, not {expected_version}: read it anew."
        )
    values = _checked(patch)
    if values.get("enabled"):
        values |= {"disabled_reason": None, "failing_since": None}
    row = await queries.change_webhook(session, id, values)
    told = _told(before), _told(row)
    await record(
        session, AuditAction.UPDATE, AuditObject.WEBHOOK, id, before=told[0], after=told[1]
    )
    return row


async def delete_webhook(session: AsyncSession, caller: Principal, id: uuid.UUID) -> None:
    row = await _locked(session, caller, id)
    await queries.remove_webhook(session, id)
    await record(session, AuditAction.DELETE, AuditObject.WEBHOOK, id, before=_told(row))


async def rotate_secret(
    session: AsyncSession,
    cipher: Cipher,
    caller: Principal,
    id: uuid.UUID,
    secret: Secret,
    overlap: timedelta,
) -> Row:
    """A new secret signs from now on, beside the one before it until the overlap ends."""
    row = await _locked(session, caller, id)
    until = datetime.now(UTC) + overlap
    await queries.retire_secrets(session, id, until)
    await _add_secret(session, cipher, id, secret)
    after = {"previous_secret_signs_until": until}
    await record(session, AuditAction.ROTATE, AuditObject.WEBHOOK, id, after=after)
    return row


async def test_webhook(session: AsyncSession, caller: Principal, id: uuid.UUID) -> Row:
    """A delivery of an event that says nothing but that it arrived."""
    row = await _locked(session, caller, id)
    _refuse_disabled(row)
    data = {"webhookId": global_id("Webhook", id), "name": row.name}
    type_ = EventType.WEBHOOK_TEST
    [made] = await deliveries.enqueue(session, [id], uuid7(), type_, body_of(type_, data))
    after = {"delivery": str(made.id)}
    await record(session, AuditAction.TEST, AuditObject.WEBHOOK, id, after=after)
    return made


async def replay_delivery(session: AsyncSession, caller: Principal, id: uuid.UUID) -> Row:
    """The same event once more, under the same event id; the delivery before stays as it is."""
    found = await deliveries.deliveries_by_id(session, [id], reach_of(caller))
    if id not in found:
        raise NotFound("There is no such webhookdelivery.")
    before = found[id]
    if before.state == DeliveryState.PENDING:
        raise Conflict("This delivery is still under way.")
    _refuse_disabled(await _locked(session, caller, before.webhook_id))
    [made] = await deliveries.enqueue(
        session,
        [before.webhook_id],
        before.event_id,
        before.event_type,
        before.body,
        replay_of=before.id,
    )
    told = {"replay_of": str(before.id), "event": str(before.event_id)}
    await record(session, AuditAction.REPLAY, AuditObject.WEBHOOK_DELIVERY, made.id, after=told)
    return made


def new_secret() -> Secret:
    """Random, as Standard Webhooks writes it."""
    return Secret(f"whsec_{b64encode(token_bytes(32)).decode()}")


def opened(cipher: Cipher, row: Row) -> Secret:
    """A signing secret of a row. Raises ValueError when it does not belong there."""
    return cipher.open(Sealed(row.ciphertext, row.master_key_id), _place(row.id))


async def _add_secret(
    session: AsyncSession, cipher: Cipher, webhook_id: uuid.UUID, secret: Secret
) -> None:
    id = uuid7()
    sealed = cipher.seal(secret, _place(id))
    values = {"ciphertext": sealed.ciphertext, "master_key_id": sealed.master_key_id}
    await queries.add_secret(session, {"id": id, "webhook_id": webhook_id, **values})


def _place(id: uuid.UUID) -> Place:
    # It signs and is never sent, so the webhook may move and keep it: no destination.
    return Place("webhook_secrets", "ciphertext", id, 1, "")


def _refuse_disabled(row: Row) -> None:
    if not row.enabled:
        raise Conflict("This webhook is switched off: switch it on first.")


def _told(row: Row) -> dict[str, Any]:
    """For the audit log: of the URL no query, where receivers like to have tokens."""
    told: dict[str, Any] = row._asdict()
    return {**told, "url": row.url.partition("?")[0]}


async def _locked(session: AsyncSession, caller: Principal, id: uuid.UUID) -> Row:
    row = await queries.locked_webhook(session, id, reach_of(caller))
    if row is None:
        raise NotFound("There is no such webhook.")
    return row
