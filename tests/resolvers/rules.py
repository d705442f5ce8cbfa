"""Publishes routing rules, and tells what is kept of them."""

from typing import Any

from graphql import GraphQLError
from sqlalchemy import select

from db.models.configuration import ConfigChange
from db.models.model import Model
from db.models.provider import Provider
from db.models.rule import RoutingRule
from db.session import Database
from domain.errors import FairleadError
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

SETTINGS = """
    strategy weights { cost latency quality } aliases { name targets fallbacks strategy }
    fallbacks defaultLevel ecoBelow precisionFrom maxAttempts priorityTiers regions
    contentFilterFallback
"""
ERROR = """
    __typename
    ... on Error { code message }
    ... on InvalidInputError { field }
"""
SET = f"""
mutation ($input: SetRoutingRulesInput!) {{
  setRoutingRules(input: $input) {{
    {ERROR}
    ... on SetRoutingRulesPayload {{
      rules {{ version decides settings {{ {SETTINGS} }}
               live {{ state note author {{ name }} }} }}
    }}
  }}
}}
"""


async def stock(database: Database) -> None:
    """`local/small`, `local/large` and `local/meta/open`, whose canonical name is `open`."""
    provider = Provider(
        slug="local", name="Local", type="CUSTOM", base_url="https://x.test", options={}
    )
    async with database.write(None) as session:
        session.add(provider)
        await session.flush()
        session.add_all(
            Model(
                provider_id=provider.id,
                name=name,
                canonical_name=name.rpartition("/")[2],
                display_name=name,
            )
            for name in ("small", "large", "meta/open")
        )


async def put(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(SET, caller, input=input))["setRoutingRules"]


async def refusals(
    graphql: GraphQL, document: str, caller: Principal | None, **variables: Any
) -> list[str | None]:
    """Codes of top-level errors, those of our own errors as the front door shows them."""
    result = await graphql(document, caller, **variables)
    return [_code(error) for error in result.errors or ()]


def _code(error: GraphQLError) -> str | None:
    if isinstance(error.original_error, FairleadError):
        return error.original_error.code
    return (error.extensions or {}).get("code")


async def kept(graphql: GraphQL) -> list[tuple[int, str]]:
    """(version, state) of everything stored."""
    async with graphql.database.read(None) as session:
        found = await session.execute(
            select(RoutingRule.version, RoutingRule.state).order_by(RoutingRule.version)
        )
        return [(row.version, row.state) for row in found]


async def changes(graphql: GraphQL) -> list[str]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(ConfigChange.kind).order_by(ConfigChange.number)))
