"""The compose files and the realm say what Fairlead expects of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auth.openid import OpenIdRules, claims_of
from auth.secrets import parse_master_keys
from domain.secret import Secret
from fairlead.settings import Settings


@pytest.fixture(scope="module")
def folder(checkout: Path) -> Path:
    return checkout / "deploy" / "keycloak"


@pytest.fixture(scope="module")
def realm(folder: Path) -> Any:
    return json.loads((folder / "realm.json").read_text())


@pytest.fixture(scope="module")
def compose(folder: Path) -> Any:
    return yaml.safe_load((folder / "compose.yaml").read_text())


@pytest.fixture
def settings(compose: Any, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the compose file's own variables make of Fairlead."""
    key = "A" * 43 + "="
    given = {"POSTGRES_PASSWORD": "secret", "ENCRYPTION_KEY": key}
    for name, value in compose["services"]["fairlead"]["environment"].items():
        found = re.sub(r"\$\{(\w+)(:[^}]*)?\}", lambda match: given[match[1]], value)
        monkeypatch.setenv(name, found)
    assert parse_master_keys(Secret(key))
    return Settings()


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
