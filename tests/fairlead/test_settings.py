"""What the operator may set."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from fairlead.settings import Settings


def test_every_setting_is_documented(checkout: Path) -> None:
    page = (checkout / "docs" / "settings.md").read_text()
    names = [field.alias for field in Settings.model_fields.values()]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_ALLOW_PRIVATE_HOSTS", "127.0.0.1:9100, [::1]:80,,LLM.local:1")
    assert Settings().allow_private_hosts == {"127.0.0.1:9100", "[::1]:80", "llm.local:1"}


def test_a_host_without_its_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_ALLOW_PRIVATE_HOSTS", "127.0.0.1")
    with pytest.raises(ValidationError, match="write host:port"):
        Settings()


def test_a_printed_settings_object_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:canary@example/db")
    monkeypatch.setenv("ENCRYPTION_KEY", "canary")
    assert "canary" not in repr(Settings())


@pytest.mark.parametrize(
    "url", ["fairlead", "mysql://a:b@c/d", "postgresql://db.example", "postgresql://db.example/"]
)
def test_an_address_that_is_no_postgresql_database_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ValidationError, match="write postgresql://"):
        Settings()


@pytest.mark.parametrize(
    "url", ["postgres://a:b@c:1/d?sslmode=require", "postgresql://a@/d?host=/run/postgresql"]
)
def test_every_usual_address_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    found = Settings().database_url
    assert found is not None
    assert found.get_secret_value() == url
