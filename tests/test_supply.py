"""What comes from others: pinned, old enough to be looked at, and silent when Python starts."""

import json
import re
import sysconfig
import tomllib
from pathlib import Path

import pytest

KNOWN = {"distutils-precedence.pth"}
"""Of setuptools: it puts its own distutils before Python's."""


def test_no_dependency_runs_code_when_python_starts() -> None:
    packages = Path(sysconfig.get_path("purelib"))
    lines = {
        path.name: [
            line
            for line in path.read_text().splitlines()
            if line.startswith(("import ", "import\t"))
        ]
        for path in packages.glob("*.pth")
    }

    assert {name for name, found in lines.items() if found} <= KNOWN


def test_packages_are_resolved_from_releases_that_are_a_week_old(checkout: Path) -> None:
    makefile = (checkout / "Makefile").read_text()

    flags = re.search(r"^LOCK = (.*)$", makefile, re.MULTILINE)
    assert flags is not None
    assert '--exclude-newer "7 days"' in flags[1]
    assert "--generate-hashes" in flags[1]


@pytest.mark.parametrize("stamp", ["base", "dev"])
def test_packages_are_installed_only_with_their_hashes(checkout: Path, stamp: str) -> None:
    makefile = (checkout / "Makefile").read_text()
    image = (checkout / "deploy" / "Dockerfile").read_text()

    assert re.search(rf"--require-hashes -r requirements/{stamp}\.txt", makefile)
    installs = re.findall(r"(?:pip install|uv build) (.*)", image)
    assert len(installs) == 4
    assert all("--require-hashes" in each or "--no-deps" in each for each in installs)
    pinned = re.findall(r"(?:-r|--build-constraints) (requirements/\S+)", image)
    assert len(pinned) == 3
    assert all("--hash=sha256:" in (checkout / each).read_text() for each in pinned)
    assert "npm ci" in image


def test_the_image_is_made_of_what_is_in_the_repository_and_nothing_else(checkout: Path) -> None:
    """A file of keys that lies in a checkout must not travel; a new room must."""
    rules = (checkout / ".dockerignore").read_text().splitlines()
    taken = {rule[1:] for rule in rules if rule.startswith("!")}
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    rooms = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    named = {project["project"]["readme"], *project["project"]["license-files"]}

    assert next(rule for rule in rules if not rule.startswith("#")) == "*"
    assert taken == {*rooms, *named, "pyproject.toml", "requirements", "docs", "frontend"}
    assert {rule for rule in rules if "env" in rule} == {"**/.env*"}


def test_the_image_runs_as_nobody_in_particular(checkout: Path) -> None:
    image = (checkout / "deploy" / "Dockerfile").read_text()

    user, entry = image.rindex("\nUSER 10001"), image.rindex("\nENTRYPOINT")
    assert image.rindex("\nFROM") < user < entry
    assert "USER root" not in image


def test_the_web_app_has_a_version(checkout: Path) -> None:
    """Without one npm from 11 on writes no list of what it is made of (`make sbom`)."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["version"]
    for name in ("package.json", "package-lock.json"):
        told = json.loads((checkout / "frontend" / name).read_text())
        assert told["version"] == project
