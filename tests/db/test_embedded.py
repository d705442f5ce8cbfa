"""The embedded server: shared, private, and back after every kind of death."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from db.binaries import PostgresMissingError, find_binaries
from db.embedded import EmbeddedError, EmbeddedPostgres
from db.migrate import migrate
from db.processes import orphans_of, server_of
from db.session import create_engine

QUICK = {"fsync": "off"}

ENDLESS = """
DO $$ BEGIN
  RAISE WARNING 'under way';
  LOOP END LOOP;
END $$
"""

STARTER = """
import asyncio, sys
from pathlib import Path
from db.embedded import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"})
    print(await server.start(), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[EmbeddedPostgres, str]]:
    server = EmbeddedPostgres(folder, settings=QUICK)
    url = await server.start()
    try:
        yield server, url
    finally:
        await server.stop()


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def until_answers(url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await ask(url, "SELECT 1")
                return
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.02)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def exists(path: Path) -> bool:
    return path.exists()


def program_of(data: Path) -> Path:
    return Path(f"/proc/{server_of(data)}/exe").resolve()


async def test_it_is_private_and_the_product_runs_on_it(open_folder: Path) -> None:
    async with running(open_folder / "pg") as (_, url):
        engine = create_engine(url)
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM llm_models")) == 0
        await engine.dispose()
        assert await ask(url, "SHOW listen_addresses") == ""
        assert await ask(url, "SHOW password_encryption") == "scram-sha-256"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(url.replace(":", ":x", 2).replace(":x//", "://", 1), "SELECT 1")
        assert mode(open_folder / "pg" / "password") == 0o600
        assert mode(open_folder / "pg" / "socket") == 0o700
        assert mode(open_folder / "pg" / "postgres") == 0o700
    assert server_of(open_folder / "pg" / "postgres") is None


async def test_data_outlives_a_stop(open_folder: Path) -> None:
    async with running(open_folder / "pg") as (_, url):
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS number")
    async with running(open_folder / "pg") as (_, url):
        assert await ask(url, "SELECT number FROM kept") == 42


async def test_a_second_process_joins_and_the_last_to_leave_stops_it(open_folder: Path) -> None:
    first, second = (EmbeddedPostgres(open_folder / "pg", settings=QUICK) for _ in range(2))
    urls = await asyncio.gather(first.start(), second.start())
    pid = server_of(open_folder / "pg" / "postgres")
    assert urls[0] == urls[1]
    await first.stop()
    assert server_of(open_folder / "pg" / "postgres") == pid is not None
    assert await ask(urls[1], "SELECT 1") == 1
    await second.stop()
    assert server_of(open_folder / "pg" / "postgres") is None


async def test_a_killed_server_comes_back_with_what_was_committed(open_folder: Path) -> None:
    async with running(open_folder / "pg") as (_, url):
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS number")
        killed = server_of(open_folder / "pg" / "postgres")
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until_answers(url)
        assert await ask(url, "SELECT number FROM kept") == 42
        assert server_of(open_folder / "pg" / "postgres") != killed


async def test_a_backend_that_outlives_its_server_does_not_keep_it_down(open_folder: Path) -> None:
    data = open_folder / "pg" / "postgres"
    async with running(open_folder / "pg") as (_, url):
        connection = await asyncpg.connect(url)
        noticed = asyncio.Event()
        connection.add_log_listener(lambda *_: noticed.set())
        busy = asyncio.create_task(connection.execute(ENDLESS))
        await noticed.wait()
        killed = server_of(data)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until_answers(url)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await busy


async def test_a_process_killed_with_its_server_running_leaves_it_to_the_next(
    open_folder: Path, checkout: Path
) -> None:
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER, str(open_folder / "pg")),
        cwd=checkout,
        stdout=subprocess.PIPE,
    )
    assert starter.stdout is not None
    url = (await starter.stdout.readline()).decode().strip()
    starter.kill()
    await starter.wait()
    left = server_of(open_folder / "pg" / "postgres")
    assert left is not None
    async with running(open_folder / "pg") as (_, joined):
        assert joined == url
        assert server_of(open_folder / "pg" / "postgres") == left
    assert server_of(open_folder / "pg" / "postgres") is None


async def test_lock_files_that_name_a_stranger_do_not_keep_it_down(open_folder: Path) -> None:
    folder = open_folder / "pg"
    async with running(folder):
        locks = [folder / "postgres" / "postmaster.pid", folder / "socket" / ".s.PGSQL.5432.lock"]
        texts = [lock.read_text().split("\n", 1)[1] for lock in locks]
    owner = (folder / "postgres").stat()
    # PostgreSQL believes a lock file only when it names a process of its own user.
    stranger = await asyncio.create_subprocess_exec("sleep", "600", user=owner.st_uid)
    for lock, rest in zip(locks, texts, strict=True):
        lock.write_text(f"{stranger.pid}\n{rest}")
        os.chown(lock, owner.st_uid, owner.st_gid)
    async with running(folder) as (_, url):
        assert await ask(url, "SELECT 1") == 1
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_a_half_made_data_directory_is_made_anew(open_folder: Path) -> None:
    (open_folder / "pg" / "postgres.new").mkdir(parents=True)
    (open_folder / "pg" / "postgres.new" / "PG_VERSION").write_text("18\n")
    async with running(open_folder / "pg") as (_, url):
        assert await ask(url, "SELECT 1") == 1


async def test_a_long_path_gets_a_short_socket(open_folder: Path) -> None:
    async with running(open_folder / ("long" * 30)) as (_, url):
        assert await ask(url, "SELECT 1") == 1
        assert "long" not in url
        socket_folder = Path(url.rpartition("host=")[2].partition("&")[0])
        assert mode(socket_folder) == 0o700
    assert not exists(socket_folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
async def test_root_is_told_when_the_folder_cannot_be_reached(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match="FAIRLEAD_DATA_DIR"):
        await EmbeddedPostgres(open_folder / "closed" / "pg").start()
    assert not (open_folder / "closed" / "pg" / "postgres").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
async def test_programs_that_the_servers_user_cannot_reach_are_copied(open_folder: Path) -> None:
    install = find_binaries(None, None).folder.parent
    hidden = open_folder / "closed" / install.parent.name / install.name
    (open_folder / "closed").mkdir(mode=0o700)
    shutil.copytree(install, hidden, symlinks=True)
    libraries = f"{install.parent.name}.libs"
    shutil.copytree(install.parent.with_name(libraries), open_folder / "closed" / libraries)
    server = EmbeddedPostgres(open_folder / "pg", binaries=hidden / "bin", settings=QUICK)
    url = await server.start()
    assert await ask(url, "SELECT 1") == 1
    program = program_of(open_folder / "pg" / "postgres")
    await server.stop()
    assert program.is_relative_to(open_folder / "pg")


def test_an_existing_data_directory_decides_which_programs() -> None:
    newest = find_binaries(None, None).version
    assert newest == find_binaries(None, newest).version >= 18
    assert find_binaries(None, 16).version == 16
    with pytest.raises(PostgresMissingError, match=r"of PostgreSQL 99.*FAIRLEAD_PG_BIN"):
        find_binaries(None, 99)


def test_the_folder_that_the_operator_names_is_the_only_one_tried(open_folder: Path) -> None:
    with pytest.raises(PostgresMissingError, match="FAIRLEAD_PG_BIN"):
        find_binaries(open_folder, None)


def test_processes_elsewhere_are_not_taken_for_orphans(open_folder: Path) -> None:
    assert orphans_of(open_folder) == []
