"""Takes in how upstream calls went, and shows it as an immutable view."""

import uuid
from collections import OrderedDict
from collections.abc import Callable, Set
from random import Random
from statistics import median

from domain.health.live import PRIOR, Failure, Health, Live, Pace, Rest, Vitals
from domain.health.observation import Observation
from domain.snapshot import Credential, Deployment
from domain.usage import TokenUsage

FORGET_AFTER = 172_800.0
LONGEST_REST = 60.0
DEFAULT_REST = 2.0
REFUSED_REST = 300.0
FIRST_CUT, NEXT_CUT, GAIN, LEAST_SHARE = 0.6, 0.8, 0.002, 0.05
"""Of its requests that a limited key takes: after a first 429, after another, a success more."""
_UNLIMITED_AFTER = 600.0
CELLS = 4_096
_IDLE_REFRESH = 60.0


class Observatory:
    """One per process; `clock` tells Unix seconds, `seed` decides the jitter of circuits.

    A view is rebuilt at most once in `interval` seconds, and at once when a circuit moved or a key
    was refused or limited. An incumbent that changed can wait: where sessions share a model among
    deployments it does with every request. Users' own endpoints are not told to it.
    """

    def __init__(self, clock: Callable[[], float], seed: int, interval: float = 1.0) -> None:
        self._clock = clock
        self._random = Random(seed)
        self._interval = interval
        self._observations: dict[uuid.UUID, Observation] = {}
        self._resting: dict[Rest, float] = {}
        self._shares: dict[Rest, tuple[float, float]] = {}
        self._incumbents: OrderedDict[str, uuid.UUID] = OrderedDict()
        self._paces: dict[uuid.UUID, Pace] = {}
        self._live = Live()
        self._moved = False

    def succeeded(
        self,
        deployment: Deployment,
        *,
        first_token: float | None,
        duration: float,
        usage: TokenUsage,
        credential: Credential | None = None,
    ) -> None:
        """A whole answer by this key; `first_token` and `duration` in seconds, None when not
        streamed.
        """
        now = self._clock()
        seen = self._of(deployment, now)
        if first_token is not None:
            seen.first_token(first_token, usage.input, now)
        seen.answer(first_token, duration, usage, now)
        if self._shares:
            self._take_more((*_of(credential), deployment.id))
        self._moved |= seen.circuit.succeeded(now)

    def failed(
        self, deployment: Deployment, failure: Failure, *, waited: float | None = None
    ) -> None:
        """A hard failure of the deployment; `waited` seconds for a first token that never came."""
        now = self._clock()
        seen = self._of(deployment, now)
        if failure is Failure.FIRST_TOKEN_TIMEOUT and waited is not None:
            seen.censored(waited, now)
        self._moved |= seen.circuit.failed(now)

    def rate_limited(
        self, deployment: Deployment, credential: Credential | None, retry_after: float | None
    ) -> None:
        """A 429: this key rests at this deployment for `retry_after` seconds, 60 at most."""
        wait = DEFAULT_REST if retry_after is None else min(max(retry_after, 0.0), LONGEST_REST)
        self._rest(credential, deployment.id, wait)
        place = (*_of(credential), deployment.id)
        share = self._shares[place][0] * NEXT_CUT if place in self._shares else FIRST_CUT
        self._shares[place] = (max(share, LEAST_SHARE), self._clock())

    def missing(self, deployment: Deployment, credential: Credential | None) -> None:
        """The provider does not have this model for this key: it rests there for 5 minutes."""
        self._rest(credential, deployment.id, REFUSED_REST)

    def refused(self, credential: Credential) -> None:
        """The provider does not take this key: it rests until its next version, until it is
        `taken` again, or 5 minutes."""
        self._rest(credential, None, REFUSED_REST)

    def taken(self, credential_ids: Set[uuid.UUID]) -> None:
        """Keys that somebody changed, or a test found good: no refusal of before counts."""
        found = [
            place for place in self._resting if place[2] is None and place[0] in credential_ids
        ]
        for place in found:
            del self._resting[place]
            self._moved = True

    def chosen(self, cell: str, deployment_id: uuid.UUID) -> None:
        """The winner of a decision, the incumbent of the next in its cell."""
        self._incumbents[cell] = deployment_id
        self._incumbents.move_to_end(cell)
        if len(self._incumbents) > CELLS:
            self._incumbents.popitem(last=False)

    def view(self, now: float) -> Live:
        """The same object until there is something new; `now` in Unix seconds."""
        due = now - self._live.built_at >= self._interval
        if due or self._moved:
            if due:
                self._tidy(now)
            # A long stream keeps its view: what was worked out from it would stay with it.
            self._live.derived.clear()
            self._live = Live(
                number=self._live.number + 1,
                built_at=now if due else self._live.built_at,
                vitals=self._vitals(now),
                paces=self._paces,
                resting=dict(self._resting),
                shares={place: share for place, (share, _) in self._shares.items()},
                incumbents=dict(self._incumbents),
            )
            self._moved = False
        return self._live

    def _of(self, deployment: Deployment, now: float) -> Observation:
        seen = self._observations.get(deployment.id)
        if seen is None:
            seen = Observation(deployment.provider.id, now, self._random)
            self._observations[deployment.id] = seen
        seen.last = seen.stale_at = now
        return seen

    def _rest(
        self, credential: Credential | None, deployment_id: uuid.UUID | None, wait: float
    ) -> None:
        self._resting[(*_of(credential), deployment_id)] = self._clock() + wait
        self._moved = True

    def _take_more(self, place: Rest) -> None:
        """A little of what the last 429 took away; the next views tell."""
        found = self._shares.get(place)
        if found is None:
            return
        share, since = found
        if share + GAIN >= 1.0:
            del self._shares[place]
        else:
            self._shares[place] = (share + GAIN, since)

    def _tidy(self, now: float) -> None:
        """Lets go of what has no bearing any more, and finds the providers' medians."""
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        self._shares = {
            place: found
            for place, found in self._shares.items()
            if now - found[1] < _UNLIMITED_AFTER
        }
        self._observations = {
            key: seen for key, seen in self._observations.items() if now - seen.last < FORGET_AFTER
        }
        paces: dict[uuid.UUID, list[Pace]] = {}
        for seen in self._observations.values():
            pace = seen.pace(now)
            if pace is not None:
                paces.setdefault(seen.provider_id, []).append(pace)
        self._paces = {
            provider_id: Pace(
                ttft=median(pace.ttft for pace in of_provider),
                speed=median(pace.speed for pace in of_provider),
            )
            for provider_id, of_provider in paces.items()
        }

    def _vitals(self, now: float) -> dict[uuid.UUID, Vitals]:
        """Looks again only where something happened, is not well, or was not looked at for long."""
        vitals = {}
        for key, seen in self._observations.items():
            if seen.vitals is None or now >= seen.stale_at:
                seen.vitals = seen.look(now, self._paces.get(seen.provider_id, PRIOR))
                well = seen.vitals.health is Health.HEALTHY
                seen.stale_at = now + (_IDLE_REFRESH if well else self._interval)
            vitals[key] = seen.vitals
        return vitals


def _of(credential: Credential | None) -> tuple[uuid.UUID | None, int]:
    return (credential.id, credential.version) if credential else (None, 0)
