"""Runs documents on the real schema with a real database, configuration and cipher."""

import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from strawberry import Schema
from strawberry.types import ExecutionResult

from auth.identity import Authenticator
from auth.secrets import SecretBox, generate_master_key
from db.models.user import Membership, Organization, User
from db.session import Database
from domain.health import Observatory
from domain.hub import Hub
from domain.ports import Completer, ProbeLater
from domain.principal import MemberRole, Principal, Role, Scope
from gateway.configuration import RunningConfiguration
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.probe import HttpProbe
from resolvers.root import build_schema
from schema.context import Context
from schema.node import NOBODY, global_id
from tests.gateway.ports import Records
from tests.provider.server import FakeProvider
from tests.resolvers.changes import MAKE, PAID, SECRET, TEST_WEBHOOK, World, call
from tests.resolvers.completing import completer_of

ALL_SCOPES = frozenset(Scope)


class GraphQL:
    """Executes documents; each call has a context of its own, as each request has."""

    def __init__(
        self,
        schema: Schema,
        database: Database,
        configuration: RunningConfiguration,
        cipher: SecretBox,
        probe: HttpProbe,
        allow_private_hosts: frozenset[str],
        completer: Completer,
    ) -> None:
        self.schema = schema
        self.database = database
        self.configuration = configuration
        self.cipher = cipher
        self.probe = probe
        self.allow_private_hosts = allow_private_hosts
        self.completer = completer
        self.asked_for: list[tuple[uuid.UUID, uuid.UUID | None]] = []
        """Tests of providers that were asked for; they would call out."""
        self.probe_later: ProbeLater = lambda *asked: self.asked_for.append(
            (asked[0], asked[1] if len(asked) > 1 else None)
        )

    def context(self, caller: Principal | None) -> Context:
        return Context(
            self.database,
            caller,
            self.configuration,
            self.cipher,
            self.probe,
            Hub(),
            self.allow_private_hosts,
            probe_later=self.probe_later,
            completer=self.completer,
        )

    async def __call__(
        self, document: str, caller: Principal | None, **variables: Any
    ) -> ExecutionResult:
        result = await self.schema.execute(
            document, variable_values=variables, context_value=self.context(caller)
        )
        assert isinstance(result, ExecutionResult)
        return result

    async def data(self, document: str, caller: Principal | None, **variables: Any) -> Any:
        """The data of a document that must have no errors."""
        result = await self(document, caller, **variables)
        assert result.errors is None, result.errors
        return result.data

    async def codes(self, document: str, caller: Principal | None, **variables: Any) -> list[Any]:
        """The codes of a document's top-level errors."""
        result = await self(document, caller, **variables)
        return [(error.extensions or {}).get("code") for error in result.errors or ()]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every statement sent to the database meanwhile."""
        sent: list[str] = []
        engine = self.database.engine.sync_engine

        def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            sent.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        yield sent
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def schema() -> Schema:
    return build_schema()


@pytest.fixture(scope="session")
def cipher() -> SecretBox:
    return SecretBox([generate_master_key()])


@pytest.fixture
def observatory() -> Observatory:
    return Observatory(time.time, seed=1, interval=0.0)


@pytest.fixture
async def configuration(database: Database, observatory: Observatory) -> RunningConfiguration:
    """Loaded once; `refresh` brings it up to date."""
    running = RunningConfiguration(database, observatory)
    await running.refresh()
    return running


@pytest.fixture
def authenticator(
    database: Database, cipher: SecretBox, configuration: RunningConfiguration
) -> Authenticator:
    """Told of changes as a serving process is."""
    found = Authenticator(database, cipher)
    configuration.listen(found.forget)
    return found


@pytest.fixture
def allow_private_hosts(fake_provider: FakeProvider) -> frozenset[str]:
    """What the operator lists: the fake provider."""
    return frozenset({fake_provider.host_port})


@pytest.fixture
async def http(allow_private_hosts: frozenset[str]) -> AsyncIterator[HttpClient]:
    http = HttpClient(AddressGuard(allow_private_hosts))
    yield http
    await http.close()


@pytest.fixture
def probe(http: HttpClient) -> HttpProbe:
    return HttpProbe(http)


@pytest.fixture
def records() -> Records:
    """What requests that came by GraphQL left for the spool."""
    return Records()


@pytest.fixture
def completer(
    configuration: RunningConfiguration,
    records: Records,
    cipher: SecretBox,
    http: HttpClient,
    observatory: Observatory,
) -> Completer:
    """The data plane's own."""
    return completer_of(configuration, records, cipher, http, observatory)


