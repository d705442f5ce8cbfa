"""Which deployments may serve a request, and exactly why the others may not."""

import uuid
from collections.abc import Iterable, Iterator

import msgspec

from domain.decision import Exclusion, Reason
from domain.health import PRIOR, Health, Live, Pace, Vitals
from domain.request import RequestFacts
from domain.routing import expect
from domain.routing.index import Demand, Entry
from domain.routing.keys import Keys, keys_of
from domain.routing.lots import draw
from domain.routing.score import Contender, Estimate
from domain.ruleset import Strategy
from domain.snapshot import (
    Capability,
    Credential,
    Deployment,
    KeyOwner,
    Modality,
    Provider,
    Snapshot,
)

DOUBT = 8
"""Of a prompt, the part that may not be there: code in JSON counts so much more than it is."""
_NO_KEY = Exclusion(Reason.NO_KEY)
_SPARED = 1.0
"""Seconds after which a request that a limited key was spared might be taken."""

TEMPORARY = frozenset({Reason.CIRCUIT_OPEN, Reason.KEY_LIMITED})
"""Reasons that pass by themselves: the last candidate is never lost to them."""


class Option(msgspec.Struct, eq=False, gc=False):
    """A deployment under consideration. `by_level`: a member of auto, so its level counts.

    `back_at` (Unix seconds) is when a temporary exclusion ends, `listed_at` the place in the list
    of fallbacks. `exempt`: named beside auto, so that its level does not count.
    `output` and `cost` (nano-USD) are what is expected of it.
    """

    entry: Entry
    keys: Keys
    vitals: Vitals | None
    by_level: bool
    exclusions: tuple[Exclusion, ...]
    credentials: tuple[Credential, ...]
    back_at: float = 0.0
    listed_at: int | None = None
    is_fallback: bool = False
    exempt: bool = False
    output: int = 0
    cost: int | None = None

    @property
    def payer(self) -> KeyOwner | None:
        """Whose key would be tried first."""
        return self.credentials[0].owner_kind if self.credentials else self.keys.owner

    @property
    def passes_by_itself(self) -> bool:
        return bool(self.exclusions) and all(x.reason in TEMPORARY for x in self.exclusions)


