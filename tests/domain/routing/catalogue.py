"""Small catalogues for tests of routing: every value has a default, ids follow from names."""

import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from domain.health import Vitals
from domain.request import RequestFacts
from domain.ruleset import Ruleset, ScopedRules
from domain.snapshot import (
    Capability,
    Credential,
    CredentialState,
    Deployment,
    KeyOwner,
    KeyPolicy,
    Price,
    Provider,
    ProviderType,
    Snapshot,
)

NOW = 1_760_000_000.0
USER = uuid.uuid5(uuid.NAMESPACE_URL, "user")


def identity(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, name)


def provider(
    slug: str,
    *,
    type: ProviderType = ProviderType.CUSTOM,
    enabled: bool = True,
    priority: int = 100,
    region: str | None = None,
) -> Provider:
    return Provider(
        identity(slug), slug, type, f"https://{slug}.test/v1", enabled, region, priority
    )


def price(input: float, output: float, cached: float | None = None) -> Price:
    """In $ per 1M tokens."""
    return Price(
        identity(f"{input}/{output}"),
        0.0,
        round(input * 1e6),
        round(output * 1e6),
        None if cached is None else round(cached * 1e6),
    )


def deployment(
    reference: str,
    cost: Price | None,
    *,
    at: Provider | None = None,
    canonical: str | None = None,
    quality: float | None = 0.7,
    context: int | None = 128_000,
    longest: int | None = None,
    capabilities: Iterable[Capability] = (Capability.STREAMING,),
    pin: str | None = None,
    enabled: bool = True,
) -> Deployment:
    slug, _, name = reference.partition("/")
    return Deployment(
        id=identity(reference),
        provider=at or provider(slug),
        name=name,
        canonical_name=canonical or name,
        display_name=name,
        context_length=context,
        max_output_tokens=longest,
        capabilities=frozenset(capabilities),
        level_pin=pin,
        quality=quality,
        enabled=enabled,
        prices=() if cost is None else (cost,),
    )


def credential(
    name: str,
    at: Provider,
    *,
    owner: KeyOwner = KeyOwner.SYSTEM,
    owner_id: uuid.UUID | None = None,
    weight: int = 1,
    state: CredentialState = CredentialState.ACTIVE,
    policy: KeyPolicy = KeyPolicy.ONLY_MINE,
) -> Credential:
    return Credential(
        identity(name),
        at.id,
        owner,
        owner_id,
        1,
        at.base_url,
        "k1",
        b"sealed",
        weight,
        state,
        policy,
    )


def snapshot(
    *deployments: Deployment,
    ruleset: Ruleset | None = None,
    credentials: Iterable[Credential] = (),
    scoped: dict[uuid.UUID, ScopedRules] | None = None,
) -> Snapshot:
    by_name: dict[str, dict[uuid.UUID, Deployment]] = {}
    for one in deployments:
        by_name.setdefault(one.name, {})[one.id] = one
        by_name.setdefault(one.canonical_name, {})[one.id] = one
    keys: dict[uuid.UUID, tuple[Credential, ...]] = {}
    for key in credentials:
        keys[key.provider_id] = (*keys.get(key.provider_id, ()), key)
    return Snapshot(
        number=7,
        loaded_at=NOW,
        deployments={one.id: one for one in deployments},
        by_reference={one.reference: one for one in deployments},
        by_name={name: tuple(found.values()) for name, found in by_name.items()},
        credentials=keys,
        ruleset=ruleset or Ruleset(),
        scoped=scoped or {},
    )


def request(model: str = "auto", **changes: Any) -> RequestFacts:
    plain = RequestFacts(
        id=identity("request"), now=NOW, model=model, user_id=USER, input_tokens=1_000
    )
    return msgspec.structs.replace(plain, **changes)


def vitals(ttft: float, speed: float, **changes: Any) -> Vitals:
    """Seconds, and tokens a second."""
    return Vitals(at=NOW, ttft=ttft, ttft_p95=2 * ttft, speed=speed, **changes)
