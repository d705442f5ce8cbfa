"""Writes down every change in the transaction that makes it, each entry chained to the last."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Any

import msgspec
from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import audit as queries
from db.queries.configuration import lock_changes, record_change
from db.session import AsyncSession, actor_of
from domain.event import EventType, emit
from domain.globalid import global_id

GENESIS = bytes(32)
"""What the first entry is chained to."""

_UNTOLD = frozenset(
    {
        "id",
        "created_at",
        "updated_at",
        "last_seen_at",
        "token_at",
        "master_key_id",
        "pepper_id",
        "previous_pepper_id",
    }
)


class AuditAction(StrEnum):
    """What was done."""

    ADJUST = "ADJUST"
    CREATE = "CREATE"
    CREDIT = "CREDIT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    DISABLE = "DISABLE"
    ENABLE = "ENABLE"
    PUBLISH = "PUBLISH"
    REPLAY = "REPLAY"
    REFUND = "REFUND"
    REVOKE = "REVOKE"
    ROLL_BACK = "ROLL_BACK"
    ROTATE = "ROTATE"
    SEED = "SEED"
    SET_PRICE = "SET_PRICE"
    TEST = "TEST"


class AuditObject(StrEnum):
    """What it was done to: names of the schema's types, in capitals."""

    API_KEY = "API_KEY"
    CATALOGUE = "CATALOGUE"
    CREDENTIAL = "CREDENTIAL"
    CREDIT_SETTINGS = "CREDIT_SETTINGS"
    MASTER_KEY = "MASTER_KEY"
    MODEL = "MODEL"
    ORGANIZATION = "ORGANIZATION"
    PROVIDER = "PROVIDER"
    ROUTING_DRAFT = "ROUTING_DRAFT"
    ROUTING_RULE_VERSION = "ROUTING_RULE_VERSION"
    USAGE_RETENTION = "USAGE_RETENTION"
    USER = "USER"
    WEBHOOK = "WEBHOOK"
    WEBHOOK_DELIVERY = "WEBHOOK_DELIVERY"
    WALLET = "WALLET"


_KINDS: Mapping[AuditObject, str] = {
    AuditObject.API_KEY: "apikey",
    AuditObject.CATALOGUE: "model",
    AuditObject.CREDENTIAL: "credential",
    AuditObject.CREDIT_SETTINGS: "installation",
    AuditObject.MASTER_KEY: "credential",
    AuditObject.MODEL: "model",
    AuditObject.ORGANIZATION: "organization",
    AuditObject.PROVIDER: "provider",
    AuditObject.ROUTING_RULE_VERSION: "rule",
    AuditObject.USER: "user",
}
"""Objects whose changes every process applies, by their kind in the feed of changes."""

_EVENTS: Mapping[tuple[AuditAction, AuditObject], EventType] = {
    (AuditAction.CREATE, AuditObject.API_KEY): EventType.API_KEY_CREATED,
    (AuditAction.REVOKE, AuditObject.API_KEY): EventType.API_KEY_REVOKED,
    (AuditAction.SEED, AuditObject.CATALOGUE): EventType.CATALOGUE_CHANGED,
    (AuditAction.CREATE, AuditObject.MODEL): EventType.CATALOGUE_CHANGED,
    (AuditAction.UPDATE, AuditObject.MODEL): EventType.CATALOGUE_CHANGED,
    (AuditAction.DELETE, AuditObject.MODEL): EventType.CATALOGUE_CHANGED,
    (AuditAction.SET_PRICE, AuditObject.MODEL): EventType.PRICE_CHANGED,
    (AuditAction.CREATE, AuditObject.PROVIDER): EventType.PROVIDER_CHANGED,
    (AuditAction.UPDATE, AuditObject.PROVIDER): EventType.PROVIDER_CHANGED,
    (AuditAction.DELETE, AuditObject.PROVIDER): EventType.PROVIDER_CHANGED,
    (AuditAction.DISABLE, AuditObject.CREDENTIAL): EventType.CREDENTIAL_DISABLED,
    (AuditAction.UPDATE, AuditObject.CREDENTIAL): EventType.CREDENTIAL_DISABLED,
    (AuditAction.ENABLE, AuditObject.CREDENTIAL): EventType.CREDENTIAL_RESTORED,
    (AuditAction.PUBLISH, AuditObject.ROUTING_RULE_VERSION): EventType.RULES_PUBLISHED,
    (AuditAction.ROLL_BACK, AuditObject.ROUTING_RULE_VERSION): EventType.RULES_PUBLISHED,
}
"""Changes that are events as well."""

State = Row | Mapping[str, Any] | None
"""An object as its columns say: a row, or columns by name; None: it is not there."""


