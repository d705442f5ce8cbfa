"""Secrets in files: what is read, and what each mistake is told."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from domain.catalogue import environment_keys
from fairlead.commands import cli
from fairlead.secretfiles import SecretFileError, given
from fairlead.settings import Settings

URL = "postgresql://somebody:canary@example/db"
KEY = "A" * 43 + "="


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "ENCRYPTION_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def write(name: str, text: str | bytes) -> Path:
        path = tmp_path / name.lower()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setenv(f"{name}_FILE", str(path))
        return path

    return write


def test_a_secret_is_read_from_the_file_that_is_named(written: Any) -> None:
    written("DATABASE_URL", f"{URL}\n")
    written("ENCRYPTION_KEY", f" {KEY}\r\n")
    written("OPENAI_API_KEY", "sk-canary\n")
    settings = Settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == URL
    assert settings.encryption_key is not None
    assert settings.encryption_key.get_secret_value() == KEY
    assert environment_keys(given)["openai"].reveal() == "sk-canary"


def test_an_empty_variable_is_none_and_leaves_the_file(
    written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written("DATABASE_URL", URL)
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("ENCRYPTION_KEY_FILE", "")
    settings = Settings()
    assert settings.database_url is not None
    assert settings.encryption_key is None


def test_what_is_no_secret_has_no_file(written: Any) -> None:
    written("PORT", "9")
    written("LOG_LEVEL", "debug")
    assert (Settings().port, Settings().log_level) == (8000, "info")


def test_a_wrong_text_is_refused_as_it_is_in_the_variable(written: Any) -> None:
    written("DATABASE_URL", "mysql://canary")
    said = CliRunner().invoke(cli, ["migrate"])
    assert said.exit_code == 1
    assert "DATABASE_URL: write postgresql://" in said.output
    assert "canary" not in said.output


def test_both_are_one_too_many(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written("ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("ENCRYPTION_KEY", KEY)
    with pytest.raises(SecretFileError, match="ENCRYPTION_KEY and ENCRYPTION_KEY_FILE are both"):
        Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (b"\xff\xfecanary", "is not text"),
        ("canary" * 20_000, "is larger than 65536 bytes"),
    ],
)
def test_a_file_that_cannot_be_a_secret_is_refused(
    written: Any, text: str | bytes, said: str
) -> None:
    path = written("ENCRYPTION_KEY", text)
    with pytest.raises(SecretFileError) as raised:
        Settings()
    assert str(raised.value).startswith(f"ENCRYPTION_KEY_FILE: {path} {said}")
    assert "canary" not in str(raised.value)


def test_a_file_that_is_missing_ends_a_command_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY_FILE", str(tmp_path / "missing"))
    said = CliRunner().invoke(cli, ["serve"])
    assert said.exit_code == 1
    assert "ENCRYPTION_KEY_FILE: " in said.output
    assert "cannot be read (No such file or directory)" in said.output


@pytest.mark.parametrize("mistaken", [KEY, URL])
def test_a_secret_in_the_place_of_its_file_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, mistaken: str
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY_FILE", mistaken)
    with pytest.raises(SecretFileError) as raised:
        Settings()
    assert mistaken not in str(raised.value)


def test_the_compose_file_has_each_secret_in_a_file(checkout: Path) -> None:
    compose = yaml.safe_load((checkout / "deploy" / "compose.yaml").read_text())
    known = {field.alias for field in Settings.model_fields.values()} | {"POSTGRES_PASSWORD"}
    for service in compose["services"].values():
        named = {
            name: path for name, path in service["environment"].items() if name.endswith("_FILE")
        }
        assert {name.removesuffix("_FILE") for name in named} <= known
        assert set(named.values()) == {f"/run/secrets/{each}" for each in service["secrets"]}
        assert set(service["secrets"]) <= set(compose["secrets"])
    assert "${POSTGRES_PASSWORD" not in str(compose)
    assert "${ENCRYPTION_KEY" not in str(compose)
