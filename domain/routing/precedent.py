"""What was found for a request of the same kind, so that only what differs is looked at again.

Requests are of one kind when they differ in nothing but their size, their time, their session and
their id. Where no circuit and no limit has a say, whoever may serve one of them may serve the
others: as long as prices hold and every window takes them. They are ranked anew; where one alone
may serve, there is nothing to rank, and even the plan is the same but for its figures.
"""

from typing import TypeAlias

import msgspec

from domain.decision import Reason, Request
from domain.health import Live
from domain.request import RequestFacts
from domain.routing import expect
from domain.routing.filters import Option
from domain.routing.ground import Ground
from domain.routing.index import index_of, window_of
from domain.routing.keys import keys_of, pools_of
from domain.routing.lots import digest
from domain.routing.planned import Plan
from domain.routing.record import age_of
from domain.snapshot import Credential, Snapshot
from domain.tokens import BYTES_PER_TOKEN

_MOST_KEPT = 1_000

Kind: TypeAlias = tuple[object, ...]


class Precedent(msgspec.Struct, frozen=True):
    """True from `since` until just before `until` (Unix seconds), up to `window` tokens.

    `alone`: the plan that was made, where one deployment alone may serve.
    """

    ground: Ground
    since: float
    until: float
    window: float
    alone: Plan | None

    def holds(self, facts: RequestFacts) -> bool:
        """Whether it says what a request of its kind would be told."""
        tokens = facts.input_tokens + (facts.max_tokens or 0)
        return tokens <= self.window and self.since <= facts.now < self.until

    def takes_any(self, facts: RequestFacts) -> bool:
        """The same for whatever a prompt comes to whose tokens were told by its length alone."""
        longest = facts.input_tokens * BYTES_PER_TOKEN + (facts.max_tokens or 0)
        return longest <= self.window

    def follow(self, before: Plan, facts: RequestFacts, live: Live) -> Plan:
        """The plan of the one who is `alone`, made for `facts`."""
        option = self.ground.pool.named[0]
        output, cost = expect.answer(option.entry, facts, option.vitals)
        (record,), (candidate,) = before.decision.candidates, before.candidates
        if len(candidate.credentials) > 1:
            # Chance may have a say in their order.
            provider, snapshot = option.entry.deployment.provider, self.ground.snapshot
            credentials = keys_of(snapshot, provider, facts, live.resting).credentials
            candidate = msgspec.structs.replace(candidate, credentials=credentials)
        decision = msgspec.structs.replace(
            before.decision,
            id=facts.id,
            at=facts.now,
            live_age=live.age(facts.now),
            request=_request(before.decision.request, facts),
            candidates=(
                msgspec.structs.replace(
                    record,
                    output=output,
                    expected_cost=cost,
                    age=age_of(option.vitals, facts.now),
                ),
            ),
        )
        return Plan(decision, (candidate,), None, before.attempts, before.passes_filter)


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
        own, organization_id, user_id = self._own, facts.organization_id, facts.user_id
        return (
            facts.model,
            facts.stream,
            facts.needs,
            facts.modalities,
            facts.task,
            facts.allowed_models,
            # Whoever has no keys and rules of their own is like anybody else.
            organization_id if own and organization_id in own else None,
            user_id if own and user_id in own else None,
        )

    def find(self, kind: Kind, facts: RequestFacts) -> Precedent | None:
        found = self._known.get(kind)
        return found if found is not None and found.holds(facts) else None

    def keep(
        self, kind: Kind, facts: RequestFacts, live: Live, ground: Ground, planned: Plan
    ) -> None:
        """What a plan was made from, if others of its kind may be planned from it."""
        if ground.pool.members is not None:
            # They are looked at by level, size and score.
            return
        options = ground.options
        if not all(_is_calm(option, live) for option in options):
            return
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        index = index_of(self.snapshot, facts.now)
        window = min(window_of(option.entry.deployment) for option in options)
        is_alone = len(options) == len(planned.candidates) == 1
        self._known[kind] = Precedent(
            ground, index.since, index.until, window, planned if is_alone else None
        )


def precedents_of(snapshot: Snapshot, live: Live) -> Precedents:
    """Kept with the view, which is made anew more often than a snapshot."""
    found: Precedents | None = live.derived.get(Precedents)
    if found is None or found.snapshot is not snapshot:
        found = live.derived[Precedents] = Precedents(snapshot)
    return found


def _is_calm(option: Option, live: Live) -> bool:
    """Whether nothing that ends by itself, that chance decides, or that depends on a prompt's
    length is known of it or its keys."""
    return (
        option.entry.deployment.id not in live.unusual
        and not any(_rests(key, live) for key in option.keys.credentials)
        and not any(one.reason is Reason.CONTEXT_WINDOW for one in option.exclusions)
    )


def _rests(key: Credential, live: Live) -> bool:
    return (key.id, key.version, None) in live.resting


def _request(before: Request, facts: RequestFacts) -> Request:
    return msgspec.structs.replace(
        before,
        input_tokens=facts.input_tokens,
        input_estimated=facts.input_estimated,
        max_tokens=facts.max_tokens,
        session=None if facts.session is None else digest(facts.session),
    )
