"""`fairlead export-schema`: the published contract, from the code."""

from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.running import fail
from resolvers.root import build_schema


def export_schema(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether schema/schema.graphql is current.")
    ] = False,
) -> None:
    """Print the GraphQL schema."""
    text = build_schema().as_str() + "\n"
    if not check:
        typer.echo(text, nl=False)
    elif Path("schema/schema.graphql").read_text() != text:
        fail("schema/schema.graphql is not current: run `make schema` and look at what changed.")
