"""The real schema, for tests that need a world in the database."""

from tests.resolvers.conftest import (
    allow_private_hosts,
    cipher,
    configuration,
    graphql,
    observatory,
    probe,
    schema,
)

__all__ = [
    "allow_private_hosts",
    "cipher",
    "configuration",
    "graphql",
    "observatory",
    "probe",
    "schema",
]