class Examiner:
    """Looks at deployments for one request; what it finds of a provider is found once."""

    def __init__(
        self, snapshot: Snapshot, facts: RequestFacts, live: Live, strategy: Strategy
    ) -> None:
        self._snapshot = snapshot
        self._facts = facts
        self.now = facts.now
        self._live = live
        self._vitals = live.vitals
        self._paces = live.paces
        self.assumption = snapshot.assumed
        self._regions = snapshot.ruleset.regions
        self._by_cost = strategy is Strategy.COST
        self._seed = facts.id.bytes
        self._keys: dict[str, Keys] = {}
        embeds = Modality.EMBEDDING in facts.modalities
        self.demand = Demand(
            needs=facts.needs | {Capability.STREAMING} if facts.stream else facts.needs,
            modalities=facts.modalities - {Modality.EMBEDDING},
            answer=Modality.EMBEDDING if embeds else Modality.TEXT,
            tokens=facts.input_tokens + (facts.max_tokens or 0),
            longest=facts.max_tokens,
        )

    def examine(self, entry: Entry, *, by_level: bool, named: bool) -> Option:
        """`named`: asked for by its reference, so that an unknown price is no obstacle."""
        deployment, price = entry.deployment, entry.price
        vitals = self._vitals.get(deployment.id)
        keys = self.keys_of(deployment.provider)
        option = Option(entry, keys, vitals, by_level, (), keys.credentials)
        exclusions = self._unsuited(deployment, by_level)
        if price is None and (by_level or (self._by_cost and not named) or self._unpaid(option)):
            exclusions.append(Exclusion(Reason.PRICE_UNKNOWN))
        option.output, option.cost = expect.answer(entry, self._facts, vitals)
        if not keys.available:
            exclusions.append(_NO_KEY)
        elif self._live.resting or self._live.shares:
            exclusions += self._resting(option)
        if vitals is not None and vitals.is_tripped:
            exclusions += self._tripped(option, vitals)
        if exclusions:
            option.exclusions = tuple(exclusions)
        return option

    def again(self, option: Option) -> Option:
        """The option for another request, where nothing but tokens and chance are to be seen to."""
        made = msgspec.structs.replace(option)
        made.output, made.cost = expect.answer(option.entry, self._facts, option.vitals)
        if len(option.credentials) > 1:
            made.keys = self.keys_of(option.entry.deployment.provider)
            made.credentials = made.keys.credentials
        return made

    def _unpaid(self, option: Option) -> bool:
        """With credits enforced, whoever goes out with a key of the house needs a price."""
        return self._snapshot.credits.enforced and option.payer in (None, KeyOwner.SYSTEM)

    def estimate(self, option: Option, place: int = 0) -> Estimate:
        deployment, facts = option.entry.deployment, self._facts
        pace = self.pace(option)
        cost, output = option.cost, option.output
        return Estimate(
            deployment.id,
            deployment.canonical_name,
            cost,
            None if cost is None else expect.effective_price(cost, facts.input_tokens + output),
            expect.seconds(pace.ttft, pace.speed, output, stream=facts.stream),
            self.quality(deployment),
            option.vitals is not None and option.vitals.is_degraded,
            deployment.provider.priority,
            place,
        )

    def pace(self, option: Option) -> Pace | Vitals:
        return option.vitals or self._pace_of(option.entry.deployment)

    def _pace_of(self, deployment: Deployment) -> Pace:
        return self._paces.get(deployment.provider.id, PRIOR) if self._paces else PRIOR

    def quality(self, deployment: Deployment) -> float:
        if deployment.quality is None:
            return self.assumption.quality
        return deployment.quality

    def contest(self, entries: Iterable[Entry]) -> Iterator[Contender]:
        """What ranking reads of entries of known price, without looking further at them."""
        facts, seen = self._facts, self._vitals.get
        tokens, stream = facts.input_tokens, facts.stream
        answer, priced, timed = expect.answer, expect.effective_price, expect.seconds
        paces, assumed = self._paces, self.assumption.quality
        for entry in entries:
            deployment = entry.deployment
            vitals = seen(deployment.id)
            output, cost = answer(entry, facts, vitals)
            pace = vitals or (paces.get(deployment.provider.id, PRIOR) if paces else PRIOR)
            quality = deployment.quality
            yield (
                cost or 0,
                priced(cost or 0, tokens + output),
                timed(pace.ttft, pace.speed, output, stream=stream),
                assumed if quality is None else quality,
                vitals is not None and vitals.health is Health.DEGRADED,
                deployment.provider.priority,
            )

    def _unsuited(self, deployment: Deployment, by_level: bool) -> list[Exclusion]:
        """What the deployment itself cannot or may not do."""
        reasons = []
        if not (deployment.enabled and deployment.provider.enabled):
            reasons.append(Exclusion(Reason.DISABLED))
        demand = self.demand
        if not demand.needs <= deployment.capabilities:
            missing = ", ".join(sorted(demand.needs - deployment.capabilities))
            reasons.append(Exclusion(Reason.CAPABILITY, detail=missing))
        if (
            not demand.modalities <= deployment.input_modalities
            or demand.answer not in deployment.output_modalities
        ):
            missing = ", ".join(sorted(demand.modalities - deployment.input_modalities))
            reasons.append(Exclusion(Reason.MODALITY, detail=missing or demand.answer.value))
        if self.is_outside(deployment.provider):
            reasons.append(Exclusion(Reason.REGION, detail=deployment.provider.region))
        window, longest = deployment.context_length, deployment.max_output_tokens
        over = window is not None and demand.tokens > window
        if over and demand.tokens > (window or 0) + self._doubt(deployment):
            reasons.append(Exclusion(Reason.CONTEXT_WINDOW, demand.tokens, window))
        asked = demand.longest
        if by_level and asked is not None and longest is not None and asked > longest:
            reasons.append(Exclusion(Reason.OUTPUT_LIMIT, asked, longest))
        return reasons

    def _doubt(self, deployment: Deployment) -> int:
        """Tokens by which our count of a prompt may be too high. Who names one deployment would get
        no answer for that: its provider knows, and to be refused there costs nothing."""
        return self._facts.input_tokens // DOUBT if deployment.reference == self._facts.model else 0

    def _resting(self, option: Option) -> list[Exclusion]:
        """Leaves the keys that may be used now."""
        id = option.entry.deployment.id
        rests = [(self._back(key, id), key) for key in option.keys.credentials or (None,)]
        option.credentials = tuple(key for until, key in rests if key and until <= self.now)
        earliest = min(until for until, _ in rests)
        if earliest <= self.now:
            return []
        option.back_at = earliest
        return [Exclusion(Reason.KEY_LIMITED, available=int(earliest))]

    def _back(self, key: Credential | None, deployment_id: uuid.UUID) -> float:
        """When this key may be used there, as far as this request is concerned."""
        until = self._live.rests_until(key, deployment_id)
        share = self._live.share_of(key, deployment_id)
        if until > self.now or share >= 1.0:
            return until
        lot = deployment_id if key is None else uuid.UUID(int=deployment_id.int ^ key.id.int)
        return until if draw(self._seed, lot) < share else self.now + _SPARED

    def _tripped(self, option: Option, vitals: Vitals) -> list[Exclusion]:
        if vitals.admits(self.now, draw(self._seed, option.entry.deployment.id)):
            return []
        option.back_at = max(option.back_at, vitals.retry_at)
        return [Exclusion(Reason.CIRCUIT_OPEN, available=int(vitals.retry_at))]

    def is_outside(self, provider: Provider) -> bool:
        """Of the regions the rules allow; where a provider's is unknown, it is."""
        return self._regions is not None and provider.region not in self._regions

    def keys_of(self, provider: Provider) -> Keys:
        keys = self._keys.get(provider.slug)
        if keys is None:
            found = keys_of(self._snapshot, provider, self._facts, self._live.resting)
            keys = self._keys[provider.slug] = found
        return keys
