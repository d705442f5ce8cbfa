"""What we do when asked where a request would go."""

import msgspec
import strawberry

from auth.policies import Policy
from domain.credits import WalletKind, cover_of
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
        caller = info.context.caller
        own = caller.payer_id == caller.user_id
        cover = cover_of(
            running.snapshot.credits,
            facts,
            ((each.deployment, each.price) for each in found.candidates if each.may_use_house),
            WalletKind.USER if own else WalletKind.ORGANIZATION,
        )
        decision = msgspec.structs.replace(found.decision, credits=cover)
        return RouteDecision.of(info.context, decision)
