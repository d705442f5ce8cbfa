"""The rules of API keys: a child's rights lie within its creator's; a key is shown once."""

import uuid
from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, datetime

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import apikey as queries
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, InvalidInput, NotFound
from domain.principal import Principal, Scope
from domain.secret import Secret

MOST_MODELS = 200


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key: its text, to be shown once, and what is stored of it (auth/keyring.py)."""

    public_id: str
    hash: bytes
    pepper_id: uuid.UUID
    secret: Secret


@dataclass(frozen=True, slots=True)
class ApiKeyRequest:
    """`allowed_models` None means any; `expires_at` None means never."""

    name: str
    scopes: Set[Scope]
    allowed_models: tuple[str, ...] | None = None
    expires_at: datetime | None = None


async def create_api_key(
    session: AsyncSession, creator: Principal, minted: MintedKey, wanted: ApiKeyRequest
) -> Row:
    """A key of the creator's own, in the creator's organisation. Raises InvalidInput."""
    _within(creator, wanted)
    return await add_api_key(
        session, minted, wanted, user_id=creator.user_id, organization_id=creator.organization_id
    )


async def add_api_key(
    session: AsyncSession,
    minted: MintedKey,
    wanted: ApiKeyRequest,
    *,
    user_id: uuid.UUID,
    organization_id: uuid.UUID | None,
) -> Row:
    """A key for a person, given by the operator: no creator's rights bound it."""
    if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
        raise InvalidInput("expiresAt", "Choose a moment in the future.")
    if not wanted.scopes:
        raise InvalidInput("scopes", "A key without a scope is good for nothing: name one.")
    if len(wanted.allowed_models or ()) > MOST_MODELS:
        raise InvalidInput("allowedModels", f"At most {MOST_MODELS}.")
    row = await queries.add_api_key(
        session,
        {
            "id": uuid7(),
            "public_id": minted.public_id,
            "hash": minted.hash,
            "pepper_id": minted.pepper_id,
            "name": checks.line("name", wanted.name),
            "user_id": user_id,
            "organization_id": organization_id,
            "scopes": sorted(wanted.scopes),
            "allowed_models": None
            if wanted.allowed_models is None
            else [checks.token("allowedModels", name) for name in wanted.allowed_models],
            "expires_at": wanted.expires_at,
        },
    )
    await record(session, AuditAction.CREATE, AuditObject.API_KEY, row.id, after=row)
    return row


async def rename_api_key(session: AsyncSession, caller: Principal, id: uuid.UUID, name: str) -> Row:
    before = await _own(session, caller, id)
    row = await queries.change_api_key(session, id, {"name": checks.line("name", name)})
    await record(session, AuditAction.UPDATE, AuditObject.API_KEY, id, before=before, after=row)
    return row


async def revoke_api_key(session: AsyncSession, caller: Principal | None, id: uuid.UUID) -> Row:
    """From its commit on the key is refused, on every process. `caller` None is the operator."""
    row = await _own(session, caller, id)
    if row.revoked_at is not None:
        raise Conflict("This key is revoked already.")
    after = await queries.revoke(session, id, datetime.now(UTC))
    await record(session, AuditAction.REVOKE, AuditObject.API_KEY, id, before=row, after=after)
    return after


async def _own(session: AsyncSession, caller: Principal | None, id: uuid.UUID) -> Row:
    row = await queries.locked_api_key(session, id)
    if row is not None and (caller is None or caller.is_admin or row.user_id == caller.user_id):
        return row
    raise NotFound("There is no such API key.")


def _within(creator: Principal, wanted: ApiKeyRequest) -> None:
    beyond = sorted(set(wanted.scopes) - creator.scopes)
    if beyond:
        raise InvalidInput("scopes", f"You do not have {', '.join(beyond)} yourself.")
    if creator.allowed_models is not None:
        models = set(wanted.allowed_models or ())
        if wanted.allowed_models is None or not models <= creator.allowed_models:
            raise InvalidInput("allowedModels", "Stay within the models that you may use.")
    if creator.expires_at is not None:
        latest = datetime.fromtimestamp(creator.expires_at, UTC)
        if wanted.expires_at is None or wanted.expires_at > latest:
            raise InvalidInput("expiresAt", f"Not later than your own: {latest.isoformat()}.")
