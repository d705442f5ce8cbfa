"""A reader is given the same outcomes, from memory while it keeps up and from disk when not."""

import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import fresh
from gateway.records import Kind, Record, decode_outcome
from gateway.segments import Position, SpoolReader
from gateway.spool import Spool
from tests.gateway.test_spool import only_segment
from tests.usage import intent, outcome

STEP = st.one_of(
    st.just("intent"), st.just("outcome"), st.just("rewind"), st.just("settle"), st.integers(1, 4)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=60))
async def test_what_is_read_is_what_was_written_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[str | int]
) -> None:
    monkeypatch.setattr(fresh, "_MOST_BYTES", 2_000)
    spool = Spool(tmp_path, segment_bytes=3_000)
    written: list[uuid.UUID] = []
    read: list[uuid.UUID] = []
    settled = 0
    for step in [*steps, 100, 100]:
        if step == "intent":
            spool.intent(intent())
        elif step == "outcome":
            ended = outcome()
            spool.outcome(ended)
            written.append(ended.id)
        elif step == "rewind":
            spool.rewind()
            del read[settled:]
        elif step == "settle":
            await spool.settled(spool.position)
            settled = len(read)
        else:
            records = spool.read(int(step))
            read += [decode_outcome(r.payload).id for r in records if r.kind is Kind.OUTCOME]
    while records := spool.read(100):
        read += [decode_outcome(r.payload).id for r in records if r.kind is Kind.OUTCOME]
    assert read == written
    await spool.close()


async def test_a_reader_that_keeps_up_never_looks_at_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    assert spool.read(10) == []

    def fail(*_: object) -> None:
        raise AssertionError("it was read from disk")

    monkeypatch.setattr(SpoolReader, "read", fail)
    for _ in range(3):
        begun, ended = intent(), outcome()
        spool.intent(begun)
        spool.outcome(ended)
        spool.intent(begun)
        assert [decode_outcome(record.payload).id for record in spool.read(10)] == [ended.id]
        assert spool.position == Position(1, spool.position.offset)
        await spool.settled(spool.position)
    await spool.close()


def test_for_a_reader_that_is_behind_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "_MOST_BYTES", 100)
    held = fresh.Fresh(Position(1, 0))
    for number in range(10):
        held.wrote(Record(number, Kind.OUTCOME, bytes(10)), Position(1, number + 1))
    assert held.start == Position(1, 0)
    held.wrote(Record(10, Kind.OUTCOME, b"x"), Position(1, 11))
    assert held.start == Position(1, 1)
    held.forget(Position(1, 4))
    assert [each.sequence for each in held.take(5, Position(2, 0))] == [4, 5, 6, 7, 8]
    assert held.start == Position(1, 9)
    assert [each.sequence for each in held.take(5, Position(2, 0))] == [9, 10]
    assert held.start == Position(2, 0)


async def test_what_is_read_of_a_damaged_file_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "_MOST_BYTES", 3_000)
    spool, written = Spool(tmp_path), [outcome() for _ in range(20)]
    for each in written:
        spool.outcome(each)
    held = len(spool._fresh._held)
    with only_segment(tmp_path).open("r+b") as file:
        file.write(bytes(spool._fresh.start.offset))
    read = [decode_outcome(r.payload).id for _ in range(20) for r in spool.read(2)]
    assert 2 < held < 20
    assert read == [each.id for each in written[-held:]]
    await spool.close()
