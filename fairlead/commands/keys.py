"""`fairlead keys`: API keys for whoever may read the server's key file."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import Progress as Bar
from rich.table import Column, Table

from auth.keyring import mint
from auth.rotation import Progress, rotate
from auth.secrets import generate_master_key
from db.keyset import Row
from db.queries.apikey import api_key_by_public_id, api_keys_of_installation
from domain.apikey import ApiKeyRequest, add_api_key, revoke_api_key
from domain.bootstrap import administrator, bootstrap
from domain.errors import NotFound
from domain.principal import Scope
from domain.secret import Secret
from fairlead.commands.running import console, fail, run, settings_from_environment
from fairlead.foundation import Foundation, laid
from fairlead.settings import Settings

cli = typer.Typer(help="API keys and master keys.", no_args_is_help=True)


async def create_administrator_key(foundation: Foundation, name: str) -> Secret:
    """A key of the built-in administrator with every scope; shown once, by the caller."""
    async with foundation.database.write(None) as session:
        user_id, organization_id = await administrator(session)
        minted = await mint(session, foundation.cipher)
        wanted = ApiKeyRequest(name=name, scopes=frozenset(Scope))
        await add_api_key(session, minted, wanted, user_id=user_id, organization_id=organization_id)
    return minted.secret


@cli.command("create")
def create(
    admin: Annotated[
        bool, typer.Option("--admin", help="For the built-in administrator, with every scope.")
    ] = False,
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
) -> None:
    """Make a key and print it, this once."""
    if not admin:
        fail("say --admin: other keys are made in the web app or with `createApiKey`.")
    key = run(_create(settings_from_environment(), name))
    typer.echo(key.reveal())


async def _create(settings: Settings, name: str) -> Secret:
    async with laid(settings) as foundation:
        await foundation.prepare()
        async with foundation.database.write(None) as session:
            await bootstrap(session)
        return await create_administrator_key(foundation, name)


@cli.command("list")
def list_keys() -> None:
    """Every API key of the installation, never in clear."""
    table = Table(Column("id", no_wrap=True), "name", "person", "scopes", "made", "state")
    for row in run(_list(settings_from_environment())):
        made = row.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        scopes = ", ".join(row.scopes)
        table.add_row(row.public_id, row.name, row.user_name, scopes, made, _state(row))
    console.print(table)


async def _list(settings: Settings) -> list[Row]:
    async with laid(settings) as foundation:
        await foundation.prepare()
        async with foundation.database.read(None) as session:
            return await api_keys_of_installation(session)


def _state(row: Row) -> str:
    if row.revoked_at is not None:
        return "revoked"
    expired = row.expires_at is not None and row.expires_at <= datetime.now(UTC)
    return "expired" if expired else "valid"


@cli.command("revoke")
def revoke(
    public_id: Annotated[str, typer.Argument(help="The id `keys list` shows (after `fl_`).")],
) -> None:
    """End a key; running servers refuse it within seconds."""
    run(_revoke(settings_from_environment(), public_id))
    console.print(f"The key {public_id} is revoked.")


async def _revoke(settings: Settings, public_id: str) -> None:
    async with laid(settings) as foundation:
        await foundation.prepare()
        async with foundation.database.write(None) as session:
            row = await api_key_by_public_id(session, public_id)
            if row is None:
                raise NotFound(f"There is no key {public_id}.")
            await revoke_api_key(session, None, row.id)


@cli.command("rotate")
def rotate_master_key() -> None:
    """Seal every stored secret anew under the first key of ENCRYPTION_KEY, while servers run."""
    last = run(_rotate(settings_from_environment()))
    if last.lost:
        fail(
            f"{last.lost} secrets open under none of these keys and stay as they are:"
            " add the key that sealed them to ENCRYPTION_KEY and rotate again."
        )
    console.print(
        f"{last.done} secrets were sealed anew. Once no server is left that seals with an older"
        " key, run this again, and take the older keys out of ENCRYPTION_KEY when it finds none."
    )


async def _rotate(settings: Settings) -> Progress:
    async with laid(settings) as foundation:
        await foundation.prepare()
        last = Progress(0, 0, 0)
        with Bar(console=console) as bar:
            task = bar.add_task("Sealing", total=None)
            async for last in rotate(foundation.database, foundation.cipher):
                bar.update(task, completed=last.done, total=last.done + last.left)
    return last


@cli.command("generate")
def generate() -> None:
    """Print a new master key for ENCRYPTION_KEY."""
    typer.echo(generate_master_key().reveal())
