"""What was planned for a request of the same kind, so that only what differs is looked at again.

Requests are of one kind when they differ in nothing but their size, their time, their session and
their id. Where one deployment alone may serve one of them, and no circuit, limit or fallback has a
say, it alone serves the others: as long as its price holds and its window takes them.
"""

import uuid
from typing import TypeAlias

import msgspec

from domain.decision import CandidateRecord, Decision
from domain.health import Live
from domain.request import RequestFacts
from domain.routing import expect
from domain.routing.filters import Option
from domain.routing.gather import Pool
from domain.routing.index import index_of, window_of
from domain.routing.keys import keys_of, pools_of
from domain.routing.lots import digest
from domain.routing.planned import Candidate, Plan
from domain.routing.record import age_of
from domain.snapshot import Credential, Snapshot

_MOST_KEPT = 1_000

Kind: TypeAlias = tuple[object, ...]


class Precedent(msgspec.Struct, frozen=True):
    """A plan of one candidate, true from `since` until just before `until` (Unix seconds)."""

    plan: Plan
    option: Option
    since: float
    until: float
    window: float

    def holds(self, facts: RequestFacts) -> bool:
        """Whether it says what a request of its kind would be told."""
        tokens = facts.input_tokens + (facts.max_tokens or 0)
        return tokens <= self.window and self.since <= facts.now < self.until

    def follow(self, snapshot: Snapshot, facts: RequestFacts, live: Live) -> Plan:
        """The same plan, made for `facts`."""
        option, before = self.option, self.plan
        output, cost = expect.answer(option.entry, facts, option.vitals)
        (record,), (candidate,) = before.decision.candidates, before.candidates
        credentials = candidate.credentials
        if len(credentials) > 1:
            # Chance may have a say in their order.
            provider = option.entry.deployment.provider
            credentials = keys_of(snapshot, provider, facts, live.resting).credentials
        return Plan(
            self._decision(record, facts, live, output, cost),
            (
                Candidate(
                    candidate.deployment, candidate.price, credentials, candidate.key_owner, cost
                ),
            ),
            None,
            before.attempts,
            before.passes_filter,
        )

    def _decision(
        self,
        record: CandidateRecord,
        facts: RequestFacts,
        live: Live,
        output: int,
        cost: int | None,
    ) -> Decision:
        decision = self.plan.decision
        request = msgspec.structs.replace(
            decision.request,
            input_tokens=facts.input_tokens,
            input_estimated=facts.input_estimated,
            max_tokens=facts.max_tokens,
            session=None if facts.session is None else digest(facts.session),
        )
        seen = msgspec.structs.replace(
            record, output=output, expected_cost=cost, age=age_of(self.option.vitals, facts.now)
        )
        return msgspec.structs.replace(
            decision,
            id=facts.id,
            at=facts.now,
            live_age=live.age(facts.now),
            request=request,
            candidates=(seen,),
        )


class Precedents:
    """Of one snapshot and one view of what is observed: they end with either."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._own = pools_of(snapshot).owners | snapshot.scoped.keys()
        self._known: dict[Kind, Precedent] = {}

    def __len__(self) -> int:
        return len(self._known)

    def kind(self, facts: RequestFacts) -> Kind:
        """All that a plan depends on, but for what `Precedent.follow` looks at."""
        return (
            facts.model,
            facts.stream,
            facts.needs,
            facts.modalities,
            facts.task,
            facts.allowed_models,
            self._with_own(facts.organization_id),
            self._with_own(facts.user_id),
        )

    def find(self, kind: Kind, facts: RequestFacts) -> Precedent | None:
        found = self._known.get(kind)
        return found if found is not None and found.holds(facts) else None

    def keep(self, kind: Kind, facts: RequestFacts, live: Live, pool: Pool, planned: Plan) -> None:
        """Of a plan that was made from `pool`, if it may be followed."""
        if not _is_alone(pool) or not _is_calm(pool.named[0], live):
            return
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        option, index = pool.named[0], index_of(self.snapshot, facts.now)
        self._known[kind] = Precedent(
            planned, option, index.since, index.until, window_of(option.entry.deployment)
        )

    def _with_own(self, id: uuid.UUID | None) -> uuid.UUID | None:
        """Whoever has no keys and rules of their own is like anybody else."""
        return id if self._own and id in self._own else None


def precedents_of(snapshot: Snapshot, live: Live) -> Precedents:
    """Kept with the view, which is made anew more often than a snapshot."""
    found: Precedents | None = live.derived.get(Precedents)
    if found is None or found.snapshot is not snapshot:
        found = live.derived[Precedents] = Precedents(snapshot)
    return found


def _is_alone(pool: Pool) -> bool:
    """Without `members`, a level says nothing."""
    return pool.members is None and not pool.fallbacks and len(pool.named) == 1


def _is_calm(option: Option, live: Live) -> bool:
    """Whether nothing that ends by itself, or that chance decides, is known of it or its keys."""
    return option.entry.deployment.id not in live.unusual and not any(
        _rests(key, live) for key in option.keys.credentials
    )


def _rests(key: Credential, live: Live) -> bool:
    return (key.id, key.version, None) in live.resting
