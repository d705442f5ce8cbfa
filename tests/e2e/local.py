"""A provider on this machine and models of it, made through GraphQL."""

from tests.e2e.installation import Installation
from tests.provider.server import FakeProvider

CREATE_PROVIDER = """
mutation ($input: CreateProviderInput!) {
  createProvider(input: $input) {
    ... on CreateProviderPayload { provider { id } }
    ... on Error { message }
  }
}
"""
CREATE_MODEL = """
mutation ($input: CreateModelInput!) {
  createModel(input: $input) {
    ... on CreateModelPayload { model { reference powerLevel } }
    ... on Error { message }
  }
}
"""
PRICE = {"input": "1.00", "output": "4.00"}


async def add_models(installation: Installation, provider: FakeProvider, *names: str) -> str:
    """As `local/<name>`, without a key; returns the provider's id."""
    made = await installation.graphql(
        CREATE_PROVIDER,
        input={"slug": "local", "name": "Local", "type": "CUSTOM", "baseUrl": provider.base_url},
    )
    provider_id: str = made["createProvider"]["provider"]["id"]
    for name in names:
        values = {"provider": provider_id, "name": name, "price": PRICE}
        await installation.graphql(CREATE_MODEL, input=values)
    return provider_id
