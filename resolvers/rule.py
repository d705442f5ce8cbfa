"""What we do when asked about routing rules."""

import uuid
from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.person import person_of
from domain.routing import ruleset_of
from domain.rule import (
    Seen,
    discard_draft,
    publish_draft,
    publish_rules,
    roll_back_rules,
    save_draft,
)
from domain.rule_view import compare, lineage, look, validated
from schema.context import Info
from schema.enums import RuleScope
from schema.fields import mutation_field, query_field
from schema.node import key_of
from schema.pagination import After, Before, Connection, First, Last, PageArguments
from schema.rule import (
    VERSIONS,
    EffectiveRoutingRules,
    RoutingRules,
    RoutingRuleVersion,
    RoutingRuleVersionFilter,
    RoutingRuleVersionOrder,
    versions_asked,
)
from schema.rule_change import (
    DiscardRoutingDraftInput,
    DiscardRoutingDraftPayload,
    DiscardRoutingDraftResult,
    DraftInput,
    PublishRoutingRulesInput,
    PublishRoutingRulesPayload,
    PublishRoutingRulesResult,
    RollbackRoutingRulesInput,
    RollbackRoutingRulesPayload,
    RollbackRoutingRulesResult,
    SaveRoutingDraftInput,
    SaveRoutingDraftPayload,
    SaveRoutingDraftResult,
    SetRoutingRulesInput,
    SetRoutingRulesPayload,
    SetRoutingRulesResult,
)
from schema.rule_check import RoutingRulesDiff, RoutingValidation, ValidateRoutingRulesInput
from schema.scalars import BigInt

Organization = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="With ORGANIZATION; by default the caller's own."),
]


def _key(organization: strawberry.ID | None) -> uuid.UUID | None:
    return None if organization is None else key_of("Organization", organization)


