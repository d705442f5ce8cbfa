"""Documents about webhooks, and short ways to send them."""

from typing import Any

from sqlalchemy import select

from db.models.webhook import WebhookDelivery
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

URL = "https://hooks.example/fairlead?token=canary"
SHOWN = """
  id name url eventTypes enabled disabledReason failingSince version organization { slug }
"""
DELIVERY = """
  id eventId eventType state payload attempts { at status latencyMs error } nextAttemptAt replayOf
  createdAt webhook { name }
"""
ERRORS = "__typename ... on Error { message } ... on InvalidInputError { field }"
CREATE = f"""
mutation ($input: CreateWebhookInput!) {{
  createWebhook(input: $input) {{
    {ERRORS} ... on CreateWebhookPayload {{ secret webhook {{ {SHOWN} }} }}
  }}
}}
"""
UPDATE = f"""
mutation ($input: UpdateWebhookInput!) {{
  updateWebhook(input: $input) {{
    {ERRORS} ... on UpdateWebhookPayload {{ webhook {{ {SHOWN} }} }}
  }}
}}
"""
ROTATE = f"""
mutation ($input: RotateWebhookSecretInput!) {{
  rotateWebhookSecret(input: $input) {{ {ERRORS} ... on RotateWebhookSecretPayload {{ secret }} }}
}}
"""
DELETE = "mutation ($id: ID!) { deleteWebhook(input: {id: $id}) { __typename } }"
TEST = f"""
mutation ($id: ID!) {{
  testWebhook(input: {{id: $id}}) {{
    __typename ... on Error {{ message }} ... on TestWebhookPayload {{ delivery {{ {DELIVERY} }} }}
  }}
}}
"""
REPLAY = f"""
mutation ($input: ReplayWebhookDeliveryInput!) {{
  replayWebhookDelivery(input: $input) {{
    {ERRORS} ... on ReplayWebhookDeliveryPayload {{ delivery {{ {DELIVERY} }} }}
  }}
}}
"""
WEBHOOKS = f"""
query ($n: Int, $filter: WebhookFilter, $deliveries: WebhookDeliveryFilter) {{
  webhooks(first: $n, filter: $filter) {{
    totalCount
    edges {{ cursor node {{ id }} }}
    nodes {{
      {SHOWN}
      deliveries(first: $n, filter: $deliveries) {{
        totalCount edges {{ cursor }} nodes {{ {DELIVERY} }}
      }}
    }}
  }}
}}
"""
NODE = "query ($id: ID!) { node(id: $id) { id } }"


async def create(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    given = {"url": URL, "eventTypes": ["RULES_PUBLISHED"], **input}
    return (await graphql.data(CREATE, caller, input=given))["createWebhook"]


async def created(graphql: GraphQL, caller: Principal, **input: Any) -> str:
    """Make a webhook; its id."""
    id: str = (await create(graphql, caller, **input))["webhook"]["id"]
    return id


async def seen(graphql: GraphQL, caller: Principal, **filter: Any) -> list[str]:
    """The names of the webhooks that the caller sees."""
    found = await graphql.data(WEBHOOKS, caller, filter=filter)
    return [each["name"] for each in found["webhooks"]["nodes"]]


async def sent(graphql: GraphQL) -> list[WebhookDelivery]:
    """All deliveries, the oldest first."""
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))
