"""What we do when asked where a request would go."""

import msgspec
import strawberry

from auth.policies import Policy
from domain.credits import WalletKind, cover_of
from domain.decision import KEPT
from domain.person import Person, person_of, themselves
from domain.quote import Quote, quote_of
from domain.routing import plan, proposed
from domain.rule import publishable
from domain.rule_view import lineage
from domain.snapshot import Snapshot
from schema.context import Context, Info
from schema.decision import MOST_CANDIDATES, RouteDecision
from schema.enums import RuleScope
from schema.explain import ExplainRouteInput, ProposedRulesInput
from schema.fields import query_field
from schema.node import key_of
from schema.quote import CompletionQuote


@strawberry.type
class ExplainQuery:
    @query_field(
        Policy.SELF,
        description="Where a request of the caller's, or for administrators of somebody else's,"
        " would go, and why: decided by the code that"
        " serves requests, on the configuration of this moment or with rules that are only"
        " proposed, without sending anything.",
        graphql_type=RouteDecision,
        weight=5,
    )
    async def explain_route(self, info: Info, input: ExplainRouteInput) -> RouteDecision:
        decision, _ = await _decided(info.context, input)
        return decision

    @query_field(
        Policy.SELF,
        description="What a request of the caller's would cost, before it is sent: from its"
        " counted tokens and from the lengths of the answers that were seen.",
        graphql_type=CompletionQuote,
        weight=5,
    )
    async def quote_completion(self, info: Info, input: ExplainRouteInput) -> CompletionQuote:
        decision, quote = await _decided(info.context, input)
        return CompletionQuote.of(quote, decision)


async def _decided(
    context: Context, input: ExplainRouteInput
) -> tuple[RouteDecision, Quote | None]:
    running, person = context.configuration, await _person(context, input)
    facts, live, credits = input.facts(context, person), running.live, running.snapshot.credits
    keep = MOST_CANDIDATES if input.every_candidate else KEPT
    snapshot = await _snapshot(context, running.snapshot, input.proposed)
    found = plan(snapshot, facts, live, keep=keep)
    cover = cover_of(
        credits,
        facts,
        ((each.deployment, each.price) for each in found.candidates if each.may_use_house),
        WalletKind.ORGANIZATION if person.organization_pays else WalletKind.USER,
    )
    decision = msgspec.structs.replace(found.decision, credits=cover)
    quote = quote_of(facts, found, live, credits.markup if credits.enforced else 0)
    return RouteDecision.of(context, decision), quote


async def _snapshot(
    context: Context, served: Snapshot, asked: ProposedRulesInput | None
) -> Snapshot:
    """What is served from, or that with the proposed rules in place of those in force."""
    if asked is None:
        return served
    organization = asked.organization
    key = None if organization is None else key_of("Organization", organization)
    given = None if asked.rules is None else asked.rules.body()
    async with context.read() as session:
        line = await lineage(session, context.caller, asked.scope, key)
        body = await publishable(session, context.caller, line, given)
    return proposed(served, RuleScope(line[-1].scope), line[-1].id, body)


async def _person(context: Context, input: ExplainRouteInput) -> Person:
    """Whose request it would be. Raises NotFound."""
    if input.as_user is None and input.as_organization is None:
        return themselves(context.caller)
    user = None if input.as_user is None else key_of("User", input.as_user)
    organization = input.as_organization
    key = None if organization is None else key_of("Organization", organization)
    async with context.read() as session:
        return await person_of(session, context.caller, user, key)
