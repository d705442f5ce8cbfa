"""The compose files and the realm say what Fairlead expects of them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from auth.openid import OpenIdRules, claims_of
from auth.secrets import parse_master_keys
from domain.secret import Secret
from fairlead.settings import Settings

OPTIONAL = {"FAIRLEAD_IMAGE", "FAIRLEAD_ALLOW_PRIVATE_HOSTS", "PORT"}
"""What may be set in the environment of Docker Compose."""


@pytest.fixture(scope="module")
def folder(checkout: Path) -> Path:
    return checkout / "deploy" / "keycloak"


@pytest.fixture(scope="module")
def realm(folder: Path) -> Any:
    return json.loads((folder / "realm.json").read_text())


@pytest.fixture(scope="module")
def compose(folder: Path) -> Any:
    return yaml.safe_load((folder / "compose.yaml").read_text())


PLACES = [
    pytest.param("compose.yaml", "containers.md", id="alone"),
    pytest.param("keycloak/compose.yaml", "keycloak.md", id="with Keycloak"),
]


def made_secrets(checkout: Path, page: str, folder: Path) -> Path:
    """What is there after typing what a page of the documentation says, but for Docker."""
    text = (checkout / "docs" / page).read_text()
    [block] = [each for each in re.findall(r"```sh\n(.*?)```", text, re.S) if "compose up" in each]
    lines = [line for line in block.splitlines() if not line.startswith(("cd ", "docker "))]
    folder.mkdir()
    subprocess.run(["sh", "-euc", "\n".join(lines)], cwd=folder, check=True)
    return folder / "secrets"


def environment(compose: Any, name: str, secrets: Path) -> dict[str, str]:
    """Of a service, its secrets mounted below `secrets`; variables of the compose file unset."""
    given = compose["services"][name]["environment"].items()
    found = {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in given}
    return {key: value.replace("/run/secrets", str(secrets)) for key, value in found.items()}


@pytest.fixture
def settings(
    checkout: Path, compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """What the compose file's variables and the secrets of its page make of Fairlead."""
    secrets = made_secrets(checkout, "keycloak.md", tmp_path / "keycloak")
    for name, value in environment(compose, "fairlead", secrets).items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize(("name", "page"), PLACES)
def test_secrets_are_in_files_that_the_page_says_how_to_make(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, page: str
) -> None:
    compose = yaml.safe_load((checkout / "deploy" / name).read_text())
    secrets = made_secrets(checkout, page, tmp_path / "made")
    files = {Path(each["file"]).name for each in compose["secrets"].values()}
    assert {each.name for each in secrets.iterdir()} == files
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in secrets.iterdir()} == {0o444}
    for service in compose["services"].values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
    for key, value in environment(compose, "fairlead", secrets).items():
        monkeypatch.setenv(key, value)

    settings = Settings()
    assert settings.encryption_key is not None
    assert parse_master_keys(Secret(settings.encryption_key.get_secret_value()))
    assert settings.database_url is not None
    url = urlsplit(settings.database_url.get_secret_value())
    assert url.password == (secrets / "postgres_password").read_text().strip()
    owner = environment(compose, "postgres", secrets).get("POSTGRES_USER", "postgres")
    assert (url.username, url.hostname, url.path) == (owner, "postgres", "/fairlead")


@pytest.mark.parametrize("name", ["compose.yaml", "keycloak/compose.yaml"])
def test_nothing_secret_is_in_an_environment_or_a_command(checkout: Path, name: str) -> None:
    compose = yaml.safe_load((checkout / "deploy" / name).read_text())
    for service in compose["services"].values():
        for key, value in service.get("environment", {}).items():
            is_secret = re.search(r"PASSWORD|KEY|SECRET|DATABASE_URL", key)
            assert not is_secret or value.startswith("/run/secrets/"), key
    shown = json.dumps(compose)
    assert not re.search(r"://[^/\"]*:[^/\"]*@", shown)
    assert set(re.findall(r"\$\{(\w+)", shown)) <= OPTIONAL


