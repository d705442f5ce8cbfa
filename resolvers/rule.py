"""What we do when asked about routing rules."""

import strawberry

from auth.policies import Policy
from db.queries.rule import live_rule
from domain.errors import InvalidInput
from domain.rule import publish_rules, roll_back_rules
from schema.context import Info
from schema.enums import RuleScope
from schema.fields import mutation_field, query_field
from schema.pagination import After, Before, Connection, First, Last, PageArguments
from schema.rule import (
    VERSIONS,
    RoutingRules,
    RoutingRuleVersion,
    RoutingRuleVersionFilter,
    RoutingRuleVersionOrder,
    versions_asked,
)
from schema.rule_change import (
    RollbackRoutingRulesInput,
    RollbackRoutingRulesPayload,
    RollbackRoutingRulesResult,
    SetRoutingRulesInput,
    SetRoutingRulesPayload,
    SetRoutingRulesResult,
)


def _global(scope: RuleScope) -> RuleScope:
    if scope is not RuleScope.GLOBAL:
        raise InvalidInput("scope", "Rules are kept for the whole installation: GLOBAL.")
    return scope


@strawberry.type
class RuleQuery:
    @query_field(Policy.ADMIN, description="The rules in force.", graphql_type=RoutingRules)
    async def routing_rules(self, info: Info, scope: RuleScope = RuleScope.GLOBAL) -> RoutingRules:
        async with info.context.read() as session:
            row = await live_rule(session, _global(scope))
        return RoutingRules.of(scope, row)

    @query_field(
        Policy.ADMIN,
        description="Every version that was ever published, the newest first.",
        graphql_type=Connection[RoutingRuleVersion],
        size=20,
    )
    async def routing_rule_versions(
        self,
        info: Info,
        scope: RuleScope = RuleScope.GLOBAL,
        filter: RoutingRuleVersionFilter | None = None,
        order_by: RoutingRuleVersionOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[RoutingRuleVersion]:
        asked = versions_asked(_global(scope), filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return await VERSIONS.whole(info.context, asked, arguments)


@strawberry.type
class RuleMutation:
    @mutation_field(
        Policy.ADMIN,
        description="Publish a whole rule set: a new version, in force from the next request on.",
        graphql_type=SetRoutingRulesResult,
    )
    async def set_routing_rules(
        self, info: Info, input: SetRoutingRulesInput
    ) -> SetRoutingRulesPayload:
        scope, body = _global(input.scope), input.body()
        async with info.context.change() as session:
            row = await publish_rules(
                session,
                info.context.caller.user_id,
                body,
                expected_version=input.expected_version,
                note=input.note,
            )
        return SetRoutingRulesPayload(rules=RoutingRules.of(scope, row))

    @mutation_field(
        Policy.ADMIN,
        description="Publish an earlier version's rules anew, as the newest version.",
        graphql_type=RollbackRoutingRulesResult,
    )
    async def rollback_routing_rules(
        self, info: Info, input: RollbackRoutingRulesInput
    ) -> RollbackRoutingRulesPayload:
        scope = _global(input.scope)
        async with info.context.change() as session:
            row = await roll_back_rules(
                session,
                info.context.caller.user_id,
                input.version,
                expected_version=input.expected_version,
                note=input.note,
            )
        return RollbackRoutingRulesPayload(rules=RoutingRules.of(scope, row))
