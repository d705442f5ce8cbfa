"""The rules of API keys: a child's rights lie within its creator's; a key is shown once."""

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import apikey as queries
from db.queries.membership import membership_of
from db.queries.organization import organization_by_id
from db.queries.user import user_by_id
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, InvalidInput, NotFound
from domain.limits import limits_of, within
from domain.principal import Principal, Role, Scope
from domain.reach import covers, reach_of
from domain.secret import Secret

MOST_MODELS = 200
LONGEST_CACHED = 30 * 24 * 3600
"""Seconds for which exact repeats may be answered from the cache."""
LONGEST_OVERLAP = 30 * 24 * 3600
"""Seconds for which a rotated key's text before may go on."""


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
    cache_seconds: int | None = None


async def create_api_key(
    session: AsyncSession,
    creator: Principal,
    minted: MintedKey,
    wanted: ApiKeyRequest,
    organization_id: uuid.UUID | None = None,
) -> Row:
    """A key of the creator's own, for that organisation or the one they act for."""
    _within(creator, wanted.scopes, wanted.allowed_models, wanted.expires_at)
    if organization_id not in (None, creator.organization_id):
        # Who signed in with a key acts for that key's organisation alone.
        member = creator.api_key_id is None and await membership_of(
            session, organization_id, creator.user_id
        )
        known = creator.is_admin and await organization_by_id(session, organization_id)
        if not member and not known:
            raise NotFound("There is no such organization.")
    return await add_api_key(
        session,
        minted,
        wanted,
        user_id=creator.user_id,
        organization_id=organization_id or creator.organization_id,
        creator_key_id=creator.api_key_id,
    )


async def issue_api_key(
    session: AsyncSession,
    creator: Principal,
    minted: MintedKey,
    wanted: ApiKeyRequest,
    user_id: uuid.UUID,
    organization_id: uuid.UUID | None,
) -> Row:
    """A key of somebody else's, by an administrator, for an organisation that person is in."""
    _within(creator, wanted.scopes, wanted.allowed_models, wanted.expires_at)
    person = await user_by_id(session, user_id)
    if person is None:
        raise NotFound("There is no such user.")
    if organization_id is not None and not await membership_of(session, organization_id, user_id):
        governs = person.role == Role.ADMIN
        if not governs or await organization_by_id(session, organization_id) is None:
            raise NotFound("This person is in no such organization.")
    return await add_api_key(
        session,
        minted,
        wanted,
        user_id=user_id,
        organization_id=organization_id,
        creator_key_id=creator.api_key_id,
    )


async def add_api_key(
    session: AsyncSession,
    minted: MintedKey,
    wanted: ApiKeyRequest,
    *,
    user_id: uuid.UUID,
    organization_id: uuid.UUID | None,
    creator_key_id: uuid.UUID | None = None,
) -> Row:
    """A key for a person; what it may be is checked here, but no creator's rights."""
    values = _checked(
        {
            "name": wanted.name,
            "scopes": wanted.scopes,
            "allowed_models": wanted.allowed_models,
            "expires_at": wanted.expires_at,
            "cache_seconds": wanted.cache_seconds,
        }
    )
    row = await queries.add_api_key(
        session,
        {
            **values,
            "id": uuid7(),
            "public_id": minted.public_id,
            "hash": minted.hash,
            "pepper_id": minted.pepper_id,
            "user_id": user_id,
            "organization_id": organization_id,
            "creator_key_id": creator_key_id,
        },
    )
    await record(session, AuditAction.CREATE, AuditObject.API_KEY, row.id, after=row)
    return row


async def update_api_key(
    session: AsyncSession, caller: Principal, id: uuid.UUID, patch: Mapping[str, Any]
) -> Row:
    """Set what is named of name, scopes, models, expiry and cache, within the caller's rights."""
    before = await _own(session, caller, id)
    wanted = {**before._asdict(), **patch}
    if patch.keys() - {"name", "cache_seconds"}:
        scopes, models = frozenset(wanted["scopes"]), wanted["allowed_models"]
        _within(caller, scopes, models, wanted["expires_at"])
    row = await queries.change_api_key(session, id, _checked(patch))
    await record(session, AuditAction.UPDATE, AuditObject.API_KEY, id, before=before, after=row)
    return row


