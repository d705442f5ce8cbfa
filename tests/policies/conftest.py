"""The world of the policy tests, on the real schema with a real database."""

import pytest

from tests.policies.world import World, build_world
from tests.resolvers.conftest import (
    GraphQL,
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


@pytest.fixture
async def world(graphql: GraphQL) -> World:
    return await build_world(graphql)
