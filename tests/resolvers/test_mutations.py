"""Each failure that a mutation's union names can be had, and changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from graphql import GraphQLUnionType, get_named_type
from sqlalchemy import text

from domain.principal import Principal
from tests.resolvers.changes import World, call, examples
from tests.resolvers.conftest import GraphQL
from tests.schema.test_mutations import MUTATIONS, RECORDED_AS_USAGE, input_of

NOWHERE = "bm9wZQ=="
Steps = list[tuple[str, dict[str, Any]]]
"""Mutations and inputs, sent in turn; the last fails as it should."""


def errors_of(name: str) -> list[str]:
    union = get_named_type(MUTATIONS[name].type)
    assert isinstance(union, GraphQLUnionType)
    return [each.name for each in union.types[1:]]


def special(world: World, done: dict[str, Any]) -> Mapping[tuple[str, str], Steps]:
    """What follows from no rule below, by what must be so before."""
    named: Steps = [("setRoutingRules", {"strategy": "COST", "fallbacks": ["fake/small"]})]
    own = {"id": world.own_key, "enabled": False}
    quiet: Steps = [("updateWebhook", {"id": world.webhook, "enabled": False})]
    lost = {"wallet": world.other, "amount": "-4", "reason": "x", "idempotencyKey": "k-2"}
    bare, first = {"id": world.bare}, ("updateSettings", {"powerLevel": "ECO"})
    clash = {"provider": world.provider, "entries": [{"kind": "NEW", "name": "small"}]}
    return {
        ("createProvider", "ConflictError"): [("createProvider", {**done, "slug": "fake"})],
        ("deleteProvider", "ConflictError"): [*named, ("deleteProvider", done)],
        ("deleteModel", "ConflictError"): [*named, ("deleteModel", done)],
        ("testProvider", "ConflictError"): [("testProvider", bare)],
        ("discoverModels", "ConflictError"): [("discoverModels", {"provider": world.bare})],
        ("discoverModels", "ProviderError"): [("discoverModels", {"provider": world.deaf})],
        ("refreshCatalogue", "ConflictError"): [("refreshCatalogue", {"provider": world.provider})],
        ("applyDiscovery", "InvalidInputError"): [("applyDiscovery", {**done, "entries": []})],
        ("applyDiscovery", "ConflictError"): [("applyDiscovery", clash)],
        ("setModelsEnabled", "InvalidInputError"): [("setModelsEnabled", {**done, "models": []})],
        ("setModelsEnabled", "NotFoundError"): [("setModelsEnabled", {**done, "models": ["x"]})],
        ("testCredential", "ConflictError"): [("updateByokKey", own), ("testCredential", done)],
        ("deleteOrganization", "ConflictError"): [("deleteOrganization", {"id": world.home})],
        ("updateMember", "ConflictError"): [first, ("updateMember", done)],
        ("removeMember", "ConflictError"): [first, ("removeMember", done)],
        ("updateSettings", "InvalidInputError"): [("updateSettings", {"preferences": 7})],
        ("testWebhook", "ConflictError"): [*quiet, ("testWebhook", done)],
        ("replayWebhookDelivery", "ConflictError"): [*quiet, ("replayWebhookDelivery", done)],
        ("adjustWallet", "InsufficientCreditsError"): [("adjustWallet", {**lost, "amount": "-9"})],
        ("discardRoutingDraft", "InvalidInputError"): [
            ("discardRoutingDraft", {**done, "organization": world.home})
        ],
        ("refundTransfer", "ConflictError"): [
            ("refundTransfer", {**done, "amount": "1", "idempotencyKey": "k-3"}),
            ("refundTransfer", {**done, "amount": "2", "idempotencyKey": "k-3"}),
        ],
        ("refundTransfer", "InsufficientCreditsError"): [
            ("adjustWallet", lost),
            ("refundTransfer", done),
        ],
    }


def guesses(name: str, error: str, done: dict[str, Any]) -> Iterator[Steps]:
    """Inputs that fail so by rule, made of one that succeeds."""
    fields = input_of(name).fields
    if error == "NotFoundError":
        ids = [each for each, field in fields.items() if str(field.type).startswith("ID")]
        yield from ([(name, {**done, each: NOWHERE})] for each in ids)
    if error == "ConflictError":
        for each in ("expectedVersion", "expectedRevision"):
            if each in fields:
                yield [(name, {**done, each: 7})]
        if "idempotencyKey" in fields:
            key = {"idempotencyKey": "k-9"}
            yield [(name, {**done, **key}), (name, {**done, **key, **other(name)})]
        yield [(name, done), (name, done)]
    if error == "InvalidInputError":
        wrong = {"String": "\n", "Secret": "\n", "Int": -1, "USD": "-1"}
        for each, field in fields.items():
            kind = str(get_named_type(field.type))
            if kind in wrong:
                yield [(name, {**done, each: wrong[kind]})]
        if "scope" in fields:
            yield [(name, {**done, "scope": "ORGANIZATION"})]
        if "limits" in fields:
            yield [(name, {**done, "limits": {"maxCost": "-1"}})]


def other(name: str) -> dict[str, Any]:
    """A difference that another input may have."""
    values = {"name": "another", "reason": "another", "overlapSeconds": 77, "role": "ADMIN"}
    for field, value in values.items():
        if field in input_of(name).fields:
            return {field: value}
    return {"price": {"input": "7", "output": "8"}} if name == "setModelPrice" else {"id": NOWHERE}


_ORDER = (
    "NotFoundError",
    "InvalidInputError",
    "ProviderError",
    "ConflictError",
    "InsufficientCreditsError",
)
"""Those last for which something must have been done before."""


@pytest.mark.parametrize("name", sorted(MUTATIONS.keys() - RECORDED_AS_USAGE))
async def test_each_failure_in_its_union_can_be_had(
    graphql: GraphQL, admin: Principal, world: World, member: dict[str, str], name: str
) -> None:
    """A union must not promise what never comes, nor a failure go untested."""
    done, _ = examples(world)[name]
    missing = []
    for error in sorted(errors_of(name), key=_ORDER.index):
        known = special(world, done).get((name, error))
        for steps in [known] if known else guesses(name, error, done):
            if steps[0][0] == "updateSettings":
                await from_token(graphql)
            answers = [await call(graphql, admin, each, input) for each, input in steps]
            if answers[-1] == error:
                break
        else:
            missing.append(error)

    assert missing == []


async def from_token(graphql: GraphQL) -> None:
    """Memberships come from the identity provider."""
    async with graphql.database.write(None) as session:
        await session.execute(text("UPDATE memberships SET origin = 'TOKEN'"))
