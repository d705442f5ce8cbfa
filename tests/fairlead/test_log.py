"""Secrets do not reach a log, whatever put them there."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.log import redact

KEY = f"fl_{'a1B2' * 3}_{'c3D4e5F' * 7}"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"

SECRETS = [
    KEY,
    "sk-proj-0123456789abcdefghij",
    "sk-ant-api03-0123456789_abcdef",
    "sk-or-v1-0123456789abcdef",
    "hf_0123456789abcdefABCDEF",
    "gsk_0123456789abcdefABCDEF",
    "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    JWT,
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("text", ["{}", "key={} was refused", '{{"k": "{}"}}', "x:{},y", "({})"])
def test_what_looks_like_a_key_is_hidden(secret: str, text: str) -> None:
    assert secret[8:] not in redact(text.format(secret))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER  "])
def test_a_bearer_of_any_form_is_hidden(scheme: str) -> None:
    assert "opaque" not in redact(f"Authorization: {scheme} opaque-0123456789")


def test_the_password_in_a_url_is_hidden_and_the_rest_is_not() -> None:
    shown = redact("postgresql://ada:canary@db.example:5432/fairlead failed")
    assert "canary" not in shown
    assert "db.example:5432/fairlead failed" in shown


@pytest.mark.parametrize(
    "value",
    [
        {"api_key": "canary"},
        {"Authorization": "canary"},
        {"headers": {"x-api-key": "canary", "Set-Cookie": "canary"}},
        {"each": [{"token": "canary"}, {"password": "canary"}]},
        {"headers": [("authorization", "canary"), (b"cookie", b"canary")]},
        {"secret": {"nested": "canary"}},
    ],
    ids=str,
)
def test_values_under_names_of_secrets_are_hidden_at_any_depth(value: object) -> None:
    assert "canary" not in str(redact(value))


@pytest.mark.parametrize(
    "value",
    [
        {"body": b"text " + KEY.encode()},
        {KEY: 1},
        {"error": ValueError(f"text {KEY}")},
        {"each": {KEY}},
        [Exception(b"text " + KEY.encode())],
    ],
    ids=["bytes", "name", "exception", "set", "exception of bytes"],
)
def test_a_key_is_hidden_whatever_holds_it(value: object) -> None:
    assert KEY in str(value)
    assert KEY not in str(redact(value))


def test_ordinary_values_pass_unchanged() -> None:
    event = {"event": "skipped 12 rows", "count": 12, "model": "openai/gpt-4o", "ok": [True, None]}
    assert redact(event) == event


def test_nothing_of_a_key_reaches_standard_error(checkout: Path) -> None:
    script = f"""
import logging, structlog
from fairlead import log
log.configure("debug")
structlog.get_logger().info("event", key="canary1", text="{KEY}", headers={{"cookie": "canary2"}})
logging.getLogger("library").warning("refused %s", "{KEY}")
try:
    raise ValueError("{KEY}")
except ValueError:
    structlog.get_logger().exception("failed")
    logging.getLogger("library").exception("failed")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["event", "refused [hidden]", "failed", "failed"]
    assert "ValueError" in lines[2]["exception"]
    assert "ValueError" in lines[3]["exception"]
    assert KEY not in done.stderr + done.stdout
    assert "canary" not in done.stderr + done.stdout


def test_the_level_is_respected(checkout: Path) -> None:
    script = """
import structlog
from fairlead import log
log.configure("warning")
structlog.get_logger().info("quiet")
structlog.get_logger().warning("loud")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["loud"]
    assert logging.getLevelNamesMapping()["WARNING"] == logging.WARNING


def test_a_broken_answer_told_as_such_is_no_fault_of_ours(checkout: Path) -> None:
    script = """
import logging
from fairlead import log
log.configure("info")
uvicorn = logging.getLogger("uvicorn.error")
uvicorn.error("ASGI callable returned without completing response.")
uvicorn.error("Exception in ASGI application")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert lines == ["Exception in ASGI application"]