@pytest.fixture
def graphql(
    schema: Schema,
    database: Database,
    configuration: RunningConfiguration,
    cipher: SecretBox,
    probe: HttpProbe,
    allow_private_hosts: frozenset[str],
    completer: Completer,
) -> GraphQL:
    return GraphQL(schema, database, configuration, cipher, probe, allow_private_hosts, completer)


async def make_principal(database: Database, role: Role, name: str) -> Principal:
    """A person in an organisation of their own, with every scope."""
    organization = Organization(slug=name, name=name.title())
    user = User(issuer="fairlead", subject=name, name=name.title(), role=role)
    async with database.write(None) as session:
        session.add_all([organization, user])
        await session.flush()
        session.add(
            Membership(
                organization_id=organization.id, user_id=user.id, role="MEMBER", origin="MANUAL"
            )
        )
    return Principal(
        user_id=user.id,
        role=role,
        scopes=ALL_SCOPES,
        organization_id=organization.id,
        organization_role=MemberRole.MEMBER,
    )


@pytest.fixture
async def admin(database: Database) -> Principal:
    return await make_principal(database, Role.ADMIN, "ada")


@pytest.fixture
async def user(database: Database) -> Principal:
    return await make_principal(database, Role.USER, "uma")


CREATE_PROVIDER = """
mutation ($input: CreateProviderInput!) {
  createProvider(input: $input) { ... on CreateProviderPayload { provider { id } } }
}
"""


async def add_provider(graphql: GraphQL, caller: Principal, slug: str, **input: Any) -> str:
    """Make a provider; its id."""
    input = {"slug": slug, "type": "OPENAI", **input}
    data = await graphql.data(CREATE_PROVIDER, caller, input=input)
    id: str = data["createProvider"]["provider"]["id"]
    return id


@pytest.fixture
async def provider(graphql: GraphQL, admin: Principal) -> str:
    """The id of a provider `openai`."""
    return await add_provider(graphql, admin, "openai")


@pytest.fixture
async def world(graphql: GraphQL, admin: Principal, fake_provider: FakeProvider) -> World:
    provider = await add_provider(
        graphql, admin, "fake", type="CUSTOM", baseUrl=fake_provider.base_url
    )
    made = await graphql.data(
        MAKE,
        admin,
        key={"provider": provider, "secret": SECRET},
        own={"provider": provider, "secret": SECRET},
        model={"provider": provider, "name": "small"},
        rules={"strategy": "COST"},
    )
    webhook = made["createWebhook"]["webhook"]["id"]
    organization, other = (
        made["createOrganization"]["organization"]["id"],
        made["other"]["user"]["id"],
    )
    paid = await graphql.data(PAID, admin, wallet=other, frozen=organization)
    return World(
        provider,
        made["createCredential"]["credential"]["id"],
        made["createModel"]["model"]["id"],
        made["createApiKey"]["apiKey"]["id"],
        made["saveByokKey"]["credential"]["id"],
        organization,
        made["createUser"]["user"]["id"],
        other,
        webhook,
        await delivered(graphql, admin, webhook),
        paid["creditWallet"]["entry"]["id"],
        await add_provider(graphql, admin, "bare"),
        await add_provider(graphql, admin, "deaf", type="CUSTOM", baseUrl="https://deaf.invalid"),
        global_id("Organization", admin.organization_id or NOBODY),
    )


async def delivered(graphql: GraphQL, admin: Principal, webhook: str) -> str:
    """A delivery that has ended."""
    made = await graphql.data(TEST_WEBHOOK, admin, id=webhook)
    async with graphql.database.write(None) as session:
        await session.execute(text("UPDATE webhook_deliveries SET state = 'DELIVERED'"))
    return str(made["testWebhook"]["delivery"]["id"])


@pytest.fixture
async def member(graphql: GraphQL, admin: Principal, world: World) -> dict[str, str]:
    """Where a person was put by hand."""
    input = {"organization": world.organization, "user": world.user}
    await call(graphql, admin, "addMember", input)
    return input
