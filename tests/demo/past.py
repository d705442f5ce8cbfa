"""Requests of the past 90 days: decided by the router, priced and settled as served ones are."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from uuid_utils.compat import uuid7

from domain import pricing
from domain.errors import ErrorCode
from domain.health import Live
from domain.request import RequestFacts
from domain.routing import Candidate, plan
from domain.snapshot import Snapshot
from domain.usage import Attempt, Outcome, TokenUsage, UsageSource, UsageStatus
from tests.demo.profile import Profile
from tests.demo.scene import ASKED, FAILING, SLUG

_FAILS = 0.012
_BAD_DAYS_AGO, _BAD_HOURS, _BAD_FAILS = 12, range(9, 13), 0.7
"""A morning on which one provider mostly failed."""
_BAD = f"{SLUG}aurora"
_FAILURES = (("SERVER_ERROR", 503), ("RATE_LIMITED", 429), ("TIMEOUT", None))


@dataclass(frozen=True)
class Speed:
    """Seconds to the first token, and tokens a second."""

    first_token: float
    tokens: float


@dataclass(frozen=True)
class Asker:
    user_id: uuid.UUID
    organization_id: uuid.UUID | None
    api_key_id: uuid.UUID
    weight: float


@dataclass(frozen=True)
class Past:
    """`per_day`: requests on an average weekday."""

    snapshot: Snapshot
    live: Live
    askers: list[Asker]
    speeds: dict[uuid.UUID, Speed]
    profile: Profile
    chance: random.Random

    def requests(self, days: int, per_day: int) -> Iterator[Outcome]:
        """In the order of time, up to now."""
        now = datetime.now(UTC)
        start = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        for hour in range(days * 24 + 24):
            at = start + timedelta(hours=hour)
            growth = 0.6 + 0.8 * hour / (days * 24)
            expected = per_day / 24 * self.profile.busyness(at) * growth
            count = round(max(0.0, self.chance.gauss(expected, expected**0.5)))
            seconds = sorted(self.profile.second(self.chance) for _ in range(count))
            for each in (at + timedelta(seconds=second) for second in seconds):
                if each < now:
                    yield self._one(each)

    def _one(self, at: datetime) -> Outcome:
        chance, now = self.chance, at.timestamp()
        model, kind, _ = chance.choices(ASKED, [share for _, _, share in ASKED])[0]
        asker = chance.choices(self.askers, [each.weight for each in self.askers])[0]
        input, output = self.profile.tokens(kind, chance)
        facts = RequestFacts(
            id=uuid.UUID(int=int(now * 1000) << 80 | uuid7().int & ((1 << 80) - 1)),
            now=now,
            model=model,
            user_id=asker.user_id,
            organization_id=asker.organization_id,
            input_tokens=input,
            max_tokens=output,
            stream=chance.random() < 0.8,
        )
        planned = plan(self.snapshot, facts, self.live)
        bare = Outcome(
            id=facts.id,
            started_at=now,
            user_id=asker.user_id,
            organization_id=asker.organization_id,
            api_key_id=asker.api_key_id,
            requested_model=model,
            streamed=facts.stream,
            status=UsageStatus.ERROR,
            usage_source=UsageSource.NONE,
            latency_ms=2,
            error_class=ErrorCode.NOTHING_ELIGIBLE.value,
            decision=msgspec.to_builtins(planned.decision),
        )
        if planned.refusal is not None:
            return bare
        usage = TokenUsage(input=input, output=output, cached=self._cached(input))
        return self._served(bare, planned.candidates, usage, at)

    def _cached(self, input: int) -> int:
        return int(input * self.chance.uniform(0.3, 0.8)) if self.chance.random() < 0.25 else 0

    def _served(
        self, bare: Outcome, candidates: tuple[Candidate, ...], usage: TokenUsage, at: datetime
    ) -> Outcome:
        """Candidates in their order until one answers; failed attempts cost nothing."""
        attempts: list[Attempt] = []
        waited = 0
        for candidate in candidates:
            if self._fails(candidate, at):
                attempts.append(self._failure(candidate, waited))
                waited += attempts[-1].latency_ms
                continue
            attempts.append(self._answer(candidate, usage, waited, bare.started_at))
            return self._closed(bare, candidate, attempts)
        return msgspec.structs.replace(
            bare,
            latency_ms=waited,
            error_class=ErrorCode.PROVIDER_ERROR.value,
            attempts=tuple(attempts),
        )

    def _fails(self, candidate: Candidate, at: datetime) -> bool:
        deployment = candidate.deployment
        days_ago = (datetime.now(UTC).date() - at.date()).days
        is_bad = days_ago == _BAD_DAYS_AGO and at.hour in _BAD_HOURS
        if deployment.name == FAILING:
            return True
        share = _BAD_FAILS if is_bad and deployment.provider.slug == _BAD else _FAILS
        return self.chance.random() < share

    def _failure(self, candidate: Candidate, waited: int) -> Attempt:
        reason, status = self.chance.choice(_FAILURES)
        if candidate.deployment.name == FAILING:
            reason, status = _FAILURES[0]
        return self._attempt(
            candidate,
            started_ms=waited,
            latency_ms=10_000 if status is None else round(self.chance.uniform(40, 400)),
            outcome=reason,
            http_status=status,
        )

    def _answer(self, candidate: Candidate, usage: TokenUsage, waited: int, now: float) -> Attempt:
        speed = self.speeds[candidate.deployment.id]
        first = speed.first_token * self.chance.lognormvariate(0, 0.35)
        whole = first + usage.output / (speed.tokens * self.chance.lognormvariate(0, 0.2))
        price = candidate.deployment.price_at(now)
        return self._attempt(
            candidate,
            started_ms=waited,
            latency_ms=round(whole * 1000),
            first_token_ms=round(first * 1000),
            outcome="OK",
            http_status=200,
            usage=usage,
            cost=None if price is None else pricing.cost(usage, price),
        )

    def _attempt(self, candidate: Candidate, **rest: object) -> Attempt:
        deployment, keys = candidate.deployment, candidate.credentials
        return Attempt(
            deployment_id=deployment.id,
            provider=deployment.provider.slug,
            model=deployment.name,
            credential_id=keys[0].id if keys else None,
            key_owner=candidate.key_owner,
            **rest,  # type: ignore[arg-type]
        )

    def _closed(self, bare: Outcome, candidate: Candidate, attempts: list[Attempt]) -> Outcome:
        deployment, last = candidate.deployment, attempts[-1]
        price = deployment.price_at(bare.started_at)
        is_cancelled = self.chance.random() < 0.006
        return msgspec.structs.replace(
            bare,
            status=UsageStatus.CANCELLED if is_cancelled else UsageStatus.OK,
            error_class=None,
            usage_source=UsageSource.PROVIDER,
            latency_ms=last.started_ms + last.latency_ms,
            first_token_ms=last.started_ms + (last.first_token_ms or 0) if bare.streamed else None,
            provider_id=deployment.provider.id,
            provider_slug=deployment.provider.slug,
            model_id=deployment.id,
            model_name=deployment.name,
            price_id=None if price is None else price.id,
            key_owner=candidate.key_owner,
            usage=last.usage or TokenUsage(),
            cost=last.cost,
            attempts=tuple(attempts),
        )
