"""Asks about API keys, and signs in with them."""

from typing import Any

from auth.identity import Authenticator
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.people import ERROR, FIELD

KEY = """
    id name prefix state scopes allowedModels expiresAt previousUntil
    user { name } organization { slug }
"""


async def ask(graphql: GraphQL, caller: Principal, mutation: str, **input: Any) -> Any:
    kind = f"{mutation[0].upper()}{mutation[1:]}"
    secret = "" if mutation in ("updateApiKey", "revokeApiKey") else "secret"
    field = "" if mutation == "revokeApiKey" else FIELD
    document = (
        f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{"
        f" {ERROR} {field} ... on {kind}Payload {{ {secret} apiKey {{ {KEY} }} }} }} }}"
    )
    return (await graphql.data(document, caller, input=input))[mutation]


async def signed_in(authenticator: Authenticator, secret: str) -> Principal:
    found = await authenticator.principal({"authorization": f"Bearer {secret}"})
    assert found is not None
    return found
