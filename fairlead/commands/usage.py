"""`fairlead usage`: checks that the sums of requests are what the requests add up to."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from db.queries.usage_audit import Audited, Difference, audit_day
from fairlead.commands.running import console, problems, run, settings_from_environment
from fairlead.foundation import laid
from fairlead.settings import Settings

cli = typer.Typer(help="Finished requests and their sums.", no_args_is_help=True)

_YESTERDAY = timedelta(days=1)
_LONGEST = 60


@cli.callback()
def usage() -> None:
    """Finished requests and their sums."""


@cli.command("audit")
def audit(
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="A UTC day; by default yesterday."),
    ] = None,
    mend: Annotated[
        bool, typer.Option("--mend", help="Write the sums anew where they differ.")
    ] = False,
) -> None:
    """Recompute a day's sums from its requests; status 1 and the differences if there are any."""
    chosen = (day or datetime.now(UTC) - _YESTERDAY).date()
    found = run(_audit(settings_from_environment(), chosen, mend))
    if not found.differing:
        console.print(f"{chosen}: {found.rows} requests, {found.cells} sums, each as it should be.")
        return
    for each in found.differences:
        problems.print(_line(each), soft_wrap=True)
    done = "They were written anew." if mend else "`--mend` writes them anew."
    problems.print(f"[bold red]{found.differing} sums of {chosen} differ.[/] {done}")
    raise typer.Exit(1)


async def _audit(settings: Settings, day: date, mend: bool) -> Audited:
    async with laid(settings) as foundation:
        await foundation.prepare()
        return await audit_day(foundation.database, day, mend=mend)


def _line(found: Difference) -> str:
    stored, computed = found.stored or {}, found.computed or {}
    some = computed or stored
    different = [
        f"{name} is {_cut(stored.get(name))}, should be {_cut(computed.get(name))}"
        for name in some
        if stored.get(name) != computed.get(name)
    ]
    where = " ".join(_cut(some[name]) for name in list(some)[:5])
    return f"{found.table} {where}: {'; '.join(different)}"


def _cut(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