async def record(
    session: AsyncSession,
    action: AuditAction,
    object_type: AuditObject,
    object_id: uuid.UUID | None,
    *,
    before: State = None,
    after: State = None,
) -> int | None:
    """Say what the session's caller changed, and number the change where processes apply it.

    Call it last: other changes wait from here to the commit. Columns of bytes are never written.
    """
    states = _told(before), _told(after)
    was, became = _changed(*states)
    type_ = _event(action, object_type, became)
    if type_ is not None:
        data = _named(action, object_type, object_id) | _short(was, became)
        await emit(session, type_, data, organization_id=_organization_of(*states))
    await lock_changes(session)
    number, previous, now = await queries.newest_link(session)
    actor = actor_of(session)
    values = {
        "id": uuid7(),
        "number": number + 1,
        "at": now,
        "user_id": actor.user_id,
        "api_key_id": actor.api_key_id,
        "request_id": actor.request_id,
        "action": action.value,
        "object_type": object_type.value,
        "object_id": object_id,
        "before": was,
        "after": became,
        "previous_hash": GENESIS if previous is None else previous,
    }
    await queries.add_entry(session, {**values, "hash": link(values)})
    if action is AuditAction.TEST or object_type not in _KINDS:
        return None
    return await record_change(session, _KINDS[object_type], object_id)


def type_name(object_type: AuditObject) -> str:
    """The schema's name of its type: `API_KEY` as `ApiKey`."""
    return object_type.value.title().replace("_", "")


def _event(
    action: AuditAction, object_type: AuditObject, became: Mapping[str, Any] | None
) -> EventType | None:
    """The event that a change is, if it is one: of changed keys, those that are not used now."""
    type_ = _EVENTS.get((action, object_type))
    used = (became or {}).get("state") in (None, "ACTIVE")
    return None if type_ is EventType.CREDENTIAL_DISABLED and used else type_


def _named(
    action: AuditAction, object_type: AuditObject, object_id: uuid.UUID | None
) -> dict[str, Any]:
    id = None if object_id is None else global_id(type_name(object_type), object_id)
    return {"action": action, "objectType": object_type, "objectId": id}


def _short(
    was: Mapping[str, Any] | None, became: Mapping[str, Any] | None
) -> dict[str, dict[str, Any] | None]:
    """Without the columns that hold lists and the like."""

    def plain(columns: Mapping[str, Any]) -> dict[str, Any]:
        return {key: each for key, each in columns.items() if not isinstance(each, dict | list)}

    return {
        "before": None if was is None else plain(was),
        "after": None if became is None else plain(became),
    }


def _organization_of(*states: Mapping[str, Any] | None) -> uuid.UUID | None:
    """Whose own affair it is, when it is an organisation's."""
    columns: Mapping[str, Any] = {}
    for state in states:
        columns = columns if state is None else state
    if columns.get("owner_kind") == "ORGANIZATION":
        return uuid.UUID(columns["owner_id"])
    if columns.get("scope") == "ORGANIZATION":
        return uuid.UUID(columns["scope_id"])
    id = columns.get("organization_id")
    return None if id is None else uuid.UUID(id)


def _told(state: State) -> dict[str, Any] | None:
    if state is None:
        return None
    columns = state if isinstance(state, Mapping) else state._asdict()
    plain = {
        name: value
        for name, value in columns.items()
        if name not in _UNTOLD and not isinstance(value, bytes)
    }
    told: dict[str, Any] = msgspec.to_builtins(plain)
    return told


def _changed(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Of two states what differs; of one all."""
    if before is None or after is None:
        return before, after
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


HASHED = (
    "number",
    "id",
    "at",
    "user_id",
    "api_key_id",
    "request_id",
    "action",
    "object_type",
    "object_id",
    "before",
    "after",
)
"""The columns of an entry that its hash covers, in their order."""


def canonical(entry: Mapping[str, Any]) -> bytes:
    """What is hashed: a JSON array of the columns, keys sorted, no spaces, moments in UTC."""
    moment = entry["at"].astimezone(UTC).isoformat(timespec="microseconds")
    parts = [moment if name == "at" else entry[name] for name in HASHED]
    return msgspec.json.encode(parts, order="sorted")


def link(entry: Mapping[str, Any]) -> bytes:
    """SHA-256 over the hash before and the entry's canonical content."""
    return hashlib.sha256(entry["previous_hash"] + canonical(entry)).digest()


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry that is not as it was written; `why` is for people."""

    number: int
    why: str


@dataclass(slots=True)
class ChainWalk:
    """Follows the chain over batches of entries, oldest first; `number` 0: nothing read yet.

    `anchor` is the number and hash of an entry seen earlier: it shows what a chain alone cannot,
    that the newest entries were cut off or the whole was written anew.
    """

    anchor: tuple[int, bytes] = (0, GENESIS)
    number: int = 0
    hash: bytes = GENESIS

    def follow(self, entries: Iterable[Row]) -> Break | None:
        """Check the next entries; the first that does not fit, if one does not."""
        for row in entries:
            expected = self.number + 1
            if row.number != expected:
                return Break(expected, f"It is missing: entry {row.number} comes next.")
            if row.previous_hash != self.hash:
                return Break(expected, "It is not chained to the entry before it.")
            if row.hash != link(row._mapping):
                return Break(expected, "Its content is not what was hashed.")
            self.number, self.hash = row.number, row.hash
            if self.number == self.anchor[0] and self.hash != self.anchor[1]:
                return Break(expected, "Its hash is not the one seen earlier.")
        return None

    def end(self) -> Break | None:
        """After the last entry: whether the anchor was reached."""
        if self.anchor[0] > self.number:
            return Break(self.number + 1, f"The log ends before entry {self.anchor[0]}.")
        return None
