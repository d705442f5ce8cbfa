"""`fairlead audit`: checks and exports the log of changes."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import Progress

from db.keyset import Row
from db.queries.audit import AuditQuery, count_entries, entries_after
from db.session import Database
from domain.audit import GENESIS, AuditAction, AuditObject, Break, ChainWalk
from fairlead.commands.running import console, fail, problems, run, settings_from_environment
from fairlead.foundation import laid
from fairlead.settings import Settings

cli = typer.Typer(help="The log of changes.", no_args_is_help=True)

_BATCH = 1_000
_BEFORE_ALL = -(2**63)
_EVERY = AuditQuery(descending=False)


class ExportFormat(StrEnum):
    """One entry a line, or a table."""

    JSONL = "jsonl"
    CSV = "csv"


_COLUMNS = (
    "number",
    "id",
    "at",
    "user_id",
    "api_key_id",
    "request_id",
    "action",
    "object_type",
    "object_id",
    "before",
    "after",
    "previous_hash",
    "hash",
)


async def batches(database: Database, query: AuditQuery = _EVERY) -> AsyncIterator[Sequence[Row]]:
    """The entries that `query` asks for, oldest first; no session is held between batches."""
    number = _BEFORE_ALL
    while True:
        async with database.read(None) as session:
            rows = await entries_after(session, number, _BATCH, query)
        if not rows:
            return
        yield rows
        number = rows[-1].number


@cli.command("verify")
def verify(
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER:HASH",
            help="What an earlier `verify` printed: shows entries cut off at the end, too.",
        ),
    ] = None,
) -> None:
    """Follow the chain from the first entry; status 1 and the first broken entry if one is."""
    walk, broken = run(_verify(settings_from_environment(), ChainWalk(_anchor(anchor))))
    if broken is not None:
        problems.print(f"[bold red]Broken at entry {broken.number}:[/] {broken.why}")
        raise typer.Exit(1)
    console.print(f"{walk.number} entries, each as it was written. Keep this to compare later:")
    typer.echo(f"{walk.number}:{walk.hash.hex()}")


def _anchor(text: str | None) -> tuple[int, bytes]:
    if text is None:
        return 0, GENESIS
    number, _, digest = text.partition(":")
    try:
        return int(number), bytes.fromhex(digest)
    except ValueError:
        fail("--anchor takes what `fairlead audit verify` printed, as NUMBER:HASH.")


async def _verify(settings: Settings, walk: ChainWalk) -> tuple[ChainWalk, Break | None]:
    async with laid(settings) as foundation:
        await foundation.prepare()
        async with foundation.database.read(None) as session:
            total = await count_entries(session)
        with Progress(console=problems, transient=True) as progress:
            task = progress.add_task("Following the chain", total=total)
            async for rows in batches(foundation.database):
                broken = walk.follow(rows)
                if broken is not None:
                    return walk, broken
                progress.advance(task, len(rows))
    return walk, walk.end()


@cli.command("export")
def export(
    format: Annotated[ExportFormat, typer.Option(help="How.")] = ExportFormat.JSONL,
    since: Annotated[datetime | None, typer.Option(help="Then or later, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before then, in UTC.")] = None,
    action: Annotated[list[AuditAction] | None, typer.Option(help="Only these.")] = None,
    object_type: Annotated[list[AuditObject] | None, typer.Option(help="Only of these.")] = None,
    actor: Annotated[UUID | None, typer.Option(help="Only of this person.")] = None,
) -> None:
    """Write entries to standard output, oldest first: all of them, or what the options leave."""
    query = AuditQuery(
        user=actor,
        actions=None if not action else tuple(action),
        object_types=None if not object_type else tuple(object_type),
        since=None if since is None else since.replace(tzinfo=UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
    )
    run(_export(settings_from_environment(), format, query))


async def _export(settings: Settings, format: ExportFormat, query: AuditQuery) -> None:
    write = _jsonl if format is ExportFormat.JSONL else _csv
    async with laid(settings) as foundation:
        await foundation.prepare()
        if format is ExportFormat.CSV:
            typer.echo(",".join(_COLUMNS))
        async for rows in batches(foundation.database, query):
            typer.echo(write([_plain(row) for row in rows]), nl=False)


def _plain(row: Row) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in _COLUMNS}
    for name, value in shown.items():
        if isinstance(value, bytes):
            shown[name] = value.hex()
        elif name == "at":
            shown[name] = value.astimezone(UTC).isoformat(timespec="microseconds")
    return shown


def _jsonl(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, default=str, ensure_ascii=False) + "\n" for row in rows)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        states = {name: _cell(row[name]) for name in ("before", "after")}
        writer.writerow([{**row, **states}[name] for name in _COLUMNS])
    return text.getvalue()


def _cell(state: dict[str, Any] | None) -> str | None:
    return None if state is None else json.dumps(state, ensure_ascii=False)
