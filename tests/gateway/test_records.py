"""How records are framed and encoded: damage costs what it hits, and earlier versions are read."""

import msgspec

from gateway.records import (
    MAX_PAYLOAD,
    Kind,
    Record,
    decode_outcome,
    encode_outcome,
    frame,
    scan,
)
from tests.usage import outcome

FRAMES = [frame(n, Kind.OUTCOME, bytes([65 + n]) * (20 + n)) for n in range(4)]


def test_records_are_read_as_they_were_written() -> None:
    found = scan(b"".join(FRAMES), 100)

    assert [record.sequence for record in found.records] == [0, 1, 2, 3]
    assert found.records[2] == Record(2, Kind.OUTCOME, b"C" * 22)
    assert (found.end, found.damaged) == (sum(map(len, FRAMES)), [])


def test_reading_stops_at_the_limit() -> None:
    found = scan(b"".join(FRAMES), 2)

    assert [record.sequence for record in found.records] == [0, 1]
    assert found.end == len(FRAMES[0]) + len(FRAMES[1])


def test_a_torn_tail_costs_only_itself() -> None:
    whole = b"".join(FRAMES)
    start = len(whole) - len(FRAMES[3])
    for length in range(start, len(whole)):
        found = scan(whole[:length], 100)
        assert [record.sequence for record in found.records] == [0, 1, 2]
        assert (found.end, found.damaged) == (start, [])


def test_any_flipped_bit_costs_only_its_record() -> None:
    start, size = len(FRAMES[0]), len(FRAMES[1])
    for bit in range(size * 8):
        data = bytearray(b"".join(FRAMES))
        data[start + bit // 8] ^= 1 << bit % 8
        found = scan(bytes(data), 100)
        assert [record.sequence for record in found.records] == [0, 2, 3]
        assert found.damaged == [(start, start + size)]


def test_an_outcome_too_large_to_keep_leaves_out_its_decision() -> None:
    large = outcome(decision={"candidates": "x" * MAX_PAYLOAD})
    stored = decode_outcome(encode_outcome(large))

    assert (stored.id, stored.cost) == (large.id, 1500)
    assert bytes(stored.decision) == b"null"
    assert len(stored.attempts) == 1


def test_an_outcome_kept_by_an_earlier_version_is_read() -> None:
    """Until 0.1.0 it was a list: the rest, the decision, the attempts."""
    ended = outcome(decision={"order": []})
    bare = msgspec.structs.replace(ended, decision=None, attempts=())
    former = msgspec.json.encode((bare, ended.decision, ended.attempts))

    assert decode_outcome(former) == decode_outcome(encode_outcome(ended))
