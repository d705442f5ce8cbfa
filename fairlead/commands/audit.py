"""`fairlead audit`: checks and exports the log of changes."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import Progress

from db.queries.audit import AuditQuery, count_entries
from domain import download
from domain.audit import GENESIS, AuditAction, AuditObject, Break, ChainWalk
from domain.audit_export import batches, lines
from fairlead.commands.running import console, fail, problems, run, settings_from_environment
from fairlead.foundation import laid
from fairlead.settings import Settings

cli = typer.Typer(help="The log of changes.", no_args_is_help=True)


class ExportFormat(StrEnum):
    """One entry a line, or a table."""

    JSONL = "jsonl"
    CSV = "csv"


_FORMATS = {
    ExportFormat.JSONL: download.ExportFormat.JSON_LINES,
    ExportFormat.CSV: download.ExportFormat.CSV,
}


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
    async with laid(settings) as foundation:
        await foundation.prepare()
        async for some in lines(foundation.database, query, _FORMATS[format]):
            typer.echo(some.decode(), nl=False)
