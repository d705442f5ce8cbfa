"""Whose key pays for a request, and in which order keys are tried: decided here alone."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import msgspec

from domain.health.live import Rest
from domain.request import RequestFacts
from domain.routing.lots import weighted
from domain.snapshot import (
    Credential,
    CredentialState,
    KeyOwner,
    KeyPolicy,
    Provider,
    ProviderType,
    Snapshot,
)


class Keys(NamedTuple):
    """`credentials` in the order to try, `owner` of the first.

    `available` False: this provider needs a key and the caller has none that works.
    """

    credentials: tuple[Credential, ...]
    owner: KeyOwner | None
    available: bool


NONE = Keys((), None, available=False)
KEYLESS = Keys((), None, available=True)
NOT_RESTING: Mapping[Rest, float] = MappingProxyType({})

_STRICTEST_FIRST = (KeyPolicy.ONLY_MINE, KeyPolicy.MINE_THEN_SYSTEM, KeyPolicy.SYSTEM_THEN_MINE)
_NARROWEST_FIRST = (KeyOwner.USER, KeyOwner.ORGANIZATION, KeyOwner.SYSTEM)
_Owner: TypeAlias = tuple[uuid.UUID, KeyOwner, uuid.UUID | None]


class Pools(msgspec.Struct, frozen=True):
    """The keys of each owner at each provider, so that no request looks through other people's.

    `owners` are the organisations and people who have any. `system` are the installation's own by
    provider, filled as they are asked for, where chance has no say in their order.
    """

    by_owner: dict[_Owner, tuple[Credential, ...]]
    owners: frozenset[uuid.UUID]
    system: dict[uuid.UUID, Keys]


def pools_of(snapshot: Snapshot) -> Pools:
    """Worked out once for a snapshot."""
    pools: Pools | None = snapshot.derived.get(Pools)
    if pools is None:
        found: dict[_Owner, list[Credential]] = defaultdict(list)
        for key in chain.from_iterable(snapshot.credentials.values()):
            found[key.provider_id, key.owner_kind, key.owner_id].append(key)
        pools = snapshot.derived[Pools] = Pools(
            {owner: tuple(keys) for owner, keys in found.items()},
            frozenset(id for _, _, id in found if id is not None),
            {},
        )
    return pools


def keys_of(
    snapshot: Snapshot,
    provider: Provider,
    facts: RequestFacts,
    resting: Mapping[Rest, float] = NOT_RESTING,
) -> Keys:
    """The installation's keys, then what the organisation's policy makes of them, then what the
    caller's makes of those: to each, SYSTEM is whatever would serve without keys of its own.

    `resting` tells which keys were refused (`Live.resting`). An own key that was refused, or that
    no longer works, is an error and never a switch to another's money.
    """
    pools = pools_of(snapshot)
    keys = pools.system.get(provider.id)
    if keys is None:
        pool = pools.by_owner.get((provider.id, KeyOwner.SYSTEM, None), ())
        keys = _of_system(pool, provider, facts)
        if len(keys.credentials) < 2:
            pools.system[provider.id] = keys
    if not pools.owners:
        return keys
    for kind, id in (
        (KeyOwner.ORGANIZATION, facts.organization_id),
        (KeyOwner.USER, facts.user_id),
    ):
        own = None if id is None else pools.by_owner.get((provider.id, kind, id))
        if own:
            keys = _joined(own, keys, facts, resting)
    return keys


def _of_system(pool: Sequence[Credential], provider: Provider, facts: RequestFacts) -> Keys:
    active = _active(pool, facts)
    if active:
        return Keys(active, KeyOwner.SYSTEM, available=True)
    return KEYLESS if not pool and provider.type is ProviderType.CUSTOM else NONE


def _joined(
    own: Sequence[Credential], others: Keys, facts: RequestFacts, resting: Mapping[Rest, float]
) -> Keys:
    """Where one owner's keys differ in policy, the strictest of them counts for all."""
    policy = min((key.policy for key in own), key=_STRICTEST_FIRST.index)
    active = _active(own, facts)
    credentials = active
    if policy is KeyPolicy.SYSTEM_THEN_MINE:
        credentials = (*others.credentials, *active)
        if not credentials:
            return others
    elif policy is KeyPolicy.MINE_THEN_SYSTEM and _some_taken(active, facts, resting):
        credentials = (*active, *others.credentials)
    if not credentials:
        return NONE
    return Keys(credentials, credentials[0].owner_kind, available=True)


def _active(pool: Sequence[Credential], facts: RequestFacts) -> tuple[Credential, ...]:
    active = tuple(key for key in pool if key.state is CredentialState.ACTIVE)
    return active if len(active) < 2 else weighted(facts.id.bytes, active)


def _some_taken(
    keys: Sequence[Credential], facts: RequestFacts, resting: Mapping[Rest, float]
) -> bool:
    """Whether the provider still takes any: one that it refuses rests at all its deployments."""
    return any(resting.get((key.id, key.version, None), 0.0) <= facts.now for key in keys)


def after_refusal(keys: Sequence[Credential], of: KeyOwner) -> tuple[Credential, ...]:
    """Those that may still be tried once a key of this owner was refused: its own, and those of
    anybody whom it was to spare."""
    narrowest = _NARROWEST_FIRST.index(of)
    return tuple(key for key in keys if _NARROWEST_FIRST.index(key.owner_kind) <= narrowest)


def after_limit(keys: Sequence[Credential], of: KeyOwner) -> tuple[Credential, ...]:
    """Those that may still be tried once a key of this owner was at its limit: other owners'."""
    return tuple(key for key in keys if key.owner_kind is not of)
