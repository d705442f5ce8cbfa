"""What comes from others: pinned, old enough to be looked at, and silent when Python starts."""

import re
import sysconfig
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
    installs = re.findall(r"pip install (.*)", image)
    assert installs
    assert all("--require-hashes" in each or "--no-deps" in each for each in installs)
    assert "npm ci" in image


def test_the_image_runs_as_nobody_in_particular(checkout: Path) -> None:
    image = (checkout / "deploy" / "Dockerfile").read_text()

    user, entry = image.rindex("\nUSER 10001"), image.rindex("\nENTRYPOINT")
    assert image.rindex("\nFROM") < user < entry
    assert "USER root" not in image
