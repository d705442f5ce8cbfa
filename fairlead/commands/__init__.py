"""Every command, on one typer application."""

import typer

from fairlead.commands import audit, database, keys, schema, serve, usage

cli = typer.Typer(
    name="fairlead",
    help="Where an organisation's LLM traffic is governed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cli.command("serve")(serve.serve)
cli.command("migrate")(database.migrate_command)
cli.command("seed")(database.seed_command)
cli.command("export-schema")(schema.export_schema)
cli.add_typer(keys.cli, name="keys")
cli.add_typer(audit.cli, name="audit")
cli.add_typer(usage.cli, name="usage")
