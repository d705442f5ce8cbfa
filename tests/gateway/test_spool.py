"""The usage spool on disk: what was acknowledged is found again, whatever happened since."""

import asyncio
import errno
import os
import signal
import sys
import threading
import uuid
from pathlib import Path

import pytest

from domain.errors import Unavailable
from gateway.records import (
    HEADER_BYTES,
    Kind,
    Record,
    decode_intent,
    decode_outcome,
    encode_intent,
    encode_outcome,
)
from gateway.segments import SpoolDirectory, SpoolReader
from gateway.spool import Spool
from tests.usage import intent, outcome


def read_all(directory: SpoolDirectory) -> list[Record]:
    reader, found = SpoolReader(directory), []
    while records := reader.read(100, None):
        found += records
    return found


def only_segment(root: Path) -> Path:
    (path,) = root.glob("*/*.spool")
    return path


def names(root: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in root.glob(pattern))


async def abandon(spool: Spool) -> None:
    """What the death of its process does to a spool: the lock goes, the files stay."""
    spool.intent(intent())
    await spool.close()


async def test_reads_back_what_it_wrote(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    begun, ended = intent(), outcome()
    spool.intent(begun)
    spool.outcome(ended)

    [read] = spool.read(10)
    assert decode_outcome(read.payload).id == ended.id
    assert spool.read(10) == []
    await spool.close()
    first, second = read_all(*SpoolDirectory.abandoned(tmp_path))
    assert decode_intent(first.payload) == begun
    assert second == read


async def test_what_is_not_settled_is_read_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for _ in range(3):
        spool.outcome(outcome())
    spool.read(1)
    await spool.settled(spool.position)
    after = spool.read(2)
    spool.rewind()

    assert spool.read(2) == after
    await spool.close()


async def test_settled_segments_go_but_an_open_intent_keeps_its_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=1500)
    begun = intent()
    spool.intent(begun)
    for _ in range(6):
        spool.outcome(outcome())
    while spool.read(100):
        pass
    written = names(tmp_path, "*/*.spool")
    await spool.settled(spool.position)
    assert len(written) > 2
    assert names(tmp_path, "*/*.spool") == ["00000001.spool", written[-1]]

    spool.outcome(outcome(begun.id))
    while spool.read(100):
        pass
    await spool.settled(spool.position)
    assert "00000001.spool" not in names(tmp_path, "*/*.spool")
    await spool.close()


async def test_others_run_while_segments_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, others = Spool(tmp_path, segment_bytes=1500), threading.Event()
    for _ in range(6):
        spool.outcome(outcome())
    while spool.read(100):
        pass
    forget = SpoolDirectory.forget

    def slowly(directory: SpoolDirectory, numbers: list[int]) -> None:
        assert others.wait(5)
        forget(directory, numbers)

    monkeypatch.setattr(SpoolDirectory, "forget", slowly)
    asyncio.get_running_loop().call_soon(others.set)
    await spool.settled(spool.position)
    assert len(names(tmp_path, "*/*.spool")) == 1
    await spool.close()