@strawberry.type
class RuleQuery:
    @query_field(
        Policy.SELF,
        description="The rules of one scope that the caller governs: administrators the"
        " installation's and every organisation's, an organisation's administrators its own,"
        " everybody their own.",
        graphql_type=RoutingRules,
    )
    async def routing_rules(
        self,
        info: Info,
        scope: RuleScope = RuleScope.GLOBAL,
        organization: Organization = None,
    ) -> RoutingRules:
        async with info.context.read() as session:
            view = await look(session, info.context.caller, scope, _key(organization))
        return RoutingRules.of(info.context, view)

    @query_field(
        Policy.SELF,
        description="What the caller's requests are routed by on this process; administrators may"
        " ask for others.",
        graphql_type=EffectiveRoutingRules,
    )
    async def effective_routing_rules(
        self,
        info: Info,
        user: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Administrators: somebody else."),
        ] = None,
        organization: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Whom they act for. Without `user`: a member without own rules."
            ),
        ] = None,
    ) -> EffectiveRoutingRules:
        context = info.context
        id = None if user is None else key_of("User", user)
        async with context.read() as session:
            person = await person_of(session, context.caller, id, _key(organization))
        snapshot = context.configuration.snapshot
        rules = ruleset_of(snapshot, person.organization_id, person.user_id)
        return EffectiveRoutingRules.of(context, rules)

    @query_field(
        Policy.SELF,
        description="Every version that was ever published, the newest first.",
        graphql_type=Connection[RoutingRuleVersion],
        size=20,
    )
    async def routing_rule_versions(
        self,
        info: Info,
        scope: RuleScope = RuleScope.GLOBAL,
        organization: Organization = None,
        filter: RoutingRuleVersionFilter | None = None,
        order_by: RoutingRuleVersionOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[RoutingRuleVersion]:
        async with info.context.read() as session:
            line = await lineage(session, info.context.caller, scope, _key(organization))
        asked = versions_asked(line[-1], filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return await VERSIONS.whole(info.context, asked, arguments)

    @query_field(
        Policy.SELF,
        description="What is wrong with rules, or worth a second look: everything at once. It"
        " changes nothing.",
        graphql_type=RoutingValidation,
    )
    async def validate_routing_rules(
        self, info: Info, input: ValidateRoutingRulesInput
    ) -> RoutingValidation:
        caller = info.context.caller
        body = None if input.rules is None else input.rules.body()
        async with info.context.read() as session:
            view = await look(session, caller, input.scope, _key(input.organization))
            return RoutingValidation.of(await validated(session, caller, view, body))

    @query_field(
        Policy.SELF,
        description="What the draft, or any version, would change: field by field, with where each"
        " value comes from. Both sides inherit what the wider rules say now.",
        graphql_type=RoutingRulesDiff,
    )
    async def routing_rules_diff(
        self,
        info: Info,
        scope: RuleScope = RuleScope.GLOBAL,
        organization: Organization = None,
        version: Annotated[
            int | None, strawberry.argument(description="The new side; by default the draft.")
        ] = None,
        against: Annotated[
            int | None,
            strawberry.argument(
                description="The old side; by default the version in force. 0: nothing published."
            ),
        ] = None,
    ) -> RoutingRulesDiff:
        async with info.context.read() as session:
            view = await look(session, info.context.caller, scope, _key(organization))
            old, new = await compare(session, view, version, against)
        return RoutingRulesDiff.of(info.context, old, new)


def _seen(input: DraftInput) -> Seen:
    return Seen(input.expected_version, input.expected_revision)


@strawberry.type
class RuleMutation:
    @mutation_field(
        Policy.SELF,
        description="Publish a whole rule set in one step: a new version, in force from the next"
        " request on. A draft that is there stays.",
        graphql_type=SetRoutingRulesResult,
    )
    async def set_routing_rules(
        self, info: Info, input: SetRoutingRulesInput
    ) -> SetRoutingRulesPayload:
        caller, body, seen = info.context.caller, input.body(), Seen(input.expected_version)
        async with info.context.change() as session:
            line = await lineage(session, caller, input.scope, _key(input.organization))
            published = await publish_rules(session, caller, line, body, seen, input.note)
        return SetRoutingRulesPayload(
            rules=RoutingRules.of(info.context, published.view),
            change_number=BigInt(published.number),
        )

    @mutation_field(
        Policy.SELF,
        description="Keep a whole rule set for later, errors and all; nothing is in force before it"
        " is published.",
        graphql_type=SaveRoutingDraftResult,
    )
    async def save_routing_draft(
        self, info: Info, input: SaveRoutingDraftInput
    ) -> SaveRoutingDraftPayload:
        caller, body = info.context.caller, input.body()
        async with info.context.change() as session:
            line = await lineage(session, caller, input.scope, _key(input.organization))
            view, found = await save_draft(session, caller, line, body, _seen(input), input.note)
        return SaveRoutingDraftPayload(
            rules=RoutingRules.of(info.context, view), validation=RoutingValidation.of(found)
        )

    @mutation_field(
        Policy.SELF,
        description="Publish the draft. Refused when another version is in force than the one it"
        " was made on.",
        graphql_type=PublishRoutingRulesResult,
    )
    async def publish_routing_rules(
        self, info: Info, input: PublishRoutingRulesInput
    ) -> PublishRoutingRulesPayload:
        caller = info.context.caller
        async with info.context.change() as session:
            line = await lineage(session, caller, input.scope, _key(input.organization))
            published = await publish_draft(session, caller, line, _seen(input), input.note)
        return PublishRoutingRulesPayload(
            rules=RoutingRules.of(info.context, published.view),
            change_number=BigInt(published.number),
        )

    @mutation_field(
        Policy.SELF,
        description="Drop the draft.",
        graphql_type=DiscardRoutingDraftResult,
    )
    async def discard_routing_draft(
        self, info: Info, input: DiscardRoutingDraftInput
    ) -> DiscardRoutingDraftPayload:
        caller = info.context.caller
        async with info.context.change() as session:
            line = await lineage(session, caller, input.scope, _key(input.organization))
            view = await discard_draft(session, caller, line, _seen(input))
        return DiscardRoutingDraftPayload(rules=RoutingRules.of(info.context, view))

    @mutation_field(
        Policy.SELF,
        description="Publish an earlier version's rules anew, as the newest version.",
        graphql_type=RollbackRoutingRulesResult,
    )
    async def rollback_routing_rules(
        self, info: Info, input: RollbackRoutingRulesInput
    ) -> RollbackRoutingRulesPayload:
        caller, seen = info.context.caller, Seen(input.expected_version)
        async with info.context.change() as session:
            line = await lineage(session, caller, input.scope, _key(input.organization))
            published = await roll_back_rules(
                session, caller, line, input.version, seen, input.note
            )
        return RollbackRoutingRulesPayload(
            rules=RoutingRules.of(info.context, published.view),
            change_number=BigInt(published.number),
        )
