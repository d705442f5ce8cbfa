"""Drafts of routing rules: kept, checked, compared, published; refused where they are stale."""

from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from db.models.audit import AuditEntry
from db.models.rule import RoutingRule
from domain.principal import Principal
from domain.ruleset import Strategy
from tests.resolvers.conftest import GraphQL
from tests.resolvers.rules import ERROR, changes, kept, put, refusals

RULES = """
  version settings { strategy maxAttempts } decides
  draft { baseVersion isStale revision note decides settings { strategy } author { name } }
"""
CHECKED = "isPublishable errors warnings findings { severity code field alias message }"
SAVE = f"""
mutation ($input: SaveRoutingDraftInput!) {{
  saveRoutingDraft(input: $input) {{
    {ERROR}
    ... on SaveRoutingDraftPayload {{ rules {{ {RULES} }} validation {{ {CHECKED} }} }}
  }}
}}
"""
PUBLISH = f"""
mutation ($input: PublishRoutingRulesInput!) {{
  publishRoutingRules(input: $input) {{
    {ERROR}
    ... on PublishRoutingRulesPayload {{ changeNumber rules {{ {RULES} live {{ note }} }} }}
  }}
}}
"""
DISCARD = f"""
mutation ($input: DiscardRoutingDraftInput!) {{
  discardRoutingDraft(input: $input) {{
    {ERROR} ... on DiscardRoutingDraftPayload {{ rules {{ {RULES} }} }}
  }}
}}
"""


async def save(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(SAVE, caller, input=input))["saveRoutingDraft"]


async def publish(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(PUBLISH, caller, input=input))["publishRoutingRules"]


async def discard(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(DISCARD, caller, input=input))["discardRoutingDraft"]


async def entries(graphql: GraphQL) -> list[tuple[str, str]]:
    async with graphql.database.read(None) as session:
        found = await session.execute(
            select(AuditEntry.action, AuditEntry.object_type).order_by(AuditEntry.number)
        )
        return [(row.action, row.object_type) for row in found]


async def test_a_draft_is_kept_without_being_in_force(graphql: GraphQL, admin: Principal) -> None:
    await put(graphql, admin, strategy="COST")
    saved = await save(graphql, admin, strategy="LATENCY", maxAttempts=2, note="Faster.")
    held = graphql.configuration.snapshot.ruleset

    assert saved["rules"] == {
        "version": 1,
        "settings": {"strategy": "COST", "maxAttempts": 3},
        "decides": ["STRATEGY"],
        "draft": {
            "baseVersion": 1,
            "isStale": False,
            "revision": 1,
            "note": "Faster.",
            "decides": ["STRATEGY", "MAX_ATTEMPTS"],
            "settings": {"strategy": "LATENCY"},
            "author": {"name": "Ada"},
        },
    }
    assert held.strategy is Strategy.COST
    assert await changes(graphql) == ["rule"]


async def test_a_draft_becomes_the_newest_version(graphql: GraphQL, admin: Principal) -> None:
    await put(graphql, admin, strategy="COST")
    await save(graphql, admin, strategy="LATENCY", maxAttempts=2, note="Faster.")

    published = await publish(graphql, admin, expectedVersion=1, expectedRevision=1)

    assert published == {
        "__typename": "PublishRoutingRulesPayload",
        "changeNumber": 2,
        "rules": {
            "version": 2,
            "settings": {"strategy": "LATENCY", "maxAttempts": 2},
            "decides": ["STRATEGY", "MAX_ATTEMPTS"],
            "draft": None,
            "live": {"note": "Faster."},
        },
    }
    assert graphql.configuration.snapshot.ruleset.strategy is Strategy.LATENCY
    assert graphql.configuration.snapshot.number == 2
    assert await kept(graphql) == [(1, "RETIRED"), (2, "LIVE")]
    assert await entries(graphql) == [
        ("PUBLISH", "ROUTING_RULE_VERSION"),
        ("CREATE", "ROUTING_DRAFT"),
        ("PUBLISH", "ROUTING_RULE_VERSION"),
    ]


async def test_a_draft_made_on_another_version_is_refused_naming_both(
    graphql: GraphQL, admin: Principal
) -> None:
    await save(graphql, admin, strategy="LATENCY")
    await put(graphql, admin, strategy="COST")

    refused = await publish(graphql, admin)
    again = await save(graphql, admin, strategy="LATENCY", maxAttempts=1)
    still = await publish(graphql, admin)
    rebased = await save(graphql, admin, strategy="LATENCY", expectedVersion=1)
    published = await publish(graphql, admin)

    assert (refused["__typename"], still["__typename"]) == ("ConflictError", "ConflictError")
    assert "version 0, but version 1" in refused["message"]
    assert again["rules"]["draft"]["isStale"]
    assert rebased["rules"]["draft"]["baseVersion"] == 1
    assert published["rules"]["version"] == 2


@pytest.mark.parametrize(
    ("input", "message"),
    [
        ({"expectedVersion": 1}, "The rules are at version 0, not 1: read them anew."),
        ({"expectedRevision": 1}, "The draft is at revision 2, not 1: read it anew."),
        ({"expectedRevision": 0}, "The draft is at revision 2, not 0: read it anew."),
    ],
)
async def test_what_the_author_did_not_see_is_refused(
    graphql: GraphQL, admin: Principal, input: dict[str, Any], message: str
) -> None:
    await save(graphql, admin, strategy="LATENCY", expectedRevision=0)
    await save(graphql, admin, strategy="COST", expectedRevision=1)

    for done in (save, publish, discard):
        refused = await done(graphql, admin, **input)
        assert (refused["__typename"], refused["message"]) == ("ConflictError", message)
    assert await kept(graphql) == []


async def test_a_discarded_draft_is_gone(graphql: GraphQL, admin: Principal) -> None:
    await save(graphql, admin, strategy="LATENCY")

    gone = await discard(graphql, admin, expectedRevision=1)

    assert gone["rules"]["draft"] is None
    for done in (publish, discard):
        refused = await done(graphql, admin)
        assert (refused["__typename"], refused["message"]) == (
            "NotFoundError",
            "There is no draft.",
        )
    assert await entries(graphql) == [("CREATE", "ROUTING_DRAFT"), ("DELETE", "ROUTING_DRAFT")]
    assert await changes(graphql) == []


async def test_a_published_version_never_changes(graphql: GraphQL, admin: Principal) -> None:
    await put(graphql, admin, strategy="COST")

    with pytest.raises(DBAPIError, match="never changes"):
        async with graphql.database.write(None) as session:
            await session.execute(update(RoutingRule).values(body={"strategy": "LATENCY"}))
    async with graphql.database.read(None) as session:
        assert await session.scalar(text("SELECT body FROM llm_routing_rules")) == {
            "strategy": "COST"
        }


async def test_drafts_of_the_installation_are_for_its_administrators(
    graphql: GraphQL, user: Principal
) -> None:
    save_it: tuple[str, dict[str, str]] = (SAVE, {"strategy": "COST"})
    for document, input in (save_it, (PUBLISH, {}), (DISCARD, {})):
        assert await refusals(graphql, document, user, input=input) == ["FORBIDDEN"]
        assert await refusals(graphql, document, None, input=input) == ["UNAUTHENTICATED"]
    assert await entries(graphql) == []
