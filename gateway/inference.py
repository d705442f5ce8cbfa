"""A request in any format: from a body to a plan, and from a plan to a pump."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Mapping

from uuid_utils.compat import uuid7

from domain.ports import Configuration, Recorder
from domain.principal import Principal
from domain.request import RequestFacts
from domain.routing import Plan, cell_of, plan
from domain.tokens import TokenCounter
from gateway.account import Account
from gateway.asgi import Receive, Send
from gateway.attempts import Attempts, Upstream
from gateway.drain import Drain
from gateway.format import Format, Request
from gateway.fund import Fund, fund_of, is_house, terms_of
from gateway.holds import Holds
from gateway.meter import Meter
from gateway.pump import Pump
from gateway.repeat import HEADER, Claim, Kept, Repeats
from gateway.watch import Patience


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

    async def serve(
        self,
        format: Format,
        principal: Principal,
        headers: Mapping[str, str],
        body: bytes,
        receive: Receive,
        send: Send,
    ) -> None:
        """Raises `FairleadError` while nothing has been dispatched."""
        self._drain.admit()
        request = format.decode(body, headers)
        id = uuid7()
        claim = await self._claimed(format, principal, headers, body, id)
        if isinstance(claim, Kept):
            return await claim.replay(send)
        try:
            pump = await self._admitted(request, principal, headers, id, send, claim)
        except BaseException:
            if claim is not None:
                await claim.release()
            raise
        await pump.serve(receive, self._drain)

    async def _claimed(
        self,
        format: Format,
        principal: Principal,
        headers: Mapping[str, str],
        body: bytes,
        id: uuid.UUID,
    ) -> Claim | Kept | None:
        key = headers.get(HEADER)
        if key is None or self._repeats is None:
            return None
        digest = hashlib.sha256(body).hexdigest()
        return await self._repeats.claim(principal, key, f"{format.decode.__module__}|{digest}", id)

    async def _admitted(
        self,
        request: Request,
        principal: Principal,
        headers: Mapping[str, str],
        id: uuid.UUID,
        send: Send,
        claim: Claim | None,
    ) -> Pump:
        """Planned and on record as intended."""
        snapshot, live = self._configuration.snapshot, self._configuration.live
        facts = request.facts(id, time.time(), principal, headers, self._counter)
        planned = plan(snapshot, facts, live)
        if planned.refusal is not None:
            raise planned.refusal
        planned, fund = self._funded(principal, headers, facts, request, planned)
        decision = planned.decision
        self._upstream.observatory.chosen(cell_of(decision), decision.order[0])
        clock = asyncio.get_running_loop().time
        account = Account(self._recorder, principal, facts, decision, clock, fund)
        attempts = Attempts(self._upstream, account, request, facts, planned, live, fund)
        await self._intend(account, planned, fund)
        return Pump(
            self._upstream,
            account,
            attempts,
            request,
            facts,
            self._meter,
            self._patience,
            send,
            claim,
        )

    def _funded(
        self,
        principal: Principal,
        headers: Mapping[str, str],
        facts: RequestFacts,
        request: Request,
        planned: Plan,
    ) -> tuple[Plan, Fund | None]:
        """What the request may spend, None where nothing binds it."""
        terms = terms_of(self._configuration.snapshot.credits, principal, headers, facts.now)
        if terms is None:
            return planned, None
        return fund_of(terms, self._holds, principal, facts, request.choices, planned)

    async def _intend(self, account: Account, planned: Plan, fund: Fund | None) -> None:
        """Money first, then the intent: one that dies with us gives its hold back when adopted."""
        if fund is None:
            account.open()
            if self._commits:
                await self._recorder.synced()
            return
        first = planned.candidates[0]
        try:
            if is_house(first.credentials[0] if first.credentials else None):
                await fund.take(first)
            account.open()
            if self._commits:
                await self._recorder.synced()
        except BaseException:
            fund.give_back()
            raise