def test_keycloak_reads_its_passwords_from_its_configuration_file(
    checkout: Path, compose: Any, tmp_path: Path
) -> None:
    secrets = made_secrets(checkout, "keycloak.md", tmp_path / "made")
    keycloak = compose["services"]["keycloak"]
    assert keycloak["command"][0] == "--config-file=/run/secrets/keycloak.conf"
    assert keycloak["secrets"] == ["keycloak.conf"]
    lines = dict(
        line.split("=", 1) for line in (secrets / "keycloak.conf").read_text().splitlines()
    )
    assert set(lines) == {"db-password", "bootstrap-admin-password"}
    assert lines["db-password"] == (secrets / "postgres_password").read_text().strip()
    assert len(lines["bootstrap-admin-password"]) == 32


def test_the_compose_files_services_find_each_other(compose: Any, settings: Settings) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "keycloak", "fairlead"}
    hostname = services["keycloak"]["environment"]["KC_HOSTNAME"]
    assert settings.openid_issuer == f"{hostname}/realms/fairlead"
    assert str(settings.openid_discovery_url).startswith("http://keycloak:8080/realms/fairlead/")
    assert settings.database_url is not None
    assert "@postgres:5432/fairlead" in settings.database_url.get_secret_value()
    used = {name for each in services.values() for name in each.get("volumes", ())}
    named = {volume.partition(":")[0] for volume in used if not volume.startswith(".")}
    assert named == set(compose["volumes"])


def test_files_that_are_mounted_are_there(compose: Any, folder: Path) -> None:
    mounts = [m for each in compose["services"].values() for m in each.get("volumes", ())]
    files = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert [name for name in files if not (folder / name).is_file()] == []
    databases = (folder / "databases.sql").read_text()
    assert "CREATE DATABASE keycloak" in databases
    assert "CREATE DATABASE fairlead" in databases


@pytest.mark.parametrize("name", ["compose.yaml", "keycloak/compose.yaml"])
def test_a_container_gets_no_more_than_it_needs_and_the_time_to_end(
    checkout: Path, name: str
) -> None:
    compose = yaml.safe_load((checkout / "deploy" / name).read_text())
    fairlead = compose["services"]["fairlead"]

    assert fairlead["read_only"] is True
    assert fairlead["cap_drop"] == ["ALL"]
    assert fairlead["security_opt"] == ["no-new-privileges:true"]
    assert fairlead["volumes"] == ["fairlead:/var/lib/fairlead"]
    assert all(port.startswith("127.0.0.1:") for port in fairlead["ports"])
    ending = Settings()
    least = ending.shutdown_delay + ending.shutdown_grace + 30
    assert float(fairlead["stop_grace_period"].removesuffix("s")) >= least


def test_the_realms_client_is_public_and_asks_for_pkce(realm: Any, settings: Settings) -> None:
    [client] = realm["clients"]
    assert client["clientId"] == settings.openid_client_id
    assert (client["publicClient"], client["standardFlowEnabled"]) == (True, True)
    assert not client["implicitFlowEnabled"] | client["directAccessGrantsEnabled"]
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"


def test_codes_go_to_the_apps_own_page_and_refresh_tokens_are_good_once(realm: Any) -> None:
    [client] = realm["clients"]
    pages = {f"{origin}/" for origin in client["webOrigins"]}
    assert set(client["redirectUris"]) == pages
    assert set(client["attributes"]["post.logout.redirect.uris"].split("##")) == pages
    assert (realm["revokeRefreshToken"], realm["refreshTokenMaxReuse"]) == (True, 0)


def test_a_token_of_the_realm_is_taken(realm: Any, settings: Settings) -> None:
    """Its mappers and roles, put into Keycloak's shape, are what the settings look for."""
    rules = settings.openid_rules
    assert isinstance(rules, OpenIdRules)
    [client] = realm["clients"]
    mappers = {each["name"]: each["config"] for each in client["protocolMappers"]}
    [ada] = realm["users"]
    payload = {
        "iss": settings.openid_issuer,
        "aud": [mappers["audience"]["included.client.audience"], "account"],
        "sub": "ada",
        "typ": "Bearer",
        "iat": 1,
        "exp": 1 + realm["accessTokenLifespan"],
        "realm_access": {"roles": ada["realmRoles"]},
        mappers["groups"]["claim.name"]: ada["groups"],
    }
    found = claims_of(payload, {"typ": "JWT"}, rules, now=2.0)

    assert found.is_admin
    assert found.groups == {"/organizations/acme": True}
    assert rules.admin_role in {role["name"] for role in realm["roles"]["realm"]}
