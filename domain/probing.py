"""Tests of providers with their stored keys: what is kept of them, and refused keys put away."""

import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from db.keyset import Row
from db.queries import credential as credentials
from db.queries import provider as providers
from db.queries.model import cheapest_model
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.credential import opened
from domain.errors import Conflict, NotFound
from domain.ports import Cipher, ProbeResult
from domain.secret import Secret
from domain.snapshot import CredentialState, KeyOwner, ProviderType


@dataclass(frozen=True, slots=True)
class Subject:
    """A provider, and the key it is tested with; only CUSTOM ones may go without.

    `model` is asked for a token where the provider lists no models; None where it has none here.
    """

    provider: Row
    credential: Row | None
    key: Secret | None
    model: str | None = None

    @property
    def was_refused(self) -> bool:
        """A key that its provider has refused: a list of models is no proof that it serves."""
        return self.credential is not None and self.credential.state != CredentialState.ACTIVE


async def subject(
    session: AsyncSession,
    cipher: Cipher,
    provider_id: uuid.UUID,
    credential_id: uuid.UUID | None = None,
) -> Subject:
    """With that key, whoever's, else with the system's that serves most.

    Raises NotFound and Conflict.
    """
    provider = await providers.provider_by_id(session, provider_id)
    if provider is None:
        raise NotFound("There is no such provider.")
    model = await cheapest_model(session, provider_id)
    row = await credentials.usable_credential(session, provider_id, credential_id)
    if row is None:
        if provider.type == ProviderType.CUSTOM and credential_id is None:
            return Subject(provider, None, None, model)
        if credential_id is not None:
            raise Conflict("This key is not in use: give it anew, or switch it on.")
        raise Conflict(f"`{provider.slug}` has no key in use: store one first.")
    try:
        return Subject(provider, row, opened(cipher, row, provider), model)
    except ValueError:
        raise Conflict("The stored key does not belong to this address: store it anew.") from None


async def settle_test(
    session: AsyncSession,
    tested: Subject,
    found: ProbeResult,
    *,
    asked_for: AuditObject | None = None,
) -> None:
    """Keep what a test found, unless the provider has moved or gone since.

    A key that was refused is out of use from the commit on, and one that was refused before and is
    taken again is in use, unless it was given anew meanwhile;
    what was found with somebody's own key says nothing of the provider. `asked_for`: what a
    person had tested, which is written down.
    """
    provider = await providers.locked_provider(session, tested.provider.id)
    if provider is None or provider.base_url != tested.provider.base_url:
        return
    told = asdict(found)
    del told["refused"]
    told["models"] = len(found.models)
    key = tested.credential
    # What a key that was refused before is refused again says nothing new of its provider.
    news = found.ok or not tested.was_refused
    if news and (key is None or key.owner_kind == KeyOwner.SYSTEM):
        kept = {name: told[name] for name in ("ok", "latency_ms", "http_status", "error")}
        await providers.keep_test(session, provider.id, kept)
    if key is not None and (found.refused or found.ok):
        await _settle_key(session, key, found)
    if asked_for is not None:
        id = key.id if asked_for is AuditObject.CREDENTIAL and key is not None else provider.id
        await record(session, AuditAction.TEST, asked_for, id, after=told)


async def _settle_key(session: AsyncSession, tested: Row, found: ProbeResult) -> None:
    before = await credentials.locked_credential(session, tested.id)
    if before is None or before.version != tested.version:
        return
    values: dict[str, object]
    if found.refused and before.state == CredentialState.ACTIVE:
        action, now = AuditAction.DISABLE, datetime.now(UTC)
        values = {"state": CredentialState.DISABLED, "state_reason": found.error}
        values |= {"refused_at": now, "probed_at": None}
    elif found.ok and before.state == CredentialState.DISABLED and before.refused_at is not None:
        action = AuditAction.ENABLE
        values = {"state": CredentialState.ACTIVE, "state_reason": None, "refused_at": None}
    else:
        return
    after = await credentials.change_credential(session, before.id, values)
    await record(session, action, AuditObject.CREDENTIAL, before.id, before=before, after=after)
