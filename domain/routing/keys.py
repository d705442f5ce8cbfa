"""Whose key pays for a request, and in which order the keys of a pool are tried."""

import uuid
from typing import NamedTuple

from domain.request import RequestFacts
from domain.routing.lots import weighted
from domain.snapshot import (
    Credential,
    CredentialState,
    KeyOwner,
    Provider,
    ProviderType,
    Snapshot,
)


class Keys(NamedTuple):
    """`available` False: this provider needs a key and the caller has none that works."""

    credentials: tuple[Credential, ...]
    owner: KeyOwner | None
    available: bool


NONE = Keys((), None, available=False)
KEYLESS = Keys((), None, available=True)


def keys_of(snapshot: Snapshot, provider: Provider, facts: RequestFacts) -> Keys:
    """The owner policy is decided here and nowhere else.

    The caller's own keys come first and alone, then the organisation's, then the installation's:
    a key of one's own that no longer works is an error, never a switch to another's money.
    """
    credentials = snapshot.credentials.get(provider.id)
    if not credentials:
        return KEYLESS if provider.type is ProviderType.CUSTOM else NONE
    for kind, owner_id in (
        (KeyOwner.USER, facts.user_id),
        (KeyOwner.ORGANIZATION, facts.organization_id),
        (KeyOwner.SYSTEM, None),
    ):
        owned = [key for key in credentials if _belongs(key, kind, owner_id)]
        if owned:
            active = [key for key in owned if key.state is CredentialState.ACTIVE]
            ordered = active if len(active) < 2 else weighted(facts.id.bytes, active)
            return Keys(tuple(ordered), kind, available=True) if active else NONE
    return KEYLESS if provider.type is ProviderType.CUSTOM else NONE


def _belongs(credential: Credential, kind: KeyOwner, owner_id: uuid.UUID | None) -> bool:
    if credential.owner_kind is not kind:
        return False
    return kind is KeyOwner.SYSTEM or (owner_id is not None and credential.owner_id == owner_id)
