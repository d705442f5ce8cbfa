"""Asks the plan's candidates in turn until one answers; nothing has reached the client yet."""

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import structlog

from domain.errors import FairleadError, Unavailable, let_go
from domain.health import Live, Observatory
from domain.ports import ProbeLater
from domain.request import RequestFacts
from domain.routing import Candidate, Plan, after_limit, after_refusal
from domain.snapshot import Capability, Credential, KeyOwner
from gateway.account import Account, Served
from gateway.answer import Answer
from gateway.asking import Asking
from gateway.budget import RetryBudget
from gateway.continuation import Beginning
from gateway.deadline import Deadlines
from gateway.exchange import Exchange, patience
from gateway.failure import (
    AGAIN,
    ALARMING,
    HEALTH,
    PASSED_ON,
    End,
    UpstreamFailure,
    to_error,
)
from gateway.format import Request
from gateway.fund import Fund, is_house

SHORT_WAIT = 2.0
"""Seconds; a rate limit that ends sooner is waited for."""
_JITTER = (0.1, 0.4)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upstream:
    """What every request's attempts share."""

    exchange: Exchange
    observatory: Observatory
    budget: RetryBudget
    random: Random
    deadlines: Deadlines
    key_refused: ProbeLater
    """Confirms that a key is refused, and has it put away and told."""
    without_options: set[uuid.UUID] = field(default_factory=set)
    """Deployments that were found to refuse `stream_options`."""


