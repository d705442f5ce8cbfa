"""Routing rules before they are published: all findings at once, and what would change."""

from dataclasses import replace
from typing import Any

from domain.principal import MemberRole, Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.rules import kept, put, refusals, stock
from tests.resolvers.test_rule_draft import CHECKED, publish, save

VALIDATE = f"""
query ($input: ValidateRoutingRulesInput!) {{ validateRoutingRules(input: $input) {{ {CHECKED} }} }}
"""
DIFF = """
query ($version: Int, $against: Int) {
  routingRulesDiff(version: $version, against: $against) {
    fromVersion toVersion total
    changes {
      field alias old new oldOrigin { scope version } newOrigin { scope version }
    }
  }
}
"""
FAULTY = {
    "strategy": "CUSTOM",
    "weights": {"cost": 5000, "latency": 5000, "quality": 1},
    "fallbacks": ["gone"],
    "aliases": [
        {"name": "round", "targets": ["square"]},
        {"name": "small", "targets": ["local/large"]},
        {"name": "square", "targets": ["round"]},
    ],
}
DEFAULT, LIVE = {"scope": None, "version": None}, {"scope": "GLOBAL", "version": 1}
DRAFT = {"scope": "GLOBAL", "version": None}


async def test_a_draft_may_hold_errors_which_keep_it_from_being_published(
    graphql: GraphQL, admin: Principal
) -> None:
    await stock(graphql.database)
    saved = await save(graphql, admin, **FAULTY)
    refused = await publish(graphql, admin)

    checked = saved["validation"]
    assert [
        (one["severity"], one["code"], one["field"], one["alias"]) for one in checked["findings"]
    ] == [
        ("ERROR", "WEIGHTS", "weights", None),
        ("ERROR", "CYCLE", "aliases.0.targets", "round"),
        ("ERROR", "CYCLE", "aliases.2.targets", "square"),
        ("ERROR", "UNKNOWN_NAME", "fallbacks", None),
        ("WARNING", "HIDES_MODEL", "aliases.1.name", "small"),
    ]
    assert (checked["isPublishable"], checked["errors"], checked["warnings"]) == (False, 4, 1)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", "weights")
    assert refused["message"].endswith("There are 3 more: validateRoutingRules lists them.")
    assert await kept(graphql) == []


async def test_rules_are_checked_without_being_kept(graphql: GraphQL, admin: Principal) -> None:
    await stock(graphql.database)
    given = await graphql.data(VALIDATE, admin, input={"rules": FAULTY})
    nothing = await refusals(graphql, VALIDATE, admin, input={})
    await save(graphql, admin, **FAULTY)
    drafted = await graphql.data(VALIDATE, admin, input={})

    assert given["validateRoutingRules"]["errors"] == 4
    assert nothing == ["NOT_FOUND"]
    assert drafted == given


def change(
    field: str, old: Any, new: Any, origins: tuple[Any, Any], alias: str | None = None
) -> Any:
    values = {"field": field, "alias": alias, "old": old, "new": new}
    return {**values, "oldOrigin": origins[0], "newOrigin": origins[1]}


def alias(*targets: str) -> dict[str, Any]:
    return {"targets": list(targets), "fallbacks": [], "strategy": None}


async def test_the_difference_is_told_field_by_field(graphql: GraphQL, admin: Principal) -> None:
    await stock(graphql.database)
    fast = {"name": "fast", "targets": ["local/small"]}
    await put(graphql, admin, strategy="COST", aliases=[fast], ecoBelow="0.25")
    more = [{**fast, "targets": ["large"]}, {"name": "new", "targets": ["small"]}]
    await save(graphql, admin, strategy="COST", maxAttempts=3, aliases=more)

    found = (await graphql.data(DIFF, admin))["routingRulesDiff"]
    back = (await graphql.data(DIFF, admin, version=1, against=0))["routingRulesDiff"]

    assert (found["fromVersion"], found["toVersion"], found["total"]) == (1, None, 4)
    assert found["changes"] == [
        change("ECO_BELOW", "0.25", "0.5", (LIVE, DEFAULT)),
        change("MAX_ATTEMPTS", 3, 3, (DEFAULT, DRAFT)),
        change("ALIASES", alias("local/small"), alias("large"), (LIVE, DRAFT), "fast"),
        change("ALIASES", None, alias("small"), (DEFAULT, DRAFT), "new"),
    ]
    assert [(one["field"], one["alias"]) for one in back["changes"]] == [
        ("STRATEGY", None),
        ("ECO_BELOW", None),
        ("ALIASES", "fast"),
    ]


async def test_there_is_no_difference_to_what_never_was(graphql: GraphQL, admin: Principal) -> None:
    assert await refusals(graphql, DIFF, admin) == ["NOT_FOUND"]
    assert await refusals(graphql, DIFF, admin, version=3) == ["NOT_FOUND"]
    assert await refusals(graphql, DIFF, admin, version=-1) == ["INVALID_INPUT"]


async def test_who_does_not_govern_does_not_look(graphql: GraphQL, user: Principal) -> None:
    assert await refusals(graphql, DIFF, user) == ["FORBIDDEN"]
    assert await refusals(graphql, DIFF, None) == ["UNAUTHENTICATED"]
    assert await refusals(graphql, VALIDATE, user, input={}) == ["FORBIDDEN"]
    assert await refusals(graphql, VALIDATE, None, input={}) == ["UNAUTHENTICATED"]


async def test_as_many_statements_for_a_hundred_aliases_as_for_one(
    graphql: GraphQL, admin: Principal
) -> None:
    await stock(graphql.database)
    counts = []
    for size in (1, 100):
        aliases = [{"name": f"a{n}", "targets": ["small"]} for n in range(size)]
        await save(graphql, admin, aliases=aliases)
        with graphql.statements() as sent:
            await graphql.data(DIFF, admin)
            await graphql.data(VALIDATE, admin, input={})
        counts.append(len(sent))

    assert counts[0] == counts[1]


async def test_the_installations_author_hears_whose_aliases_would_break(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    await stock(graphql.database)
    wide = [{"name": "a", "targets": ["small"]}, {"name": "b", "targets": ["small"]}]
    await put(graphql, admin, aliases=wide)
    governor = replace(user, organization_role=MemberRole.ADMIN)
    theirs = [{"name": "own", "targets": ["a"]}, {"name": "c", "targets": ["b"]}]
    await put(graphql, governor, scope="ORGANIZATION", aliases=theirs)

    rules = {"aliases": [{"name": "b", "targets": ["c"]}, {"name": "c", "targets": ["small"]}]}
    found = await graphql.data(VALIDATE, admin, input={"rules": rules})
    fine = await graphql.data(VALIDATE, admin, input={"rules": {"aliases": wide}})

    messages = [one["message"] for one in found["validateRoutingRules"]["findings"]]
    assert messages == [
        "The alias `c` of the organisation `uma` breaks: The alias leads into a circle: c → b → c.",
        "The alias `own` of the organisation `uma` breaks: `a` is no model, and no alias that"
        " leads to one.",
    ]
    assert found["validateRoutingRules"]["isPublishable"]
    assert fine["validateRoutingRules"]["warnings"] == 0
