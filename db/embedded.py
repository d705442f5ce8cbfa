"""A PostgreSQL of our own: no TCP, a password nobody types, stopped by the last process to leave.

Everything lives in one folder: `postgres/` (the data), `password` (0600), `socket/` (0700),
`postgres.log`, and two lock files. Several Fairlead processes may share it: the first starts the
server, the others join it.
"""

import asyncio
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from db.binaries import Binaries, PostgresMissingError, copy_beside, find_binaries
from db.processes import clear_after_death, server_of

_NAME = "fairlead"
_PORT = 5432
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432") - 1
_READY_SECONDS = 60
_STOP_SECONDS = 30
_LOOK_SECONDS, _LONGEST_PAUSE = 0.5, 10.0
_SERVANTS = ("postgres", "nobody")
"""Whom the server runs as when we are root, which initdb refuses."""


class EmbeddedError(RuntimeError):
    """The embedded server could not be started; the message says why and what to do."""


class EmbeddedPostgres:
    """`await start()` gives a URL; `await stop()` ends the server when nobody else uses it."""

    def __init__(
        self, folder: Path, *, binaries: Path | None = None, settings: Mapping[str, str] = {}
    ) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "postgres"
        self._named = binaries
        self._settings = dict(settings)
        self._servant = _servant()
        self._child: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        self._guard: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start or join the server; returns `postgresql://…` of the product's database."""
        self._make_folders()
        await self._ensure_running()
        self._guard = asyncio.create_task(self._restart_when_dead())
        return self._url(_NAME)

    def start_later(self) -> str | None:
        """The same URL at once, for a server that does not start now: it is tried again and again.

        None when there has never been one.
        """
        if not (self._folder / "password").exists() or self._data_version() is None:
            return None
        self._guard = asyncio.create_task(self._restart_when_dead())
        return self._url(_NAME)

    async def stop(self) -> None:
        """Leave; the last to leave stops the server."""
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
        await asyncio.to_thread(self._leave)

    async def _ensure_running(self) -> None:
        started = await asyncio.to_thread(self._start_or_join)
        await self._until_ready(started)

    def _start_or_join(self) -> bool:
        with self._locked():
            if self._users is None:
                self._users = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._users, fcntl.LOCK_SH)
            if self._running_pid() is not None:
                return False
            binaries = self._reachable(find_binaries(self._named, self._data_version()))
            if self._data_version() is None:
                self._initialise(binaries)
            clear_after_death(self._data, self._socket_folder())
            self._launch(binaries)
            return True

    def _leave(self) -> None:
        with self._locked():
            if self._users is None:
                return
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(self._users)
                self._users = None
            pid = self._running_pid()
            if pid is not None:
                os.kill(pid, signal.SIGINT)
                self._wait_gone(pid)
            if self._socket_folder().parent != self._folder:
                with suppress(OSError):
                    self._socket_folder().rmdir()

    def _wait_gone(self, pid: int) -> None:
        if self._child is not None and self._child.pid == pid:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(_STOP_SECONDS)
                return
            self._child.kill()
            self._child.wait()
        until = time.monotonic() + _STOP_SECONDS
        while self._running_pid() is not None and time.monotonic() < until:
            time.sleep(0.05)

    async def _restart_when_dead(self) -> None:
        pause = _LOOK_SECONDS
        while True:
            await asyncio.sleep(pause)
            if self._running_pid() is not None:
                pause = _LOOK_SECONDS
                continue
            pause = min(pause * 2, _LONGEST_PAUSE)
            with suppress(EmbeddedError, PostgresMissingError, OSError):
                await self._ensure_running()

    def _running_pid(self) -> int | None:
        """The server's process id when it lives, whoever started it."""
        if self._child is not None:
            self._child.poll()  # reaps it when it is dead
        return server_of(self._data)

    def _data_version(self) -> int | None:
        try:
            return int((self._data / "PG_VERSION").read_text())
        except OSError:
            return None

    def _initialise(self, binaries: Binaries) -> None:
        """initdb beside its place and then renamed: a killed one leaves nothing half made."""
        fresh = self._folder / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self._folder / "password"
        if not password.exists():
            self._private_file(password, secrets.token_urlsafe(32))
        command = [str(binaries.folder / "initdb"), "-D", str(fresh), "-U", _NAME]
        command += [f"--pwfile={password}", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]
        if self._settings.get("fsync") == "off":
            command.append("--no-sync")
        self._run([*command, "--no-instructions"], "initdb")
        fresh.rename(self._data)

    def _launch(self, binaries: Binaries) -> None:
        command = [str(binaries.folder / "postgres"), "-D", str(self._data), "-h", ""]
        command += ["-k", str(self._socket_folder()), "-p", str(_PORT)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "postgres.log").open("ab") as log:
            # A session of its own: Ctrl-C in a terminal must reach us alone, we stop it in order.
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder,
                start_new_session=True, **self._as_servant(),
            )  # fmt: skip
        # Others look for its lock file as soon as they may: keep them out until it is there.
        until = time.monotonic() + _READY_SECONDS
        while self._running_pid() is None and self._child.poll() is None:
            if time.monotonic() > until:
                raise EmbeddedError(f"PostgreSQL does not start: see {self._folder}/postgres.log")
            time.sleep(0.01)

    async def _until_ready(self, started: bool) -> None:
        url = self._url("postgres")
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            try:
                connection = await asyncpg.connect(url, timeout=5)
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                self._check_alive(started)
                await asyncio.sleep(0.05)
                continue
            try:
                await _create_database(connection)
            finally:
                await connection.close()
            return
        raise EmbeddedError(f"PostgreSQL did not become ready: see {self._folder}/postgres.log")

    def _check_alive(self, started: bool) -> None:
        if started and self._child is not None and self._child.poll() is not None:
            log = (self._folder / "postgres.log").read_text(errors="replace").splitlines()
            raise EmbeddedError("PostgreSQL did not start: " + " / ".join(log[-3:]))

    def _url(self, database: str) -> str:
        password = quote((self._folder / "password").read_text().strip(), safe="")
        place = f"host={quote(str(self._socket_folder()), safe='/')}&port={_PORT}"
        return f"postgresql://{_NAME}:{password}@/{database}?{place}"

    def _socket_folder(self) -> Path:
        """`socket/`, or a short path in the temporary folder where that would be too long."""
        folder = self._folder / "socket"
        if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER:
            return folder
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"fairlead-{digest}"

    def _make_folders(self) -> None:
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._servant is not None:
            os.chown(self._folder, self._servant.pw_uid, self._servant.pw_gid)
            done = subprocess.run(["test", "-w", str(self._folder)], **self._as_servant())
            if done.returncode != 0:
                raise EmbeddedError(
                    f"{self._folder} cannot be reached by the user `{self._servant.pw_name}`, as"
                    " whom PostgreSQL runs when we are root. Choose another FAIRLEAD_DATA_DIR."
                )
        self._make_socket_folder()

    def _make_socket_folder(self) -> None:
        """Raises EmbeddedError when somebody else holds its name in the temporary folder."""
        folder = self._socket_folder()
        owner = os.geteuid() if self._servant is None else self._servant.pw_uid
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
                raise EmbeddedError(f"{folder} belongs to somebody else.") from None
        if self._servant is not None:
            os.chown(folder, self._servant.pw_uid, self._servant.pw_gid, follow_symlinks=False)

    def _reachable(self, binaries: Binaries) -> Binaries:
        """The binaries, or a copy beside the data where the servant cannot reach them."""
        if self._servant is None:
            return binaries
        server = str(binaries.folder / "postgres")
        done = subprocess.run(["test", "-x", server], **self._as_servant())
        if done.returncode == 0:
            return binaries
        return copy_beside(binaries, self._folder)

    def _private_file(self, path: Path, text: str) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        if self._servant is not None:
            os.chown(path, self._servant.pw_uid, self._servant.pw_gid)

    def _run(self, command: list[str], what: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, **self._as_servant())
        if done.returncode != 0:
            raise EmbeddedError(f"{what} failed: {done.stderr.strip()[-500:]}")

    def _as_servant(self) -> dict[str, Any]:
        if self._servant is None:
            return {}
        return {"user": self._servant.pw_uid, "group": self._servant.pw_gid, "extra_groups": []}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        handle = os.open(self._folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _servant() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in _SERVANTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError("PostgreSQL refuses to run as root: run Fairlead as another user.")


async def _create_database(connection: asyncpg.Connection) -> None:
    found = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _NAME)
    if found is None:
        # Which of the two errors a second process gets depends on how close behind it is.
        with suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            await connection.execute(f'CREATE DATABASE "{_NAME}"')
