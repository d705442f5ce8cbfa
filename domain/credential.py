"""The rules of provider keys: sealed for one row and one destination, shown only masked."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import credential as queries
from db.queries.provider import locked_provider, locked_provider_of
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.destination import credential_place, destination
from domain.errors import Conflict, InvalidInput, NotFound
from domain.limits import MOST
from domain.ports import Cipher, Sealed
from domain.secret import Secret, mask
from domain.snapshot import CredentialState, KeyOwner, ProviderType

Lock = Callable[[AsyncSession, uuid.UUID], Awaitable[Row | None]]
"""Gives a key of those that may be changed, and keeps everybody else from changing it."""

_LONGEST_SECRET = 4096
_HEAVIEST = 1_000


def _sealed(cipher: Cipher, provider: Row, id: uuid.UUID, version: int, secret: Secret) -> Any:
    """The columns that change whenever the secret does."""
    value = secret.reveal()
    if not value.isascii():
        raise InvalidInput("secret", "A key consists of ASCII characters.")
    checks.token("secret", value, _LONGEST_SECRET)
    place = destination(ProviderType(provider.type), provider.base_url)
    sealed = cipher.seal(secret, credential_place(id, version, place))
    return {
        "ciphertext": sealed.ciphertext,
        "master_key_id": sealed.master_key_id,
        "destination": place,
        "mask": mask(secret),
        "fingerprint": cipher.fingerprint(secret),
        "version": version,
        "state": CredentialState.ACTIVE,
        "state_reason": None,
        "refused_at": None,
    }


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(values)
    if "name" in result:
        result["name"] = checks.line("name", result["name"])
    if "weight" in result:
        checks.between("weight", result["weight"], 1, _HEAVIEST)
    spend = result.get("spend_per_month")
    if spend is not None and not 0 <= spend <= MOST:
        raise InvalidInput("systemSpendPerMonth", "Not below 0; leave it out for no bound.")
    return result


async def create_credential(
    session: AsyncSession,
    cipher: Cipher,
    provider_id: uuid.UUID,
    secret: Secret,
    values: Mapping[str, Any],
) -> Row:
    """Add a key to a provider: the system's, unless `values` name another owner."""
    provider = await locked_provider(session, provider_id)
    if provider is None:
        raise NotFound("There is no such provider.")
    id = uuid7()
    row = await queries.add_credential(
        session,
        {
            "id": id,
            "provider_id": provider_id,
            "owner_kind": KeyOwner.SYSTEM,
            **_checked(values),
            **_sealed(cipher, provider, id, 1, secret),
        },
    )
    await record(session, AuditAction.CREATE, AuditObject.CREDENTIAL, id, after=row)
    return row


async def update_credential(
    session: AsyncSession,
    cipher: Cipher,
    id: uuid.UUID,
    expected_version: int | None,
    secret: Secret | None,
    values: Mapping[str, Any],
    lock: Lock = queries.locked_system_credential,
) -> Row:
    """Change a key; a new secret counts its version up and makes it ACTIVE again."""
    # The provider before the key, as a change of the provider locks them.
    provider = await locked_provider_of(session, id)
    before = await _locked(session, id, lock)
    if expected_version is not None and before.version != expected_version:
        raise Conflict(f"This key is at version {before.version}, not {expected_version}.")
    changed = _checked(values)
    if secret is not None:
        changed = {**_sealed(cipher, provider, id, before.version + 1, secret), **changed}
    elif before.state == CredentialState.NEEDS_KEY and "state" in changed:
        raise InvalidInput("secret", "The provider's address changed: give the key anew.")
    if "state" in changed:
        # Whoever says so stands above what the provider said.
        changed = {**changed, "refused_at": None}
    row = await queries.change_credential(session, id, changed)
    await record(session, AuditAction.UPDATE, AuditObject.CREDENTIAL, id, before=before, after=row)
    return row


async def delete_credential(
    session: AsyncSession, id: uuid.UUID, lock: Lock = queries.locked_system_credential
) -> Row:
    row = await _locked(session, id, lock)
    await queries.remove_credential(session, id)
    await record(session, AuditAction.DELETE, AuditObject.CREDENTIAL, id, before=row)
    return row


async def _locked(session: AsyncSession, id: uuid.UUID, lock: Lock) -> Row:
    row = await lock(session, id)
    if row is None:
        raise NotFound("There is no such credential.")
    return row


def opened(cipher: Cipher, row: Row, provider: Row) -> Secret:
    """The secret of a row read with its ciphertext, for the provider's address of today.

    Raises ValueError when it was sealed for another one.
    """
    place = destination(ProviderType(provider.type), provider.base_url)
    sealed = Sealed(row.ciphertext, row.master_key_id)
    return cipher.open(sealed, credential_place(row.id, row.version, place))
