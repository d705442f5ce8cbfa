"""Turns rows of configuration into the immutable snapshot that the data plane runs on."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from db.queries.snapshot import ConfigurationRows
from domain.installation import SettingName
from domain.routing.expect import assumption
from domain.routing.index import index_of
from domain.routing.keys import pools_of
from domain.ruleset import RuleBody, RuleScope, Ruleset, ScopedRules, override
from domain.snapshot import (
    Capability,
    Credential,
    CredentialState,
    CreditSettings,
    Deployment,
    KeyOwner,
    KeyPolicy,
    Modality,
    Price,
    Provider,
    ProviderType,
    Snapshot,
    Timeouts,
)


class Essence(msgspec.Struct, frozen=True):
    """What a snapshot is made of, without its indexes: the form that is kept on disk."""

    number: int
    loaded_at: float
    deployments: tuple[Deployment, ...]
    credentials: tuple[Credential, ...]
    ruleset: Ruleset
    credits: CreditSettings = CreditSettings()
    scoped: dict[uuid.UUID, ScopedRules] = {}


def snapshot_of(rows: ConfigurationRows, loaded_at: float) -> Snapshot:
    """Disabled providers and models stay in, so that a refusal can name them.

    `loaded_at` is Unix seconds. Raises `ValueError` for a row this version does not understand.
    """
    providers = {row.id: provider_of(row) for row in rows.providers}
    prices: dict[uuid.UUID, list[Price]] = defaultdict(list)
    for row in rows.prices:
        prices[row.model_id].append(_price(row))
    return build(
        Essence(
            number=rows.number,
            loaded_at=loaded_at,
            deployments=tuple(
                _deployment(row, providers[row.provider_id], tuple(prices[row.id]))
                for row in rows.models
            ),
            credentials=tuple(_credential(row) for row in rows.credentials),
            ruleset=_ruleset(rows.rules),
            credits=_credits(rows.settings),
            scoped=_scoped(rows.rules),
        )
    )


def build(essence: Essence) -> Snapshot:
    """Add the indexes, those of routing among them, so that no request waits for them."""
    by_name: dict[str, dict[uuid.UUID, Deployment]] = defaultdict(dict)
    for deployment in essence.deployments:
        by_name[deployment.name][deployment.id] = deployment
        by_name[deployment.canonical_name][deployment.id] = deployment
    credentials: dict[uuid.UUID, list[Credential]] = defaultdict(list)
    for credential in essence.credentials:
        credentials[credential.provider_id].append(credential)
    snapshot = Snapshot(
        number=essence.number,
        loaded_at=essence.loaded_at,
        deployments={deployment.id: deployment for deployment in essence.deployments},
        by_reference={deployment.reference: deployment for deployment in essence.deployments},
        by_name={name: tuple(found.values()) for name, found in by_name.items()},
        credentials={provider: tuple(found) for provider, found in credentials.items()},
        ruleset=essence.ruleset,
        scoped=essence.scoped,
        assumed=assumption(essence.deployments),
        credits=essence.credits,
    )
    index_of(snapshot, snapshot.loaded_at)
    pools_of(snapshot)
    return snapshot


def essence_of(snapshot: Snapshot, confirmed_at: float) -> Essence:
    """The reverse of `build`, dated to when it was last known to be current (Unix seconds)."""
    return Essence(
        number=snapshot.number,
        loaded_at=confirmed_at,
        deployments=tuple(snapshot.deployments.values()),
        credentials=tuple(c for found in snapshot.credentials.values() for c in found),
        ruleset=snapshot.ruleset,
        credits=snapshot.credits,
        scoped=snapshot.scoped,
    )


def _ruleset(rules: Iterable[Any]) -> Ruleset:
    for row in rules:
        if row.scope == RuleScope.GLOBAL:
            body = msgspec.convert(row.body, RuleBody)
            return override(Ruleset(), body, RuleScope.GLOBAL, row.version)
    return Ruleset()


def _scoped(rules: Iterable[Any]) -> dict[uuid.UUID, ScopedRules]:
    return {
        row.scope_id: ScopedRules(
            RuleScope(row.scope), row.version, msgspec.convert(row.body, RuleBody)
        )
        for row in rules
        if row.scope_id is not None
    }


def _credits(settings: Iterable[Any]) -> CreditSettings:
    found = {row.name: row.body for row in settings}
    return msgspec.convert(found.get(SettingName.CREDITS, {}), CreditSettings)


def provider_of(row: Any) -> Provider:
    """A provider row as the value that the data plane and the probe use."""
    defaults, options = Timeouts(), row.options
    return Provider(
        id=row.id,
        slug=row.slug,
        type=ProviderType(row.type),
        base_url=row.base_url,
        enabled=row.enabled,
        region=row.region,
        priority=row.priority,
        timeouts=Timeouts(
            connect_ms=options.get("connect_timeout_ms") or defaults.connect_ms,
            first_token_ms=options.get("first_token_timeout_ms"),
            total_ms=options.get("total_timeout_ms") or defaults.total_ms,
        ),
    )


def _price(row: Any) -> Price:
    return Price(
        id=row.id,
        valid_from=row.valid_from.timestamp(),
        input=row.input,
        output=row.output,
        cached_input=row.cached_input,
        cache_write=row.cache_write,
        cache_write_1h=row.cache_write_1h,
        reasoning=row.reasoning,
    )


def _deployment(row: Any, provider: Provider, prices: tuple[Price, ...]) -> Deployment:
    return Deployment(
        id=row.id,
        provider=provider,
        name=row.name,
        canonical_name=row.canonical_name,
        display_name=row.display_name,
        context_length=row.context_length,
        max_output_tokens=row.max_output_tokens,
        input_modalities=frozenset(map(Modality, row.input_modalities)),
        output_modalities=frozenset(map(Modality, row.output_modalities)),
        capabilities=frozenset(map(Capability, row.capabilities)),
        level_pin=row.level_pin,
        quality=row.quality,
        quality_source=row.quality_source,
        enabled=row.enabled,
        prices=prices,
    )


def _credential(row: Any) -> Credential:
    return Credential(
        id=row.id,
        provider_id=row.provider_id,
        owner_kind=KeyOwner(row.owner_kind),
        owner_id=row.owner_id,
        version=row.version,
        destination=row.destination,
        master_key_id=row.master_key_id,
        ciphertext=row.ciphertext,
        weight=row.weight,
        state=CredentialState(row.state),
        policy=KeyPolicy(row.policy),
        spend_per_month=row.spend_per_month,
    )