class Attempts:
    """The upstream calls of one request. `deadline` is of the loop's clock, for all of them."""

    def __init__(
        self,
        upstream: Upstream,
        account: Account,
        request: Request,
        facts: RequestFacts,
        plan: Plan,
        live: Live,
        fund: Fund | None = None,
    ) -> None:
        self._upstream = upstream
        self._account = account
        self._request = request
        self._plan = plan
        self._facts = facts
        self._live = live
        self._left = 1 if _is_last_resort(plan, live) else plan.attempts
        self._final = PASSED_ON - {End.CONTENT_FILTER} if plan.passes_filter else PASSED_ON
        self._fund = fund
        self._loop = upstream.deadlines.loop
        total = plan.candidates[0].deployment.provider.timeouts.total_ms / 1000
        self.deadline = self._loop.time() + total
        self._failure: UpstreamFailure | None = None
        self._pause = 0.0
        self._window: int | None = None
        self._asking = Asking(request, upstream.without_options)
        self._told: FairleadError | None = None
        self._refused: KeyOwner | None = None
        self._tried: set[uuid.UUID] = set()
        self.current: Served | None = None
        self._cap: int | None = None

    async def open(self) -> Answer:
        """The first answer. Raises the error the caller is told."""
        self._upstream.budget.request()
        for candidate, credential in self._route():
            if self._pause:
                await asyncio.sleep(self._pause)
            if self._fund is not None and not await self._paid(self._fund, candidate, credential):
                continue
            served = Served(candidate, credential, self._loop.time())
            self.current = served
            self._tried.add(candidate.deployment.id)
            try:
                answer = await self._call(served)
            except UpstreamFailure as failure:
                let_go(failure)
                self._note(served, failure)
            else:
                self.current = answer.served
                self._asking.answered(candidate.deployment)
                return answer
        raise self._error()

    async def resume(self, broken: Served, beginning: Beginning) -> tuple[Answer, bool] | None:
        """The rest of an answer that broke off, from one who was not asked yet, and whether it
        goes on where the other ended or begins anew. None: nobody gives it."""
        self._failure = UpstreamFailure(End.CUT, "broke off its answer")
        found, rest = self._successor(broken), self._request.rest
        if rest is None or found is None:
            return None
        if self._fund is not None and not await self._paid(self._fund, *found):
            return None
        text, tokens = beginning.text.rstrip(), beginning.tokens
        takes = Capability.PREFILL in found[0].deployment.capabilities
        for prefill in (True, False) if takes and text else (False,):
            if not self._admitted():
                return None
            self._request = rest(text, tokens) if prefill else rest("", 0)
            self._asking = Asking(self._request, self._upstream.without_options)
            served = self.current = Served(*found, self._loop.time())
            try:
                answer = await self._call(served)
            except UpstreamFailure as failure:
                # It is kept, and where it was raised has the request and us.
                let_go(failure)
                self._note(served, failure)
                if failure.end is not End.REJECTED:
                    return None
            else:
                self.current = answer.served
                return answer, prefill
        return None

    def _successor(self, broken: Served) -> tuple[Candidate, Credential | None] | None:
        """Who takes a beginning goes first. It is no switch to another's money."""
        able = [
            (candidate, credential)
            for candidate in self._plan.candidates
            for credential in (candidate.credentials or (None,))[:1]
            if candidate.deployment.id not in self._tried
            and not self._too_small(candidate)
            and (credential.owner_kind if credential else None) == broken.key_owner
        ]
        takes = Capability.PREFILL
        able.sort(key=lambda found: takes not in found[0].deployment.capabilities)
        return able[0] if able else None

    async def _paid(self, fund: Fund, candidate: Candidate, credential: Credential | None) -> bool:
        """Whether what is held pays for this one; sets how long its answer may be."""
        if is_house(credential) and not await fund.take(candidate):
            return False
        self._cap = fund.cap(candidate, credential)
        return self._cap is None or self._cap > 0

    def cancelled(self) -> None:
        """The client left while a call was under way."""
        if self.current is not None:
            self._account.attempted(self.current, End.CANCELLED)

    def _route(self) -> Iterator[tuple[Candidate, Credential | None]]:
        """Whom to ask next, after how the last call ended."""
        for candidate in self._plan.candidates:
            if self._too_small(candidate):
                continue
            for credential in self._keys(candidate):
                if not self._admitted():
                    return
                yield candidate, credential
                if self._repeats(candidate):
                    if not self._admitted():
                        return
                    yield candidate, credential
                self._pause = 0.0
                if self._ended(self._final):
                    return

    def _keys(self, candidate: Candidate) -> Iterator[Credential | None]:
        """Which key comes next depends on how the call with the last one ended."""
        left = candidate.credentials
        if not left:
            yield None
        elif self._refused is not None:
            left = after_refusal(left, self._refused)
        while left:
            owner = left[0].owner_kind
            yield left[0]
            if self._ended({End.KEY_REFUSED}):
                left = after_refusal(left[1:], owner)
                # Who pays for a key of their own is not served at others' expense elsewhere.
                self._refused = owner
            elif self._ended({End.RATE_LIMITED}):
                left = after_limit(left[1:], owner)
            else:
                return

    def _ended(self, ends: frozenset[End] | set[End]) -> bool:
        return self._failure is not None and self._failure.end in ends

    def _too_small(self, candidate: Candidate) -> bool:
        """After a prompt was too long, only larger windows are asked."""
        window = candidate.deployment.context_length
        return self._window is not None and window is not None and window <= self._window

    def _admitted(self) -> bool:
        if self._left <= 0 or self._loop.time() + self._pause >= self.deadline:
            return False
        sent = self._failure is not None and self._failure.end is not End.UNSUPPORTED
        if sent and not self._upstream.budget.spend():
            return False
        self._left -= 1
        return True

    def _repeats(self, candidate: Candidate) -> bool:
        """Whether the same deployment is asked once more; sets the pause before."""
        failure = self._failure
        if failure is None:
            return False
        if failure.end is End.REJECTED:
            return self._asking.refused(candidate.deployment, failure)
        if failure.end in AGAIN:
            self._pause = self._upstream.random.uniform(*_JITTER)
            return True
        wait = failure.retry_after
        if failure.end is End.RATE_LIMITED and wait is not None and wait <= SHORT_WAIT:
            self._pause = wait
            return True
        return False

    def _call(self, served: Served) -> Coroutine[Any, Any, Answer]:
        """For as much of an answer as is paid for, and as long as this one may take."""
        request, deployment = self._request, served.candidate.deployment
        if self._cap is not None:
            request = request.capped(deployment, self._cap)
        until = min(self.deadline, served.began + patience(deployment, self._facts, self._live))
        asks = self._asking.asks(deployment)
        return self._upstream.exchange.call(request, served, until, asks_usage=asks)

    def _note(self, served: Served, failure: UpstreamFailure) -> None:
        """Tell health what belongs to the deployment, and what to the key."""
        self._failure = failure
        self.current = None
        deployment = served.candidate.deployment
        if failure.end is End.UNSUPPORTED:
            # Nothing was sent.
            self._left += 1
        if self._told is None or failure.end is not End.UNSUPPORTED:
            self._told = to_error(failure, deployment.provider.slug)
        observatory = self._upstream.observatory
        health = HEALTH.get(failure.end)
        if health is not None:
            observatory.failed(deployment, health, waited=self._loop.time() - served.began)
        elif failure.end is End.RATE_LIMITED:
            observatory.rate_limited(deployment, served.credential, failure.retry_after)
        elif failure.end is End.KEY_REFUSED and served.credential is not None:
            observatory.refused(served.credential)
            self._upstream.key_refused(deployment.provider.id, served.credential.id)
        elif failure.end is End.MODEL_MISSING:
            observatory.missing(deployment, served.credential)
        elif failure.end is End.CONTEXT_LENGTH:
            self._window = max(deployment.context_length or 0, self._window or 0)
        if failure.end in ALARMING:
            key = None if served.credential is None else str(served.credential.id)
            log.warning(
                "provider refuses us", reference=deployment.reference, end=failure.end, key_id=key
            )
        # The upstream's own words may quote the prompt: only ours are kept.
        reason = failure.words if failure.status is None else None
        self._account.attempted(served, failure.end, http_status=failure.status, reason=reason)

    def _error(self) -> FairleadError:
        return self._told or Unavailable("The time for this request ran out before it was sent.")


def _is_last_resort(plan: Plan, live: Live) -> bool:
    """All circuits are open: the least bad is tried once, and no more."""
    if not plan.decision.last_resort:
        return False
    vitals = live.vitals.get(plan.candidates[0].deployment.id)
    return vitals is not None and vitals.is_tripped
