"""Documents about own provider keys, and short ways to send them."""

from typing import Any

from sqlalchemy import select

from db.models.credential import Credential
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

SECRET = "sk-canary-0123456789-wxyz"
OTHER = "sk-another-0123456789-abcd"
SHOWN = "id name owner mask policy state stateReason version provider { slug }"
ERRORS = "__typename ... on Error { message } ... on InvalidInputError { field }"
SAVE = f"""
mutation ($input: SaveByokKeyInput!) {{
  saveByokKey(input: $input) {{
    {ERRORS} ... on SaveByokKeyPayload {{ credential {{ {SHOWN} }} }}
  }}
}}
"""
UPDATE = f"""
mutation ($input: UpdateByokKeyInput!) {{
  updateByokKey(input: $input) {{
    {ERRORS} ... on UpdateByokKeyPayload {{ credential {{ {SHOWN} }} }}
  }}
}}
"""
DELETE = "mutation ($id: ID!) { deleteByokKey(input: {id: $id}) { __typename } }"
ADMINS = """
mutation ($id: ID!) {
  updateCredential(input: {id: $id, weight: 2}) { __typename }
  deleteCredential(input: {id: $id}) { __typename }
}
"""
TEST = """
mutation ($id: ID!) {
  testCredential(input: {id: $id}) {
    __typename ... on Error { message }
    ... on TestCredentialPayload {
      credential { state stateReason } ok httpStatus error latencyMs modelCount
    }
  }
}
"""
CREATE = """
mutation ($input: CreateCredentialInput!) {
  createCredential(input: $input) {
    ... on CreateCredentialPayload { credential { id policy } }
  }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { id } }"
MINE = "{ viewer { byokKeys { nodes { id name } totalCount } user { byokKeys { nodes { id } } } } }"
OURS = "{ viewer { organization { byokKeys { nodes { id } } } } }"
THEIRS = "query ($id: ID!) { user(id: $id) { byokKeys { nodes { name mask } } } }"
LAST_TEST = '{ provider(slug: "fake") { lastTest { ok } credentials { nodes { id } } } }'


async def rows(graphql: GraphQL) -> list[Credential]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(Credential).order_by(Credential.id)))


async def save(graphql: GraphQL, caller: Principal, provider: str, **input: Any) -> Any:
    input = {"provider": provider, "secret": SECRET, **input}
    return (await graphql.data(SAVE, caller, input=input))["saveByokKey"]


async def saved(graphql: GraphQL, caller: Principal, provider: str, **input: Any) -> str:
    """Its id."""
    id: str = (await save(graphql, caller, provider, **input))["credential"]["id"]
    return id


async def update(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(UPDATE, caller, input=input))["updateByokKey"]
