"""How the usage spool is written: framed, checksummed records that damage cannot hide behind.

    marker 4 | length 4 | CRC-32 4 | sequence 8 | kind 1 | payload

The checksum covers everything after itself and the length. After damage, reading goes on at the
next marker whose record is sound.
"""

import struct
import zlib
from enum import IntEnum
from typing import NamedTuple

import msgspec

from domain.usage import NO_DECISION, Charge, Intent, Outcome, Progress

_MARKER = b"\xf1\x1eSp"
_HEAD = struct.Struct("<4sII")
_BODY = struct.Struct("<QB")
HEADER_BYTES = _HEAD.size + _BODY.size

MAX_PAYLOAD = 4 * 1024 * 1024


class Kind(IntEnum):
    INTENT = 1
    OUTCOME = 2
    PROGRESS = 3


_KINDS = {int(kind): kind for kind in Kind}


class Record(NamedTuple):
    sequence: int
    kind: Kind
    payload: bytes


class Scan(NamedTuple):
    """What a stretch of a segment holds.

    `end` is where reading goes on; what lies beyond is incomplete. `damaged` are (from, to).
    """

    records: list[Record]
    end: int
    damaged: list[tuple[int, int]]


class StoredCharge(Charge, frozen=True, omit_defaults=True):
    """Whose accounts are text too."""

    wallet_id: str | None = None  # type: ignore[assignment]
    budget_ids: tuple[str, ...] = ()  # type: ignore[assignment]


class StoredOutcome(Outcome, frozen=True, omit_defaults=True, tag="outcome"):
    """An outcome as it is kept: what it refers to and the two JSON parts stay text on their way to
    the database."""

    user_id: str  # type: ignore[assignment]
    organization_id: str | None = None  # type: ignore[assignment]
    api_key_id: str | None = None  # type: ignore[assignment]
    provider_id: str | None = None  # type: ignore[assignment]
    model_id: str | None = None  # type: ignore[assignment]
    price_id: str | None = None  # type: ignore[assignment]
    charge: StoredCharge | None = None
    decision: msgspec.Raw = NO_DECISION
    attempts: tuple[msgspec.Raw, ...] = ()  # type: ignore[assignment]


_encoder = msgspec.json.Encoder()
_outcome_decoder = msgspec.json.Decoder(StoredOutcome)
_former_decoder = msgspec.json.Decoder(tuple[Outcome, msgspec.Raw, tuple[msgspec.Raw, ...]])
_intent_decoder = msgspec.json.Decoder(Intent)
_progress_decoder = msgspec.json.Decoder(Progress)


def encode_intent(intent: Intent) -> bytes:
    return _encoder.encode(intent)


def encode_progress(progress: Progress) -> bytes:
    """Leaves out the decision record rather than exceed `MAX_PAYLOAD`."""
    payload = _encoder.encode(progress)
    if len(payload) > MAX_PAYLOAD:
        payload = _encoder.encode(msgspec.structs.replace(progress, decision=NO_DECISION))
    return payload


def encode_outcome(outcome: Outcome) -> bytes:
    """Leaves out the decision record rather than exceed `MAX_PAYLOAD`: the money must be kept."""
    payload = _encoder.encode(outcome)
    if len(payload) > MAX_PAYLOAD:
        bare = msgspec.structs.replace(outcome, decision=None, attempts=outcome.attempts[:100])
        payload = _encoder.encode(bare)
    return payload


def decode_intent(payload: bytes) -> Intent:
    """Raises `msgspec.MsgspecError`, a `ValueError`."""
    return _intent_decoder.decode(payload)


def decode_progress(payload: bytes) -> Progress:
    """Raises `msgspec.MsgspecError`, a `ValueError`."""
    return _progress_decoder.decode(payload)


def decode_outcome(payload: bytes) -> StoredOutcome:
    """Raises `msgspec.MsgspecError`, a `ValueError`."""
    if not payload.startswith(b"["):
        return _outcome_decoder.decode(payload)
    # As an earlier version kept it, whose spool is adopted.
    outcome, decision, attempts = _former_decoder.decode(payload)
    fields = {**msgspec.structs.asdict(outcome), "decision": decision, "attempts": attempts}
    return _outcome_decoder.decode(_encoder.encode(StoredOutcome(**fields)))


def frame(sequence: int, kind: Kind, payload: bytes) -> bytes:
    body = _BODY.pack(sequence, kind)
    checksum = zlib.crc32(payload, zlib.crc32(body))
    return b"".join((_HEAD.pack(_MARKER, len(payload), checksum), body, payload))


def scan(data: bytes, limit: int) -> Scan:
    """Read up to `limit` records from the start of `data`."""
    found = Scan([], 0, [])
    position, records, damaged = 0, found.records, found.damaged
    while len(records) < limit and position < len(data):
        record = _record_at(data, position)
        if record is not None:
            records.append(record)
            position += HEADER_BYTES + len(record.payload)
            continue
        sound = _next_sound(data, position + 1)
        if sound is None:
            break
        damaged.append((position, sound))
        position = sound
    return Scan(records, position, damaged)


def _record_at(data: bytes, position: int) -> Record | None:
    """The sound record that begins there, or None."""
    start = position + HEADER_BYTES
    if start > len(data):
        return None
    marker, length, checksum = _HEAD.unpack_from(data, position)
    if marker != _MARKER or length > MAX_PAYLOAD or start + length > len(data):
        return None
    payload = data[start : start + length]
    before = position + _HEAD.size
    if zlib.crc32(payload, zlib.crc32(data[before:start])) != checksum:
        return None
    sequence, number = _BODY.unpack_from(data, before)
    kind = _KINDS.get(number)
    return None if kind is None else Record(sequence, kind, payload)


def _next_sound(data: bytes, position: int) -> int | None:
    while (position := data.find(_MARKER, position)) >= 0:
        if _record_at(data, position) is not None:
            return position
        position += 1
    return None
