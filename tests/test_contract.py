"""Promises about the repository itself."""

import ast
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from graphql import GraphQLObjectType
from strawberry import Schema

from resolvers.root import build_schema
from schema.policies import check_policies, policies_of

ROOMS = ("auth", "db", "domain", "fairlead", "gateway", "resolvers", "schema")
LONGEST_FILE = 300
LONGEST_FUNCTION = 40


@pytest.fixture(scope="module")
def built() -> Schema:
    return build_schema()


@pytest.fixture(scope="session")
def sources(checkout: Path) -> dict[Path, ast.Module]:
    """Every Python file of ours, parsed; migrations are written by a tool."""
    found = [
        path
        for room in (*ROOMS, "benchmarks", "tests")
        for path in checkout.glob(f"{room}/**/*.py")
    ]
    return {
        path: ast.parse(path.read_text())
        for path in found
        if "migrations/versions" not in path.as_posix()
    }


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_schema_snapshot_is_current(built: Schema, checkout: Path) -> None:
    snapshot = (checkout / "schema" / "schema.graphql").read_text()

    assert snapshot == built.as_str() + "\n", "run: make schema"


def test_every_field_has_a_policy(built: Schema) -> None:
    check_policies(built)
    told = {name for name, access in policies_of(built) if access is not None}
    fields = {
        f"{type_.name}.{field}"
        for type_ in built._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for field in type_.fields
    }

    assert told == fields


def test_every_type_is_described(built: Schema) -> None:
    types = built._schema.type_map.values()

    assert [t.name for t in types if not t.description and not t.name.startswith("__")] == []


def test_no_file_is_too_long(sources: dict[Path, ast.Module]) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources}

    assert {str(p): n for p, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_too_long(sources: dict[Path, ast.Module]) -> None:
    found = {
        f"{path}:{node.name}": length
        for path, tree in sources.items()
        for node in functions(tree)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }

    assert found == {}


def test_no_function_imports(sources: dict[Path, ast.Module]) -> None:
    found = {
        f"{path}:{node.name}"
        for path, tree in sources.items()
        for node in functions(tree)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }

    assert found == set()


def test_every_module_says_what_it_is_for(sources: dict[Path, ast.Module]) -> None:
    bare = []
    for path, tree in sources.items():
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        if tree.body and not first.endswith((".", ":", "…`.")):
            bare.append(str(path))

    assert bare == []


def test_no_dependency_owns_a_room(checkout: Path) -> None:
    owners = packages_distributions()

    assert {room: owners[room] for room in ROOMS if set(owners.get(room, [])) - {"fairlead"}} == {}


def test_lock_files_are_hashed_and_name_no_download_host(checkout: Path) -> None:
    locks = sorted((checkout / "requirements").glob("*.txt"))
    packages = (checkout / "frontend" / "package-lock.json").read_text()

    assert [lock.name for lock in locks] == [
        "base.txt",
        "client.txt",
        "dev.txt",
        "installer.txt",
        "wheel.txt",
    ]
    for lock in locks:
        text = lock.read_text()
        pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==", text, re.MULTILINE)
        assert pinned, lock
        assert text.count("--hash=sha256:") >= len(pinned), lock
        assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text) == [], lock
    assert '"resolved"' not in packages


def test_nothing_left_to_do_is_left_in_the_code(checkout: Path) -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.ts", "*.tsx", "*.toml"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    present = [checkout / name for name in listed if (checkout / name).exists()]

    assert [str(path) for path in present if marks.search(path.read_text())] == []
