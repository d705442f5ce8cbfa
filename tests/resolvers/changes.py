"""For each mutation an input that is done, and one that is refused."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.principal import Principal

if TYPE_CHECKING:
    from tests.resolvers.conftest import GraphQL

SECRET = "sk-canary-0123456789-wxyz"
PRICE = {"input": "2.5", "output": "10"}
Examples = dict[str, tuple[dict[str, Any], dict[str, Any]]]


MAKE = """
mutation (
  $key: CreateCredentialInput!, $own: SaveByokKeyInput!, $model: CreateModelInput!,
  $rules: SetRoutingRulesInput!
) {
  createCredential(input: $key) { ... on CreateCredentialPayload { credential { id } } }
  saveByokKey(input: $own) { ... on SaveByokKeyPayload { credential { id } } }
  createModel(input: $model) { ... on CreateModelPayload { model { id } } }
  createApiKey(input: {name: "first"}) { ... on CreateApiKeyPayload { apiKey { id } } }
  setRoutingRules(input: $rules) { __typename }
  saveRoutingDraft(input: {strategy: LATENCY}) { __typename }
  createOrganization(input: {slug: "acme"}) {
    ... on CreateOrganizationPayload { organization { id } }
  }
  createUser(input: {name: "Ben"}) { ... on CreateUserPayload { user { id } } }
  other: createUser(input: {name: "Cem"}) { ... on CreateUserPayload { user { id } } }
  createWebhook(input: {url: "https://hooks.example/", eventTypes: [RULES_PUBLISHED]}) {
    ... on CreateWebhookPayload { webhook { id } }
  }
}
"""


PAID = """
mutation ($wallet: ID!, $frozen: ID!) {
  creditWallet(input: {wallet: $wallet, amount: "5", reason: "test", idempotencyKey: "paid"}) {
    ... on CreditWalletPayload { entry { id } }
  }
  freezeWallet(input: {wallet: $frozen, reason: "test"}) { __typename }
}
"""
TEST_WEBHOOK = """
mutation ($id: ID!) {
  testWebhook(input: {id: $id}) { ... on TestWebhookPayload { delivery { id } } }
}
"""


async def call(graphql: "GraphQL", caller: Principal, name: str, input: dict[str, Any]) -> str:
    """The type of a mutation's answer."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ __typename }} }}"
    data = await graphql.data(document, caller, input=input)
    return str(data[name]["__typename"])


@dataclass
class World:
    """Ids of one of each."""

    provider: str
    credential: str
    model: str
    api_key: str
    own_key: str
    organization: str
    user: str
    other: str
    webhook: str
    delivery: str
    entry: str
    bare: str
    deaf: str
    home: str


def own_keys(world: World) -> Examples:
    system, own = {"id": world.credential}, {"id": world.own_key}
    new = {"provider": world.provider, "secret": SECRET}
    return {
        "saveByokKey": (new, {**new, "name": ""}),
        "updateByokKey": (
            {**own, "policy": "SYSTEM_THEN_MINE"},
            {**system, "policy": "SYSTEM_THEN_MINE"},
        ),
        "deleteByokKey": (own, system),
        "testCredential": (own, {"id": "bm9wZQ=="}),
    }


def api_keys(world: World) -> Examples:
    key, nowhere = {"id": world.api_key}, {"id": "bm9wZQ=="}
    return {
        "createApiKey": ({"name": "more"}, {"name": "more", "scopes": []}),
        "updateApiKey": ({**key, "name": "renamed"}, {**nowhere, "name": "renamed"}),
        "issueApiKey": (
            {"name": "jobs", "user": world.user},
            {"name": "jobs", "user": world.user, "organization": "bm9wZQ=="},
        ),
        "rotateApiKey": (key, {**key, "overlapSeconds": -1}),
        "revokeApiKey": (key, nowhere),
    }


def people(world: World) -> Examples:
    organization, user = {"id": world.organization}, {"id": world.user}
    member = {"organization": world.organization, "user": world.user}
    other, nobody = {**member, "user": world.other}, {**member, "user": "bm9wZQ=="}
    nowhere, stale = {"id": "bm9wZQ=="}, {"expectedVersion": 7}
    return {
        "createOrganization": ({"slug": "other"}, {"slug": "acme"}),
        "updateOrganization": (
            {**organization, "name": "Acme"},
            {**organization, **stale, "name": "Acme"},
        ),
        "deleteOrganization": (organization, nowhere),
        "createUser": ({"name": "Dee"}, {"name": "Dee", "email": "nowhere"}),
        "updateUser": ({**user, "enabled": False}, {**user, **stale, "enabled": False}),
        "addMember": (other, nobody),
        "updateMember": ({**member, "role": "ADMIN"}, {**other, "role": "ADMIN"}),
        "removeMember": (member, other),
    }


