"""For each mutation an input that is done, and one that is refused."""

from dataclasses import dataclass
from typing import Any

SECRET = "sk-canary-0123456789-wxyz"
PRICE = {"input": "2.5", "output": "10"}
Examples = dict[str, tuple[dict[str, Any], dict[str, Any]]]


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


def examples(world: World) -> Examples:
    """For each mutation an input that is done, and one that is refused."""
    return {
        **own_keys(world),
        **api_keys(world),
        **people(world),
        **providers(world),
        **models(world),
        **webhooks(world),
        "setRoutingRules": ({"strategy": "LATENCY"}, {"strategy": "CUSTOM"}),
        "saveRoutingDraft": ({"strategy": "COST"}, {"expectedRevision": 7}),
        "publishRoutingRules": ({}, {"expectedVersion": 7}),
        "discardRoutingDraft": ({}, {"expectedRevision": 7}),
        "rollbackRoutingRules": ({"version": 1}, {"version": 9}),
        "updateSettings": ({"powerLevel": "ECO"}, {}),
    }