async def key_to_rotate(session: AsyncSession, caller: Principal, id: uuid.UUID) -> Row:
    """A key that may be given another text; locked. Raises NotFound or Conflict.

    Whoever rotates a key holds it afterwards, so it may do no more than the caller.
    """
    row = await _own(session, caller, id)
    by_key = caller.api_key_id is not None and not caller.is_admin
    beyond = by_key and row.organization_id != caller.organization_id
    try:
        _within(caller, frozenset(row.scopes), row.allowed_models, row.expires_at)
        within(limits_of(row.limits), caller.key_limits)
    except InvalidInput:
        beyond = True
    if beyond:
        raise Conflict("This key may do more than your sign-in: rotate it from another one.")
    if row.revoked_at is not None:
        raise Conflict("This key is revoked: make another.")
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        raise Conflict("This key has expired: make another.")
    return row


async def rotate_api_key(
    session: AsyncSession, before: Row, minted: MintedKey, overlap: int
) -> Row:
    """Another text for the same key; the one before goes on for `overlap` seconds."""
    checks.between("overlapSeconds", overlap, 0, LONGEST_OVERLAP)
    values = {
        "hash": minted.hash,
        "pepper_id": minted.pepper_id,
        "previous_hash": before.hash if overlap else None,
        "previous_pepper_id": before.pepper_id if overlap else None,
        "previous_until": datetime.now(UTC) + timedelta(seconds=overlap) if overlap else None,
    }
    row = await queries.change_api_key(session, before.id, values)
    await record(session, AuditAction.ROTATE, AuditObject.API_KEY, row.id, before=before, after=row)
    return row


async def revoke_api_key(session: AsyncSession, caller: Principal | None, id: uuid.UUID) -> Row:
    """From its commit on the key is refused, on every process. `caller` None is the operator."""
    row = await queries.locked_api_key(session, id)
    if row is None or (caller is not None and not covers(reach_of(caller), row)):
        raise NotFound("There is no such API key.")
    if row.revoked_at is not None:
        raise Conflict("This key is revoked already.")
    after = await queries.change_api_key(session, id, {"revoked_at": datetime.now(UTC)})
    await record(session, AuditAction.REVOKE, AuditObject.API_KEY, id, before=row, after=after)
    return after


async def _own(session: AsyncSession, caller: Principal, id: uuid.UUID) -> Row:
    row = await queries.locked_api_key(session, id)
    if row is not None and (caller.is_admin or row.user_id == caller.user_id):
        return row
    raise NotFound("There is no such API key.")


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Column values as they may be stored. Raises InvalidInput for the first that may not."""
    result = dict(values)
    expires_at, models = result.get("expires_at"), result.get("allowed_models")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidInput("expiresAt", "Choose a moment in the future.")
    if "scopes" in result:
        if not result["scopes"]:
            raise InvalidInput("scopes", "A key without a scope is good for nothing: name one.")
        result["scopes"] = sorted(set(result["scopes"]))
    if len(models or ()) > MOST_MODELS:
        raise InvalidInput("allowedModels", f"At most {MOST_MODELS}.")
    if models is not None:
        result["allowed_models"] = [checks.token("allowedModels", name) for name in models]
    if result.get("cache_seconds") is not None:
        checks.between("cacheSeconds", result["cache_seconds"], 1, LONGEST_CACHED)
    if "name" in result:
        result["name"] = checks.line("name", result["name"])
    return result


def _within(
    creator: Principal,
    scopes: Set[Scope],
    allowed_models: Sequence[str] | None,
    expires_at: datetime | None,
) -> None:
    beyond = sorted(set(scopes) - creator.scopes)
    if beyond:
        raise InvalidInput("scopes", f"You do not have {', '.join(beyond)} yourself.")
    if creator.allowed_models is not None:
        models = set(allowed_models or ())
        if allowed_models is None or not models <= creator.allowed_models:
            raise InvalidInput("allowedModels", "Stay within the models that you may use.")
    # A sign-in's token ends in minutes and is renewed: only a key's end bounds other keys.
    if creator.api_key_id is not None and creator.expires_at is not None:
        latest = datetime.fromtimestamp(creator.expires_at, UTC)
        if expires_at is None or expires_at > latest:
            raise InvalidInput("expiresAt", f"Not later than your own: {latest.isoformat()}.")