async def test_leaves_nothing_behind_when_all_is_settled(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.start()
    spool.outcome(outcome())
    spool.read(10)
    await spool.settled(spool.position)
    await spool.close()

    assert names(tmp_path, "*") == []


async def test_is_on_disk_once_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def fdatasync(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        real(file)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    spool = Spool(tmp_path)
    await spool.start()
    spool.outcome(outcome())
    await spool.synced()

    assert synced[-1] == only_segment(tmp_path).stat().st_size > HEADER_BYTES
    await spool.close()


async def test_a_living_process_keeps_its_spool_and_a_dead_one_does_not(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    begun = outcome()
    spool.outcome(begun)
    assert list(SpoolDirectory.abandoned(tmp_path)) == []

    await abandon(spool)
    (directory,) = SpoolDirectory.abandoned(tmp_path)
    assert list(SpoolDirectory.abandoned(tmp_path)) == []
    assert decode_outcome(read_all(directory)[0].payload).id == begun.id
    directory.remove()
    assert names(tmp_path, "*") == []


async def test_damage_is_set_aside_and_the_rest_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    written = [outcome() for _ in range(3)]
    for one in written:
        spool.outcome(one)
    await abandon(spool)
    path = only_segment(tmp_path)
    data = bytearray(path.read_bytes())
    size = HEADER_BYTES + len(encode_outcome(written[0]))
    data[size + HEADER_BYTES + 5] ^= 1
    path.write_bytes(data[:-3])

    (directory,) = SpoolDirectory.abandoned(tmp_path)
    found = [decode_outcome(record.payload).id for record in read_all(directory)]
    directory.release()

    assert found == [written[0].id, written[2].id]
    place = f"{directory.path.name}-00000001"
    assert names(tmp_path, "*.bad") == sorted([f"{place}-{size}.bad", f"{place}-{3 * size}.bad"])
    assert (tmp_path / f"{place}-{size}.bad").read_bytes() == bytes(data[size : 2 * size])
    assert (tmp_path / f"{place}-{3 * size}.bad").read_bytes() == bytes(data[3 * size : -3])


async def test_a_full_disk_refuses_requests_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted = intent()
    spool = Spool(tmp_path, segment_bytes=HEADER_BYTES + len(encode_intent(admitted)))
    await spool.start()
    spool.intent(admitted)
    before = only_segment(tmp_path).read_bytes()
    real, full = os.posix_fallocate, True

    def posix_fallocate(file: int, offset: int, length: int) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", posix_fallocate)
    with pytest.raises(Unavailable):
        spool.intent(intent())
    assert not spool.healthy
    with pytest.raises(Unavailable):
        spool.outcome(outcome(admitted.id))
    assert only_segment(tmp_path).read_bytes() == before

    full = False
    spool.written.clear()
    async with asyncio.timeout(10):
        await spool.written.wait()
    assert spool.healthy
    spool.intent(intent())
    assert [record.kind for record in spool.read(10)] == [Kind.OUTCOME]
    await spool.close()
    found = read_all(*SpoolDirectory.abandoned(tmp_path))
    kinds = [(record.kind, str(admitted.id).encode() in record.payload) for record in found]
    assert kinds == [(Kind.INTENT, True), (Kind.OUTCOME, True), (Kind.INTENT, False)]


async def test_a_failing_sync_is_told_and_refuses_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    await spool.start()

    def fdatasync(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fdatasync)
        spool.intent(intent())
        with pytest.raises(Unavailable):
            await spool.synced()
        assert not spool.healthy
        with pytest.raises(Unavailable):
            spool.intent(intent())
        await spool.close()


async def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, checkout: Path) -> None:
    acknowledged: dict[str, set[uuid.UUID]] = {"intent": set(), "outcome": set()}
    for lines in (1, 40, 333, 1000):
        command = [sys.executable, "-m", "tests.gateway.spool_process", str(tmp_path)]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=checkout, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(lines):
            kind, request_id = (await process.stdout.readline()).decode().split()
            acknowledged[kind].add(uuid.UUID(request_id))
        process.send_signal(signal.SIGKILL)
        for line in (await process.stdout.read()).decode().splitlines():
            kind, request_id = line.split()
            acknowledged[kind].add(uuid.UUID(request_id))
        assert await process.wait() == -signal.SIGKILL

    found: dict[str, set[uuid.UUID]] = {"intent": set(), "outcome": set()}
    directories = list(SpoolDirectory.abandoned(tmp_path))
    for directory in directories:
        for record in read_all(directory):
            if record.kind is Kind.INTENT:
                found["intent"].add(decode_intent(record.payload).id)
            else:
                found["outcome"].add(decode_outcome(record.payload).id)
        directory.release()
    assert len(directories) == 4
    assert [acknowledged[kind] - found[kind] for kind in found] == [set(), set()]
    assert len(acknowledged["outcome"]) > 600
    # Each kill may cut the record that is under way, which nobody was told of.
    assert len(names(tmp_path, "*.bad")) <= len(directories)
