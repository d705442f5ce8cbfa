"""What all processes observed of models and providers, put together."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from db.keyset import Row
from domain.health import Health, Live, Vitals
from domain.snapshot import CredentialState, Deployment, KeyOwner, ProviderType, Snapshot

_NO_LIST = frozenset({404, 405, 501})
"""Statuses of providers that have no list of models: their tests say nothing of their health."""


class HealthState(StrEnum):
    """How well an upstream answers."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    UNHEALTHY = "UNHEALTHY"
    UNKNOWN = "UNKNOWN"


_STATES = {
    Health.HEALTHY: HealthState.HEALTHY,
    Health.DEGRADED: HealthState.DEGRADED,
    Health.HALF_OPEN: HealthState.DEGRADED,
    Health.OPEN: HealthState.UNHEALTHY,
    Health.UNKNOWN: HealthState.UNKNOWN,
}
_WORST_FIRST = (Health.OPEN, Health.HALF_OPEN, Health.DEGRADED, Health.HEALTHY, Health.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Report:
    """One model as one process observed it. `limited_until` in Unix seconds, None: it is not."""

    process_id: uuid.UUID
    provider_id: uuid.UUID
    model_id: uuid.UUID
    vitals: Vitals
    limited_until: float | None


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """One model at one provider. `vitals`: of each process that observed it; `circuit`: the worst.

    `limited_until`: until then (Unix seconds) every system key rests there, in some process.
    """

    model_id: uuid.UUID
    vitals: tuple[Vitals, ...]
    circuit: Health
    limited_until: float | None


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """One provider; `disabled_reason` says why it is not used at all."""

    provider_id: uuid.UUID
    slug: str
    enabled: bool
    state: HealthState
    since: datetime
    disabled_reason: str | None
    models: tuple[ModelHealth, ...]

    @property
    def limited_until(self) -> float | None:
        """When the first model may be used again, while all of those observed are limited."""
        waits = [model.limited_until for model in self.models]
        known = [wait for wait in waits if wait is not None]
        return min(known) if known and len(known) == len(waits) else None


def joint_state(circuits: Iterable[Health]) -> HealthState:
    """The state they share; DEGRADED when they differ; UNKNOWN ones have no say."""
    states = {_STATES[circuit] for circuit in circuits} - {HealthState.UNKNOWN}
    if not states:
        return HealthState.UNKNOWN
    return states.pop() if len(states) == 1 else HealthState.DEGRADED


def reports_of(rows: Iterable[Row]) -> list[Report]:
    """Rows of reports; what another release wrote and this one cannot read is left out."""
    found = []
    for row in rows:
        with suppress(msgspec.ValidationError):
            vitals = msgspec.convert(row.vitals, Vitals)
            limit = None if row.limited_until is None else row.limited_until.timestamp()
            found.append(Report(row.process_id, row.provider_id, row.model_id, vitals, limit))
    return found


def own_reports(process_id: uuid.UUID, snapshot: Snapshot, live: Live, now: float) -> list[Report]:
    """What this process observes at this moment."""
    found = []
    for id, vitals in live.vitals.items():
        deployment = snapshot.deployments.get(id)
        if deployment is not None:
            limit = limited_until(snapshot, live, deployment, now)
            found.append(Report(process_id, deployment.provider.id, id, vitals, limit))
    return found


def model_health(reports: Sequence[Report], now: float) -> ModelHealth:
    """The reports of one model; there is at least one."""
    present = {report.vitals.health_at(now) for report in reports}
    limits = [report.limited_until for report in reports if report.limited_until is not None]
    return ModelHealth(
        model_id=reports[0].model_id,
        vitals=tuple(report.vitals for report in reports),
        circuit=next(each for each in _WORST_FIRST if each in present),
        limited_until=max((limit for limit in limits if limit > now), default=None),
    )


def provider_health(facts: Row, reports: Sequence[Report], now: float) -> ProviderHealth:
    """A provider with its models, those that fare worst first."""
    by_model: dict[uuid.UUID, list[Report]] = {}
    for report in reports:
        by_model.setdefault(report.model_id, []).append(report)
    models = [model_health(found, now) for found in by_model.values()]
    models.sort(key=lambda model: (_WORST_FIRST.index(model.circuit), model.model_id))
    reason = _disabled_reason(facts)
    state = state_of(facts, [vitals for model in models for vitals in model.vitals], now)
    same = facts.state == state and facts.since is not None
    return ProviderHealth(
        provider_id=facts.id,
        slug=facts.slug,
        enabled=facts.enabled,
        state=state,
        since=facts.since if same else datetime.fromtimestamp(now, UTC),
        disabled_reason=reason,
        models=tuple(models),
    )


def state_of(facts: Row, vitals: Sequence[Vitals], now: float) -> HealthState:
    """What traffic shows; and while there is none, what the last test found since."""
    observed = joint_state([each.health_at(now) for each in vitals])
    newest = max((each.at for each in vitals), default=0.0)
    if facts.ok is None or facts.http_status in _NO_LIST or facts.tested_at.timestamp() < newest:
        return observed
    if not facts.ok:
        return HealthState.UNHEALTHY
    return HealthState.HEALTHY if observed is HealthState.UNKNOWN else observed


def _disabled_reason(facts: Row) -> str | None:
    if not facts.enabled:
        return "It is switched off."
    if facts.usable_keys or (facts.type == ProviderType.CUSTOM and not facts.keys):
        return None
    if facts.keys:
        return "No key of the system's is in use: it was refused, or switched off."
    return "The system has no key here."


def limited_until(
    snapshot: Snapshot, live: Live, deployment: Deployment, now: float
) -> float | None:
    """Until when every system key rests at a deployment, in this process; None while one may."""
    keys = [
        key
        for key in snapshot.credentials.get(deployment.provider.id, ())
        if key.owner_kind is KeyOwner.SYSTEM and key.state is CredentialState.ACTIVE
    ]
    waits = [live.rests_until(key, deployment.id) for key in keys or (None,)]
    soonest = min(waits)
    return soonest if soonest > now else None


def has_changed(before: ProviderHealth | None, after: ProviderHealth) -> bool:
    """Whether a subscriber would see a difference; when the state began is none by itself."""
    if before is None:
        return True
    return _seen(before) != _seen(after)


def _seen(health: ProviderHealth) -> Mapping[str, object]:
    return {
        "enabled": health.enabled,
        "state": health.state,
        "disabled": health.disabled_reason,
        "models": health.models,
    }
