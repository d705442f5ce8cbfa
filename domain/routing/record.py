"""Writes down what a decision saw of a candidate, and reads it back for ranking."""

from typing import Any

from domain.decision import Basis, CandidateRecord, OutputBasis, Request, Rules
from domain.health import Health, Vitals, Warmth
from domain.routing import expect
from domain.routing.filters import Examiner, Option
from domain.routing.resolve import Resolution
from domain.routing.score import Estimate, Scale
from domain.ruleset import ALIASES, RuleScope, Ruleset, alias_field
from domain.snapshot import Assumption, Deployment


def record_of(option: Option, examiner: Examiner) -> CandidateRecord:
    entry, vitals = option.entry, option.vitals
    deployment = entry.deployment
    pace = examiner.pace(option)
    own_name = deployment.canonical_name == deployment.name
    return CandidateRecord(
        deployment_id=deployment.id,
        reference=entry.reference,
        canonical_name=None if own_name else deployment.canonical_name,
        expected_cost=option.cost,
        output=option.output,
        output_basis=(
            OutputBasis.OBSERVED if vitals and vitals.output is not None else OutputBasis.ASSUMED
        ),
        ttft=pace.ttft,
        ttft_p95=vitals.ttft_p95 if vitals else None,
        speed=pace.speed,
        samples=vitals.samples if vitals else 0,
        warmth=vitals.warmth if vitals else Warmth.COLD,
        age=age_of(vitals, examiner.now),
        **_quality(deployment, examiner.assumption),
        level=entry.level,
        pinned=deployment.level_pin is not None,
        list_price=entry.list_price,
        priority=deployment.provider.priority,
        health=vitals.health_at(examiner.now) if vitals else Health.UNKNOWN,
        fallback=option.is_fallback,
        exempt=option.exempt,
        key_owner=option.payer,
        exclusions=option.exclusions,
    )


def age_of(vitals: Vitals | None, now: float) -> int | None:
    """Whole seconds since a deployment was last observed."""
    return None if vitals is None else max(0, int(now - vitals.at))


def _quality(deployment: Deployment, assumption: Assumption) -> dict[str, Any]:
    if deployment.quality is not None:
        cited = deployment.quality_source is not None
        return {
            "quality": deployment.quality,
            "basis": Basis.BENCHMARK if cited else Basis.USER,
        }
    return {
        "quality": assumption.quality,
        "quality_low": assumption.low,
        "quality_high": assumption.high,
        "quality_samples": assumption.known,
        "basis": Basis.ASSUMED,
    }


def rules_record(ruleset: Ruleset, scale: Scale, found: Resolution, holder: str | None) -> Rules:
    """What the rules said to one request; of aliases only those it went through."""
    passed = {alias_field(name) for name in found.chain}
    origins: dict[RuleScope, list[str]] = {}
    for field, scope in ruleset.origins.items():
        if not field.startswith(f"{ALIASES}.") or field in passed:
            origins.setdefault(scope, []).append(field)
    return Rules(
        versions=ruleset.versions,
        strategy=scale.strategy,
        weights=scale.weights,
        anchors=scale.anchors,
        eco_below=ruleset.eco_below,
        precision_from=ruleset.precision_from,
        priority_tiers=scale.tiers,
        max_attempts=ruleset.max_attempts,
        regions=ruleset.regions,
        content_filter_fallback=ruleset.content_filter_fallback,
        origins={scope: tuple(fields) for scope, fields in origins.items()},
        said=found.said,
        holder=holder,
    )


def estimate_of(record: CandidateRecord, request: Request) -> Estimate:
    """The same estimate that the decision ranked: every figure follows from the record."""
    cost = record.expected_cost
    tokens = request.input_tokens + record.output
    return Estimate(
        record.deployment_id,
        record.canonical_name or record.reference.partition("/")[2],
        cost,
        None if cost is None else expect.effective_price(cost, tokens),
        expect.seconds(record.ttft, record.speed, record.output, stream=request.stream),
        record.quality,
        record.health is Health.DEGRADED,
        record.priority,
    )
