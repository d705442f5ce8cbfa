"""The rules of people's and organisations' own provider keys (BYOK)."""

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from db.keyset import Row
from db.queries import credential as queries
from db.queries.provider import locked_provider
from db.session import AsyncSession
from domain.credential import create_credential, delete_credential, update_credential
from domain.errors import Conflict, NotFound
from domain.ports import Cipher
from domain.principal import Principal
from domain.reach import reach_of
from domain.secret import Secret
from domain.snapshot import KeyOwner

MOST_KEYS = 10
"""Of one owner at one provider: every process holds all of them."""


async def save_key(
    session: AsyncSession,
    cipher: Cipher,
    caller: Principal,
    organization_id: uuid.UUID | None,
    provider_id: uuid.UUID,
    secret: Secret,
    values: Mapping[str, Any],
) -> Row:
    """Add a key of the caller's own, or of the organisation that they are to govern."""
    provider = await locked_provider(session, provider_id)
    if provider is None or not (provider.enabled or caller.is_admin):
        raise NotFound("There is no such provider.")
    kind, owner_id = KeyOwner.USER, caller.user_id
    if organization_id is not None:
        if organization_id != reach_of(caller).organization:
            raise NotFound("There is no such organization.")
        kind, owner_id = KeyOwner.ORGANIZATION, organization_id
    count = await queries.count_own_credentials(session, provider_id, kind, owner_id)
    if count >= MOST_KEYS:
        raise Conflict(f"There are {count} keys at `{provider.slug}` already: delete one first.")
    owned = {**values, "owner_kind": kind, "owner_id": owner_id}
    return await create_credential(session, cipher, provider_id, secret, owned)


async def update_key(
    session: AsyncSession,
    cipher: Cipher,
    caller: Principal,
    id: uuid.UUID,
    expected_version: int | None,
    secret: Secret | None,
    values: Mapping[str, Any],
) -> Row:
    """As `update_credential`, for a key that the caller owns or governs."""
    lock = partial(queries.locked_own_credential, reach=reach_of(caller))
    return await update_credential(session, cipher, id, expected_version, secret, values, lock)


async def delete_key(session: AsyncSession, caller: Principal, id: uuid.UUID) -> Row:
    """As `delete_credential`, for a key that the caller owns or governs."""
    lock = partial(queries.locked_own_credential, reach=reach_of(caller))
    return await delete_credential(session, id, lock)
