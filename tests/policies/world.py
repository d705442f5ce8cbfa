"""Two organisations with people and one of everything, each thing marked by whose it is."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from uuid_utils.compat import uuid7

from auth.keyring import mint
from db.models.apikey import ApiKey
from db.models.credential import Credential
from db.models.model import Model, Price
from db.models.provider import Provider
from db.models.rule import RoutingRule
from db.models.user import Membership, Organization, User
from db.models.webhook import Webhook, WebhookDelivery
from db.queries.audit import entries_after
from db.queries.configuration import record_change
from db.queries.settlement import Settlements
from domain.principal import MemberRole, Principal, Role, Scope
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.usage import usage_row

OWN, HOME, OTHER, HOUSE = "own", "home", "other", "house"
"""Of the user, of the organisation they are in, of somebody in another one, of nobody."""


@dataclass(frozen=True)
class World:
    """`ids`: global ids by type and by whose they are."""

    callers: Mapping[str, Principal | None]
    ids: Mapping[str, Mapping[str, str]]

    def foreign(self) -> list[str]:
        return [found[OTHER] for found in self.ids.values() if OTHER in found]


def mark(whose: str) -> str:
    """What every text of theirs holds."""
    return f"canary-{whose}"


def _person(whose: str, role: str = "USER") -> User:
    return User(
        id=uuid7(),
        issuer="https://id.example",
        subject=mark(whose),
        name=mark(whose),
        email=f"{mark(whose)}@example.com",
        role=role,
    )


def _key(whose: str, pepper: uuid.UUID, user: User, organization: Organization) -> ApiKey:
    return ApiKey(
        id=uuid7(),
        public_id=f"{whose:x<12}",
        hash=b"",
        pepper_id=pepper,
        name=mark(whose),
        user_id=user.id,
        organization_id=organization.id,
        scopes=["READ"],
    )


def _credential(whose: str, provider: Provider, kind: str, owner: uuid.UUID | None) -> Credential:
    return Credential(
        id=uuid7(),
        provider_id=provider.id,
        owner_kind=kind,
        owner_id=owner,
        name=mark(whose),
        ciphertext=b"",
        master_key_id="",
        destination="https://x.example",
        mask="",
        fingerprint=mark(whose),
    )


def _rule(whose: str, scope: str, scope_id: uuid.UUID | None) -> RoutingRule:
    return RoutingRule(
        id=uuid7(),
        scope=scope,
        scope_id=scope_id,
        version=1,
        state="LIVE",
        body={"strategy": "COST"},
        note=mark(whose),
    )


def _webhook(whose: str, organization: Organization | None) -> Webhook:
    return Webhook(
        id=uuid7(),
        organization_id=None if organization is None else organization.id,
        name=mark(whose),
        url=f"https://{mark(whose)}.example",
        event_types=[],
    )


def _principal(user: User, place: Organization | None, role: MemberRole | None) -> Principal:
    return Principal(
        user_id=user.id,
        role=Role(user.role),
        scopes=frozenset(Scope),
        organization_id=None if place is None else place.id,
        organization_role=role,
    )


class Builder:
    """Adds rows in the order of their references, and remembers their ids."""

    def __init__(self, graphql: GraphQL) -> None:
        self.graphql = graphql
        self.ids: dict[str, dict[str, str]] = {}

    async def add(self, **rows: Any) -> None:
        async with self.graphql.database.write(None) as session:
            session.add_all(rows.values())
        for whose, row in rows.items():
            self.note(type(row).__name__, whose, row.id)

    def note(self, type_name: str, whose: str, key: uuid.UUID) -> None:
        self.ids.setdefault(type_name, {})[whose] = global_id(type_name, key)


async def build_world(graphql: GraphQL) -> World:
    made = Builder(graphql)
    own, other, admin, boss = (
        _person(OWN),
        _person(OTHER),
        _person("admin", "ADMIN"),
        _person(HOME),
    )
    home, away = (
        Organization(id=uuid7(), slug=mark(whose), name=mark(whose)) for whose in (HOME, OTHER)
    )
    await made.add(own=own, other=other, admin=admin, home=boss)
    await made.add(home=home, other=away)
    async with graphql.database.write(None) as session:
        for person, place, role in (
            (own, home, "MEMBER"),
            (boss, home, "ADMIN"),
            (other, away, "ADMIN"),
        ):
            keys = {"organization_id": place.id, "user_id": person.id}
            session.add(Membership(**keys, role=role, origin="MANUAL"))
    await _things(made, {OWN: own, HOME: boss, OTHER: other}, {HOME: home, OTHER: away})
    member, governor = MemberRole.MEMBER, MemberRole.ADMIN
    user = _principal(own, home, member)
    callers: dict[str, Principal | None] = {
        "anonymous": None,
        "user": user,
        "other user": _principal(other, away, member),
        "organisation's": _principal(boss, home, governor),
        "administrator": _principal(admin, None, None),
        "inference key": replace(user, scopes=frozenset({Scope.INFERENCE})),
    }
    await _moved(made, callers["administrator"])
    return World(callers, made.ids)


async def _things(
    made: Builder, people: Mapping[str, User], places: Mapping[str, Organization]
) -> None:
    provider = Provider(id=uuid7(), slug="p", name="P", type="OPENAI", base_url="https://x.example")
    await made.add(house=provider)
    model = Model(
        id=uuid7(), provider_id=provider.id, name="m", canonical_name="m", display_name="M"
    )
    await made.add(house=model)
    since = datetime(2020, 1, 1, tzinfo=UTC)
    price = Price(model_id=model.id, valid_from=since, input=1, output=2, source="test")
    price.id = uuid7()
    await made.add(house=price)
    async with made.graphql.database.write(None) as session:
        pepper = (await mint(session, made.graphql.cipher)).pepper_id
    homes = {OWN: places[HOME], HOME: places[HOME], OTHER: places[OTHER]}
    await made.add(
        **{whose: _key(whose, pepper, user, homes[whose]) for whose, user in people.items()}
    )
    await made.add(
        own=_credential(OWN, provider, "USER", people[OWN].id),
        home=_credential(HOME, provider, "ORGANIZATION", places[HOME].id),
        other=_credential(OTHER, provider, "USER", people[OTHER].id),
        house=_credential(HOUSE, provider, "SYSTEM", None),
    )
    rules = {
        OWN: _rule(OWN, "USER", people[OWN].id),
        HOME: _rule(HOME, "ORGANIZATION", places[HOME].id),
        OTHER: _rule(OTHER, "ORGANIZATION", places[OTHER].id),
        HOUSE: _rule(HOUSE, "GLOBAL", None),
    }
    await made.add(**rules)
    made.ids["RoutingRuleVersion"] = {
        whose: global_id("RoutingRuleVersion", row.id) for whose, row in rules.items()
    }
    await _hooks(made, places)
    await _used(made, people, homes)


async def _hooks(made: Builder, places: Mapping[str, Organization]) -> None:
    hooks = {
        HOME: _webhook(HOME, places[HOME]),
        OTHER: _webhook(OTHER, places[OTHER]),
        HOUSE: _webhook(HOUSE, None),
    }
    await made.add(**hooks)
    await made.add(
        **{
            whose: WebhookDelivery(
                id=uuid7(),
                webhook_id=hook.id,
                event_id=uuid7(),
                event_type="rules.published",
                body=f'{{"data": "{mark(whose)}"}}',
            )
            for whose, hook in hooks.items()
        }
    )


async def _used(
    made: Builder, people: Mapping[str, User], homes: Mapping[str, Organization]
) -> None:
    rows = {
        whose: usage_row(
            user_id=user.id,
            organization_id=homes[whose].id,
            requested_model=mark(whose),
            model_name=mark(whose),
            decision=None,
        )
        for whose, user in people.items()
    }
    await Settlements(made.graphql.database).settle(list(rows.values()))
    for whose, row in rows.items():
        made.note("UsageRecord", whose, row.id)


CREDIT = """
mutation ($input: CreditWalletInput!) {
  creditWallet(input: $input) {
    __typename ... on CreditWalletPayload { entry { id } wallet { id } }
  }
}
"""


async def _moved(made: Builder, admin: Principal | None) -> None:
    """Money for each, by the administrator; and what the log then says."""
    graphql = made.graphql
    owners = (
        (OWN, made.ids["User"][OWN]),
        (HOME, made.ids["Organization"][HOME]),
        (OTHER, made.ids["User"][OTHER]),
    )
    for whose, owner in owners:
        input = {"wallet": owner, "amount": "1", "reason": mark(whose), "idempotencyKey": whose}
        data = (await graphql.data(CREDIT, admin, input=input))["creditWallet"]
        made.ids.setdefault("WalletEntry", {})[whose] = data["entry"]["id"]
        made.ids.setdefault("Wallet", {})[whose] = data["wallet"]["id"]
    async with graphql.database.write(None) as session:
        await record_change(session, "rule", None)
    async with graphql.database.read(None) as session:
        entry = (await entries_after(session, 0, 1))[0]
    made.note("AuditEntry", HOUSE, entry.id)
    made.ids.pop("RoutingRule", None)
    await graphql.configuration.refresh()
