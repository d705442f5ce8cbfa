"""What we do when asked where a request would go."""

import strawberry

from auth.policies import Policy
from domain.decision import KEPT
from domain.routing import plan
from schema.context import Info
from schema.decision import MOST_CANDIDATES, RouteDecision
from schema.explain import ExplainRouteInput
from schema.fields import query_field


@strawberry.type
class ExplainQuery:
    @query_field(
        Policy.SELF,
        description="Where a request of the caller's would go, and why: decided by the code that"
        " serves requests, on the configuration of this moment, without sending anything.",
        graphql_type=RouteDecision,
        weight=5,
    )
    async def explain_route(self, info: Info, input: ExplainRouteInput) -> RouteDecision:
        running = info.context.configuration
        facts = input.facts(info.context)
        keep = MOST_CANDIDATES if input.every_candidate else KEPT
        found = plan(running.snapshot, facts, running.live, keep=keep)
        return RouteDecision.of(info.context, found.decision)