def providers(world: World) -> Examples:
    nowhere, stale = {"id": "bm9wZQ=="}, {"expectedVersion": 7}
    provider, credential = {"id": world.provider}, {"id": world.credential}
    new_key = {"provider": world.provider, "secret": SECRET}
    return {
        "createProvider": ({"slug": "new", "type": "OPENAI"}, {"slug": "A b", "type": "OPENAI"}),
        "updateProvider": ({**provider, "name": "Other"}, {**provider, **stale, "name": "Other"}),
        "deleteProvider": (provider, nowhere),
        "testProvider": (provider, nowhere),
        "createCredential": (new_key, {**new_key, "weight": 0}),
        "updateCredential": ({**credential, "weight": 2}, {**credential, **stale, "weight": 2}),
        "deleteCredential": (credential, nowhere),
    }


def models(world: World) -> Examples:
    nowhere, model = {"id": "bm9wZQ=="}, {"id": world.model}
    new_model = {"provider": world.provider, "name": "large"}
    return {
        "discoverModels": ({"provider": world.provider}, {"provider": "bm9wZQ=="}),
        "refreshCatalogue": ({"provider": world.bare}, {"provider": world.provider}),
        "setModelsEnabled": (
            {"models": [world.model], "enabled": False},
            {"models": [world.model, "bm9wZQ=="], "enabled": False},
        ),
        "applyDiscovery": (
            {"provider": world.provider, "entries": [{"kind": "NEW", "name": "large"}]},
            {"provider": world.provider, "entries": [{"kind": "NEW", "name": "small"}]},
        ),
        "createModel": (new_model, {**new_model, "name": "small"}),
        "updateModel": ({**model, "quality": 0.7}, {**model, "quality": 7.0}),
        "deleteModel": (model, nowhere),
        "setModelPrice": (
            {"model": world.model, "price": PRICE},
            {"model": world.model, "price": PRICE, "validFrom": "2020-01-01T00:00:00Z"},
        ),
    }


def webhooks(world: World) -> Examples:
    hook, nowhere = {"id": world.webhook}, {"id": "bm9wZQ=="}
    new = {"url": "https://hooks.example/", "eventTypes": ["PRICE_CHANGED"]}
    return {
        "createWebhook": (new, {**new, "url": "http://hooks.example/"}),
        "updateWebhook": ({**hook, "name": "x"}, {**hook, "name": "x", "expectedVersion": 7}),
        "deleteWebhook": (hook, nowhere),
        "rotateWebhookSecret": (hook, {**hook, "overlapHours": -1}),
        "testWebhook": (hook, nowhere),
        "replayWebhookDelivery": ({"id": world.delivery}, nowhere),
    }


def money(world: World) -> Examples:
    wallet, nowhere = {"wallet": world.user}, {"wallet": "bm9wZQ=="}
    told = {"reason": "test", "idempotencyKey": "k-1"}
    moved = {**wallet, **told, "amount": "1"}
    return {
        "creditWallet": (moved, {**moved, "amount": "-1"}),
        "adjustWallet": (moved, {**moved, "amount": "-1"}),
        "refundTransfer": ({**told, "entry": world.entry}, {**told, "entry": "bm9wZQ=="}),
        "setCreditLimit": ({**wallet, "creditLimit": "2"}, {**nowhere, "creditLimit": "2"}),
        "freezeWallet": ({**wallet, "reason": "test"}, {**wallet, "reason": ""}),
        "unfreezeWallet": ({"wallet": world.organization}, nowhere),
        "updateCreditSettings": ({"markupBasisPoints": 100}, {"markupBasisPoints": -1}),
        "setLimits": (
            {"owner": world.api_key, "limits": {"spendPerDay": "1"}},
            {"owner": "bm9wZQ==", "limits": {"spendPerDay": "1"}},
        ),
    }


def examples(world: World) -> Examples:
    """For each mutation an input that is done, and one that is refused."""
    return {
        **own_keys(world),
        **api_keys(world),
        **people(world),
        **providers(world),
        **models(world),
        **webhooks(world),
        **money(world),
        "setRoutingRules": ({"strategy": "LATENCY"}, {"strategy": "CUSTOM"}),
        "saveRoutingDraft": ({"strategy": "COST"}, {"expectedRevision": 7}),
        "publishRoutingRules": ({}, {"expectedVersion": 7}),
        "discardRoutingDraft": ({}, {"expectedRevision": 7}),
        "rollbackRoutingRules": ({"version": 1}, {"version": 9}),
        "setUsageRetention": ({"days": 30}, {"days": 0}),
        "updateSettings": ({"powerLevel": "ECO"}, {}),
    }
