"""`fairlead audit` as an operator runs it."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from auth.secrets import generate_master_key
from db.session import Database
from domain.audit import AuditAction, AuditObject, record


class Operator:
    """Runs `fairlead audit` on the test's database."""

    def __init__(self, url: str, folder: Path) -> None:
        self._env = {
            **os.environ,
            "DATABASE_URL": url,
            "ENCRYPTION_KEY": generate_master_key().reveal(),
            "FAIRLEAD_DATA_DIR": str(folder),
        }

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fairlead", "audit", *words],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def operator(database_url: str, tmp_path: Path) -> Operator:
    return Operator(database_url, tmp_path)


@pytest.fixture
async def log(database: Database) -> None:
    for name in ("one", 'two, "quoted"', "three"):
        async with database.write(None) as session:
            after = {"name": name}
            await record(session, AuditAction.CREATE, AuditObject.MODEL, uuid7(), after=after)


async def test_verifies_and_finds_what_was_altered_and_what_was_cut_off(
    operator: Operator, database: Database, log: None
) -> None:
    whole = operator("verify")
    anchor = whole.stdout.splitlines()[-1]
    async with database.write(None) as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("DELETE FROM audit_log WHERE number = 3"))
    shorter, cut = operator("verify"), operator("verify", "--anchor", anchor)
    async with database.write(None) as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE audit_log SET action = 'DELETE' WHERE number = 2"))
    altered = operator("verify")

    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.startswith("3 entries, each as it was written.")
    assert anchor.startswith("3:")
    assert shorter.returncode == 0
    assert (cut.returncode, altered.returncode) == (1, 1)
    assert "Broken at entry 3: The log ends before entry 3." in cut.stderr
    assert "Broken at entry 2: Its content is not what was hashed." in altered.stderr


async def test_exports_every_entry_as_lines_and_as_a_table(operator: Operator, log: None) -> None:
    lines, table = operator("export"), operator("export", "--format", "csv")

    entries = [json.loads(line) for line in lines.stdout.splitlines()]
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    names = ["one", 'two, "quoted"', "three"]
    assert [(entry["number"], entry["after"]["name"]) for entry in entries] == [
        (n, name) for n, name in enumerate(names, 1)
    ]
    assert [json.loads(row["after"])["name"] for row in rows] == names
    assert [row["hash"] for row in rows] == [entry["hash"] for entry in entries]
    assert entries[1]["previous_hash"] == entries[0]["hash"]


async def test_exports_what_the_options_leave(
    operator: Operator, database: Database, log: None
) -> None:
    async with database.write(None) as session:
        await record(session, AuditAction.TEST, AuditObject.PROVIDER, uuid7())
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE audit_log SET at = '2020-01-01Z' WHERE number = 1"))

    def numbers(*words: str) -> list[int]:
        done = operator("export", *words)
        assert done.returncode == 0, done.stderr
        return [json.loads(line)["number"] for line in done.stdout.splitlines()]

    assert numbers("--action", "TEST", "--object-type", "PROVIDER") == [4]
    assert numbers("--until", "2021-01-01") == [1]
    assert numbers("--since", "2021-01-01", "--action", "CREATE") == [2, 3]
    assert numbers("--actor", str(uuid7())) == []


async def test_an_anchor_that_is_none_is_refused_in_one_line(operator: Operator) -> None:
    done = operator("verify", "--anchor", "nonsense")

    assert (done.returncode, done.stdout) == (1, "")
    assert "--anchor takes what" in done.stderr
    assert "Traceback" not in done.stderr
