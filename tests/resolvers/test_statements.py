"""No N+1: a document sends as many statements for a page of 100 as for a page of 1."""

import pytest
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, parse, visit
from strawberry import Schema
from strawberry.types.base import StrawberryObjectDefinition

from db.session import Database
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.seeds import seed, seed_people
from tests.resolvers.test_apikey import LIST as KEYS
from tests.resolvers.test_audit_log import LOG
from tests.resolvers.test_configuration import APPLIED
from tests.resolvers.test_discovery import DISCOVER
from tests.resolvers.test_provider_health import FOLLOW
from tests.resolvers.test_rule import RULES, VERSIONS
from tests.resolvers.test_rule_draft import SAVE
from tests.resolvers.test_rule_scope import RULES as SCOPED
from tests.resolvers.test_rule_view import DIFF
from tests.resolvers.test_usage_statements import RECORDS, SUMS
from tests.resolvers.test_wallet import LEDGER
from tests.resolvers.webhooks import WEBHOOKS

MODEL = """
  id reference powerLevel health { state }
  provider { slug }
  currentPrice { input }
  prices(first: $n) { totalCount nodes { input } edges { node { output } } }
"""
DOCUMENTS = {
    "viewer": """
    query ($n: Int) {
      viewer {
        user {
          name wallet { balance }
          byokKeys(first: $n) { totalCount nodes { mask } edges { cursor } }
        }
        organization { name wallet { balance } byokKeys(first: $n) { nodes { mask } } }
        byokKeys(first: $n) { nodes { policy provider { slug } } }
        wallet { balance }
        settings { powerLevel }
        memberships(first: $n) { totalCount nodes { role } }
      }
    }""",
    "users": """
    query ($n: Int) {
      users(first: $n) {
        totalCount
        nodes {
          name settings { powerLevel } wallet { balance } byokKeys(first: $n) { nodes { mask } }
          memberships(first: $n) { totalCount nodes { organization { slug } } }
        }
      }
    }""",
    "organizations": """
    query ($n: Int) {
      organizations(first: $n) {
        totalCount
        nodes {
          slug wallet { balance } byokKeys(first: $n) { nodes { mask } }
          members(first: $n) { totalCount nodes { role user { name } } }
        }
      }
    }""",
    "models": f"""
    query ($n: Int) {{
      models(first: $n) {{ totalCount nodes {{ {MODEL} }} edges {{ node {{ name }} }} }}
    }}""",
    "providers": f"""
    query ($n: Int) {{
      providers(first: $n) {{
        totalCount
        edges {{ node {{ slug }} }}
        nodes {{
          slug
          lastTest {{ ok }}
          health {{ state }}
          models(first: $n) {{ totalCount nodes {{ {MODEL} }} edges {{ node {{ name }} }} }}
          credentials(first: $n) {{
            totalCount nodes {{ mask provider {{ slug }} }} edges {{ node {{ mask }} }}
          }}
        }}
      }}
    }}""",
}
"""With COUNTED_THERE they take every edge of the schema."""

SHARED = ("Query", "Mutation", "Subscription", "Connection", "UsageEvent")
"""Types whose fields are no edges of their own."""

COUNTED_THERE = (
    *(DISCOVER, FOLLOW, LEDGER, LOG, KEYS, RECORDS, SUMS, WEBHOOKS),
    *(APPLIED, DIFF, RULES, SAVE, SCOPED, VERSIONS),
)
"""Documents whose statements are counted in the tests of their nouns."""


async def sent(graphql: GraphQL, caller: Principal, document: str, n: int) -> list[str]:
    with graphql.statements() as statements:
        await graphql.data(document, caller, n=n)
    return statements


@pytest.mark.parametrize("document", ["users", "organizations"])
async def test_as_many_statements_for_a_hundred_people_as_for_one(
    graphql: GraphQL, database: Database, admin: Principal, document: str
) -> None:
    await seed_people(database, 100)

    many = await sent(graphql, admin, DOCUMENTS[document], 100)
    one = await sent(graphql, admin, DOCUMENTS[document], 1)

    assert len(many) == len(one)


@pytest.mark.parametrize("document", ["models", "providers"])
async def test_as_many_statements_for_a_hundred_as_for_one(
    graphql: GraphQL, database: Database, admin: Principal, document: str
) -> None:
    await seed(database, 100)
    await graphql.configuration.refresh()

    many = await sent(graphql, admin, DOCUMENTS[document], 100)
    one = await sent(graphql, admin, DOCUMENTS[document], 1)

    assert len(many) == len(one)


async def test_nodes_of_one_type_are_one_statement(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    await seed(database, 50)
    data = await graphql.data("{ models(first: 100) { nodes { id } } }", admin)
    ids = [node["id"] for node in data["models"]["nodes"]]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Model { name } } }"

    counts = []
    for some in (ids[:1], ids):
        with graphql.statements() as statements:
            await graphql.data(document, admin, ids=some)
        counts.append(len(statements))

    assert len(ids) == 100
    assert counts[0] == counts[1]


def test_the_documents_take_every_edge(schema: Schema) -> None:
    """An edge that nobody counted could be one statement for each row."""
    edges = set()
    for entry in schema.schema_converter.type_map.values():
        definition = entry.definition
        if isinstance(definition, StrawberryObjectDefinition):
            name = schema.config.name_converter.from_type(definition)
            for field in definition.fields:
                if field.base_resolver is not None and not name.endswith(SHARED):
                    edges.add(f"{name}.{schema.config.name_converter.from_field(field)}")

    assert edges == taken(schema) & edges


def taken(schema: Schema) -> set[str]:
    """`Type.field` of everything in the documents."""
    info = TypeInfo(schema._schema)
    found = set()

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            found.add(f"{info.get_parent_type()}.{node.name.value}")

    for document in (*DOCUMENTS.values(), *COUNTED_THERE):
        visit(parse(document), TypeInfoVisitor(info, Collect()))
    return found
