"""Field by caller: no difference to what was read and committed."""

from difflib import unified_diff
from pathlib import Path

import pytest
from sqlalchemy import func, update
from strawberry import Schema

from auth.identity import Authenticator
from auth.keyring import mint
from auth.secrets import SecretBox
from db.models.apikey import ApiKey
from domain.apikey import ApiKeyRequest, add_api_key
from domain.errors import Unauthenticated
from domain.principal import Scope
from schema.node import parse_id
from tests.policies.matrix import nodes, of_nodes, of_roots
from tests.policies.world import OWN, World
from tests.resolvers.conftest import GraphQL

EXPECTED = Path(__file__).with_name("expected.txt")


async def test_every_field_answers_every_caller_as_was_agreed(
    graphql: GraphQL, schema: Schema, world: World, request: pytest.FixtureRequest
) -> None:
    found = [
        *await of_roots(graphql, schema._schema, world),
        *await of_nodes(graphql, schema._schema, world),
    ]
    if request.config.getoption("--write-policies"):
        EXPECTED.write_text("\n".join(found) + "\n")
    expected = EXPECTED.read_text().splitlines()

    assert len(found) > 150
    assert list(unified_diff(expected, found, "agreed", "found", lineterm="", n=0)) == []


def test_what_was_agreed_shows_nobody_what_is_anothers() -> None:
    """Read from the expectation itself, so that writing it anew cannot agree to a leak."""
    strangers = {
        "other": ("user", "organisation's"),
        "home": ("other user",),
        "own": ("other user",),
    }
    leaks = []
    for line in EXPECTED.read_text().splitlines():
        field, _, cells = line.partition(": ")
        answers = dict(cell.split("=") for cell in cells.split(", "))
        for who in ("anonymous", "inference key", *strangers.get(field.partition("@")[2], ())):
            if answers[who] not in ("401", "403", "hidden"):
                leaks.append((field, who, answers[who]))
        # What breaks for everybody shows nothing of who may see it.
        leaks += [(field, who, each) for who, each in answers.items() if each == "error"]
    assert leaks == []


def test_the_world_has_one_of_every_type(schema: Schema, world: World) -> None:
    """A new type with an id needs things of its own in world.py."""
    assert {type_.name for type_ in nodes(schema._schema)} - world.ids.keys() == set()


async def test_an_expired_key_is_nobodys(graphql: GraphQL, cipher: SecretBox, world: World) -> None:
    parsed = parse_id(world.ids["User"][OWN])
    assert parsed is not None
    async with graphql.database.write(None) as session:
        minted = await mint(session, cipher)
        wanted = ApiKeyRequest("expired", frozenset(Scope))
        row = await add_api_key(session, minted, wanted, user_id=parsed[1], organization_id=None)
        await session.execute(
            update(ApiKey).where(ApiKey.id == row.id).values(expires_at=func.now())
        )
    with pytest.raises(Unauthenticated):
        await Authenticator(graphql.database, cipher).principal(
            {"authorization": f"Bearer {minted.secret.reveal()}"}
        )
