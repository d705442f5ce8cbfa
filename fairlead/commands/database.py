"""`fairlead migrate` and `fairlead seed`."""

from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from db.migrate import migrate
from domain.catalogue import Seeded, environment_keys, seed
from fairlead.commands.running import console, run, settings_from_environment
from fairlead.foundation import laid
from fairlead.secretfiles import given
from fairlead.settings import Settings


def migrate_command() -> None:
    """Bring the database to the newest schema."""
    settings = settings_from_environment()

    async def work() -> None:
        async with laid(settings) as foundation:
            await migrate(foundation.database.engine)

    run(work())
    console.print("The database is at the newest schema.")


def seed_command(
    reset: Annotated[
        bool, typer.Option("--reset", help="Give the seeded rows their seeded values back.")
    ] = False,
) -> None:
    """Write the catalogue's missing providers, models and prices, and keys from the environment."""
    found = run(_seed(settings_from_environment(), reset))
    console.print(
        f"Wrote {found.providers} providers, {found.models} models, {found.prices} prices"
        f" and {found.keys} keys. {found.unpriced} models of the catalogue have no known price;"
        " AUTO leaves them alone."
    )


async def _seed(settings: Settings, reset: bool) -> Seeded:
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Opening the database", total=None)
        async with laid(settings) as foundation:
            await foundation.prepare()
            progress.update(task, description="Writing the catalogue")
            async with foundation.database.write(None) as session:
                keys = environment_keys(given)
                return await seed(session, foundation.cipher, keys, reset=reset)
