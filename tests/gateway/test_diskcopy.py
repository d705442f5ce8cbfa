"""The configuration's copy on disk: a start without the database, and nothing to read in it."""

import time
from pathlib import Path

import pytest

from auth.secrets import SecretBox, generate_master_key
from db.session import Database
from gateway.diskcopy import DiskCopy
from tests.gateway.running import add_provider, running
from tests.outage import outage


@pytest.fixture
def disk(tmp_path: Path) -> DiskCopy:
    return DiskCopy(tmp_path / "snapshot", SecretBox([generate_master_key()]))


async def test_starts_from_its_copy_on_disk_without_the_database(
    database: Database, database_url: str, server_url: str, disk: DiskCopy
) -> None:
    await add_provider(database, "acme")
    async with running(database_url, copy=disk) as (configuration, _):
        held = configuration.snapshot
    late = await add_provider(database, "late")

    async with outage(server_url, database_url):
        starting = running(database_url, copy=disk)
        configuration, told = await starting.__aenter__()
        assert configuration.ready
        assert configuration.snapshot.by_reference == held.by_reference
        assert configuration.snapshot.number == 1
    await told.of("provider", late)
    assert configuration.snapshot.number == 2
    await starting.__aexit__(None, None, None)


async def test_without_database_and_copy_it_is_not_ready(
    database: Database, database_url: str, server_url: str, disk: DiskCopy
) -> None:
    async with (
        outage(server_url, database_url),
        running(database_url, copy=disk) as (configuration, _),
    ):
        assert not configuration.ready
        assert configuration.snapshot.number == 0


async def test_the_copy_shows_nothing_and_opens_only_with_its_key(
    database: Database, database_url: str, tmp_path: Path, disk: DiskCopy
) -> None:
    await add_provider(database, "acme")
    async with running(database_url, copy=disk):
        pass

    path = tmp_path / "snapshot"
    content = path.read_bytes()
    stranger = DiskCopy(path, SecretBox([generate_master_key()]))
    assert b"acme" not in content
    assert path.stat().st_mode & 0o777 == 0o600
    assert stranger.load(time.time()) is None
    assert disk.load(time.time() + 25 * 3600) is None
    copied = disk.load(time.time())
    assert copied is not None
    assert list(copied.by_reference) == ["acme/small"]
    path.write_bytes(content[:-9])
    assert disk.load(time.time()) is None
