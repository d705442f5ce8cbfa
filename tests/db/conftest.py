"""The real schema, for tests that need a world in the database."""

from tests.resolvers.conftest import (
    allow_private_hosts,
    cipher,
    completer,
    configuration,
    graphql,
    http,
    observatory,
    probe,
    records,
    schema,
)

__all__ = [
    "allow_private_hosts",
    "cipher",
    "completer",
    "configuration",
    "graphql",
    "http",
    "observatory",
    "probe",
    "records",
    "schema",
]
