"""Keys that ask for the cache of exact repeats."""

from auth.identity import Authenticator
from auth.secrets import SecretBox
from db.session import Database
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.test_apikey import create


async def test_a_key_asks_for_the_cache_or_does_not(
    graphql: GraphQL, database: Database, cipher: SecretBox, user: Principal
) -> None:
    made = await create(graphql, user, name="app", cacheSeconds=600)
    headers = {"authorization": f"Bearer {made['secret']}"}
    found = await Authenticator(database, cipher).principal(headers)
    assert found is not None
    assert found.cache_seconds == 600

    document = """
    mutation ($input: UpdateApiKeyInput!) {
      updateApiKey(input: $input) {
        ... on UpdateApiKeyPayload { apiKey { cacheSeconds } }
        ... on InvalidInputError { field }
      }
    }"""
    id = made["apiKey"]["id"]
    off = await graphql.data(document, user, input={"id": id, "cacheSeconds": None})
    wrong = await graphql.data(document, user, input={"id": id, "cacheSeconds": 0})

    assert off["updateApiKey"] == {"apiKey": {"cacheSeconds": None}}
    assert wrong["updateApiKey"] == {"field": "cacheSeconds"}
