"""The commands as an operator runs them, each in a process of its own."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.apikey import parse
from auth.secrets import generate_master_key
from db.processes import server_of
from tests.e2e.installation import start

_DROPPED = re.compile(r"FAIRLEAD_.*|DATABASE_URL|ENCRYPTION_KEY|.*_API_KEY|HOST|PORT|LOG_LEVEL")


class Operator:
    """Runs `fairlead` on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not _DROPPED.fullmatch(k)}
        return subprocess.run(
            [sys.executable, "-m", "fairlead", *words],
            env={**kept, "FAIRLEAD_DATA_DIR": str(self.folder / "data"), **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def says(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """With a database and a key that a first command made; like `open_folder` for the module."""
    folder = Path(tempfile.mkdtemp(prefix="fairlead-"))
    folder.chmod(0o755)
    operator = Operator(folder)
    operator.says("keys", "create", "--admin")
    yield operator
    shutil.rmtree(folder)


def postgres(operator: Operator) -> Path:
    return operator.folder / "data" / "postgresql" / "postgres"


def test_a_key_is_printed_once_listed_without_its_secret_and_revoked(operator: Operator) -> None:
    text = operator.says("keys", "create", "--admin", "--name", "laptop").strip()
    key = parse(text)
    assert key is not None
    listed = operator.says("keys", "list")
    assert (key.public_id in listed, "laptop" in listed) == (True, True)
    assert text.split("_")[2][:20] not in listed
    operator.says("keys", "revoke", key.public_id)
    row = next(line for line in operator.says("keys", "list").splitlines() if key.public_id in line)
    assert "revoked" in row


def test_what_few_starts_need_is_loaded_by_those_alone() -> None:
    heavy = ("alembic", "genai_prices.data", "mako", "pygments.lexers.web")
    code = f"import sys, fairlead.commands; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_command_leaves_no_server_behind(operator: Operator) -> None:
    operator.says("migrate")
    assert server_of(postgres(operator)) is None


def test_the_generated_master_key_is_for_its_owner_only(operator: Operator) -> None:
    found = (operator.folder / "data" / "encryption.key").stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert [p.name for p in (operator.folder / "data").iterdir() if p.name.startswith("tmp")] == []


def test_a_second_seed_writes_nothing(operator: Operator) -> None:
    assert "Wrote 7 providers" in operator.says("seed")
    assert "Wrote 0 providers, 0 models, 0 prices and 0 keys" in operator.says("seed")
    assert "Wrote 7 providers" in operator.says("seed", "--reset")


def test_the_exported_schema_is_the_committed_one(operator: Operator, checkout: Path) -> None:
    assert operator.says("export-schema") == (checkout / "schema/schema.graphql").read_text()
    assert operator.says("export-schema", "--check") == ""


WRONG: list[tuple[list[str], dict[str, str], str]] = [
    (["migrate"], {"DATABASE_URL": "postgresql://x:canary@127.0.0.1:1/z"}, "DATABASE_URL"),
    (["migrate"], {"DATABASE_URL": "mysql://x:canary@127.0.0.1/z"}, "postgresql://user"),
    (["keys", "list"], {"ENCRYPTION_KEY": "canary"}, "keys generate"),
    (
        ["serve", "--port", "0"],
        {"ENCRYPTION_KEY": generate_master_key().reveal()},
        "another master key",
    ),
    (["keys", "list"], {"FAIRLEAD_DATA_DIR": "/dev/null"}, "FAIRLEAD_DATA_DIR"),
    (["keys", "list"], {"FAIRLEAD_PG_BIN": "/"}, "FAIRLEAD_PG_BIN"),
    (["keys", "create"], {}, "--admin"),
    (["keys", "revoke", "nobody"], {}, "no key nobody"),
]


@pytest.mark.parametrize(("words", "env", "hint"), WRONG, ids=range(len(WRONG)))
def test_what_an_operator_can_mend_is_one_line_that_says_how(
    operator: Operator, words: list[str], env: dict[str, str], hint: str
) -> None:
    done = operator.run(*words, **env)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Fairlead cannot go on: ")
    assert hint in lines[0]
    assert "canary" not in done.stderr + done.stdout
    assert server_of(postgres(operator)) is None


def test_a_port_in_use_is_said_before_anything_is_started(operator: Operator) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = operator.run("serve", "--port", str(port))
    assert done.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
async def test_a_stopped_server_puts_everything_away(open_folder: Path, signal_: int) -> None:
    served = await start(open_folder)
    data = open_folder / "data" / "postgresql" / "postgres"
    assert server_of(data) is not None
    served.process.send_signal(signal_)
    assert await served.process.wait() == 0
    assert server_of(data) is None
    assert "Traceback" not in served.output.read_text()


async def test_commands_join_a_running_server_and_its_key_is_printed_only_once(
    open_folder: Path,
) -> None:
    first = await start(open_folder)
    data = open_folder / "data" / "postgresql" / "postgres"
    pid = server_of(data)
    key = parse(first.key)
    assert key is not None
    operator = Operator(open_folder)
    listed = operator.says("keys", "list")
    assert (key.public_id in listed, "first start" in listed) == (True, True)
    assert server_of(data) == pid is not None
    await first.kill()

    again = await start(open_folder)
    assert again.key == ""
    assert "keys create --admin" in again.output.read_text()
    again.process.terminate()
    assert await again.process.wait() == 0
    assert server_of(data) is None


def test_a_file_that_cannot_be_used_is_named_and_not_taken_for_the_database(
    operator: Operator,
) -> None:
    spool = operator.folder / "data" / "spool"
    spool.write_text("no folder")
    done = operator.run("serve", "--port", "0")
    spool.unlink()

    assert done.returncode == 1
    assert f"{spool} cannot be used (File exists)" in done.stderr
    assert "database" not in done.stderr
