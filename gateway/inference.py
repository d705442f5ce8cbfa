"""A request in any format: from a body to a plan, and from a plan to a pump."""

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping

import msgspec
from uuid_utils.compat import uuid7

from domain.decision import Decision
from domain.health import Live
from domain.ports import Configuration, Recorder
from domain.principal import Principal
from domain.request import RequestFacts
from domain.routing import Plan, cell_of, plan, plan_alone
from domain.tokens import TokenCounter
from gateway.account import Account
from gateway.attempts import Attempts, Upstream
from gateway.cache import Cache, Flight
from gateway.drain import Drain
from gateway.format import Format, Request
from gateway.fund import MAX_COST_HEADER, Fund, Terms, fund_of, is_capped, is_house, terms_of
from gateway.grant import Grant
from gateway.holds import Holds
from gateway.keeping import Keeping
from gateway.meter import Meter
from gateway.pump import Pump
from gateway.rates import RateLimiter
from gateway.repeat import HEADER, Claim, Kept, Repeats
from gateway.surcharge import priced
from gateway.watch import Patience
from gateway.wire import Wire


class Inference:
    """One per process. `drain` knows the pumps that are at work.

    `commits`: an intent is on disk, not only written, before the request is dispatched. `holds`
    sets money aside; without it what needs that is not served.
    """

    def __init__(
        self,
        configuration: Configuration,
        recorder: Recorder,
        upstream: Upstream,
        counter: TokenCounter,
        patience: Patience,
        drain: Drain,
        repeats: Repeats | None,
        cache: Cache | None,
        rates: RateLimiter,
        *,
        commits: bool,
        holds: Holds | None,
    ) -> None:
        self._configuration = configuration
        self._recorder = recorder
        self._upstream = upstream
        self._counter = counter
        self._patience = patience
        self._commits = commits
        self._meter = Meter(counter, upstream.observatory)
        self._drain = drain
        self._repeats = repeats
        self._holds = holds
        self._rates = rates
        self._cache = cache

    async def serve(
        self,
        format: Format,
        principal: Principal,
        headers: Mapping[str, str],
        body: bytes,
        wire: Wire,
        *,
        decided: Callable[[Decision], None] | None = None,
    ) -> None:
        """Raises `FairleadError` while nothing has been dispatched. `decided` is told the plan."""
        self._drain.admit()
        asked = _Asked(uuid7(), format, principal, headers, body, wire, decided)
        request = format.decode(body, headers)
        key, claim = headers.get(HEADER), None
        if key is not None and self._repeats is not None:
            found = await self._claimed(self._repeats, key, asked)
            if isinstance(found, Kept):
                return await found.replay(wire)
            claim = found
        try:
            pump = await self._admitted(asked, request, claim)
        except BaseException:
            if claim is not None:
                await claim.release()
            raise
        if pump is not None:
            await pump.serve(self._drain)

    async def _claimed(self, repeats: Repeats, key: str, asked: "_Asked") -> Claim | Kept:
        digest = hashlib.sha256(asked.body).hexdigest()
        name = f"{asked.format.decode.__module__}|{digest}"
        return await repeats.claim(asked.principal, key, name, asked.id)

    async def _admitted(
        self, asked: "_Asked", request: Request, claim: Claim | None
    ) -> Pump | None:
        """Planned, granted, and on record as intended; None when the cache had the answer."""
        principal, live = asked.principal, self._configuration.live
        facts, planned = self._planned(asked, request, live)
        if planned.refusal is not None:
            raise planned.refusal
        if asked.decided is not None:
            asked.decided(planned.decision)
        grant = None
        if principal.limits:
            tokens = _tokens(facts, planned.decision)
            grant = await self._rates.granted(principal.limits, tokens)
        if claim is None and self._cache is not None and principal.cache_seconds:
            return await self._cached(self._cache, asked, request, facts, planned, grant)
        return await self._prepared(asked, request, facts, planned, grant, claim, live)

    def _planned(self, asked: "_Asked", request: Request, live: Live) -> tuple[RequestFacts, Plan]:
        """The prompt is counted where its size has a say: that costs a twentieth of a request."""
        snapshot, principal, headers = self._configuration.snapshot, asked.principal, asked.headers
        is_bound = principal.limits or snapshot.credits.enforced or MAX_COST_HEADER in headers
        rough = None if is_bound else request.roughly()
        size = rough or request.size(self._counter)
        facts = request.facts(asked.id, time.time(), principal, headers, size)
        if rough is not None:
            planned = plan_alone(snapshot, facts, live)
            if planned is not None and not is_capped(planned.candidates[0]):
                return facts, planned
            tokens, estimated = msgspec.structs.astuple(request.size(self._counter))
            facts = msgspec.structs.replace(facts, input_tokens=tokens, input_estimated=estimated)
        return facts, plan(snapshot, facts, live)

    async def _cached(
        self,
        cache: Cache,
        asked: "_Asked",
        request: Request,
        facts: RequestFacts,
        planned: Plan,
        grant: Grant | None,
    ) -> Pump | None:
        """From the cache, or for it."""
        place, first = asked.format.decode.__module__, planned.decision.order[0]
        flight = await cache.find(asked.principal, place, first, asked.body)
        if isinstance(flight, Flight):
            try:
                live = self._configuration.live
                return await self._prepared(asked, request, facts, planned, grant, flight, live)
            except BaseException:
                await flight.release()
                raise
        clock = self._upstream.deadlines.loop.time
        account = Account(
            self._recorder, asked.principal, facts, planned.decision, clock, None, grant
        )
        account.cached(self._configuration.snapshot.by_reference.get(flight.stored.reference))
        await flight.replay(asked.wire, asked.id)
        return None

    async def _prepared(
        self,
        asked: "_Asked",
        request: Request,
        facts: RequestFacts,
        planned: Plan,
        grant: Grant | None,
        keeping: Keeping | None,
        live: Live,
    ) -> Pump:
        """What was granted and held is given back where it is not on record as intended."""
        upstream, fund = self._upstream, None
        try:
            planned, fund = self._funded(asked, facts, request, planned)
            decision, first = planned.decision, planned.candidates[0]
            upstream.observatory.chosen(cell_of(decision), decision.order[0])
            clock = upstream.deadlines.loop.time
            account = Account(self._recorder, asked.principal, facts, decision, clock, fund, grant)
            attempts = Attempts(upstream, account, request, facts, planned, live, fund)
            # Money first: an intent that dies with us gives its hold back when it is adopted.
            pays = is_house(first.credentials[0] if first.credentials else None)
            if fund is not None and pays and not fund.lease(first):
                await fund.take(first)
            account.open(first.deployment)
            if self._commits:
                await self._recorder.synced()
        except BaseException:
            if grant is not None:
                grant.close(0)
            if fund is not None:
                fund.give_back()
            raise
        meter, patience, wire = self._meter, self._patience, asked.wire
        return Pump(upstream, account, attempts, request, facts, meter, patience, wire, keeping)

    def _funded(
        self, asked: "_Asked", facts: RequestFacts, request: Request, planned: Plan
    ) -> tuple[Plan, Fund | None]:
        """What the request may spend, None where nothing binds it."""
        credits = self._configuration.snapshot.credits
        terms = terms_of(credits, asked.principal, asked.headers, facts.now)
        if terms is None and any(map(is_capped, planned.candidates)):
            terms = Terms(credits, (), None, clamps=False)
        planned, beside = priced(planned, request, bounded=terms is not None)
        if terms is None:
            return planned, None
        return fund_of(terms, self._holds, asked.principal, facts, request.choices, planned, beside)


class _Asked(msgspec.Struct, frozen=True):
    """A request as it came, by whom, and where its answer goes."""

    id: uuid.UUID
    format: Format
    principal: Principal
    headers: Mapping[str, str]
    body: bytes
    wire: Wire
    decided: Callable[[Decision], None] | None


def _tokens(facts: RequestFacts, decision: Decision) -> int:
    """The most that the request is expected to use."""
    if facts.max_tokens is not None:
        return facts.input_tokens + facts.max_tokens
    return facts.input_tokens + max(candidate.output for candidate in decision.candidates)
