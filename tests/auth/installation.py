"""A first start's administrator, other people, and keys for them."""

import time
import uuid
from collections.abc import Set
from datetime import datetime

from sqlalchemy import insert

from auth.keyring import mint
from db.models.user import User
from db.session import Database
from domain.apikey import ApiKeyRequest, add_api_key, revoke_api_key
from domain.bootstrap import administrator, bootstrap
from domain.ports import Cipher
from domain.principal import Scope

NOW = time.time()


class Clock:
    """Unix seconds that pass when told."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def start_first(database: Database) -> tuple[uuid.UUID, uuid.UUID]:
    """(user, organisation) of the built-in administrator."""
    async with database.write(None) as session:
        await bootstrap(session)
        user_id, organization_id = await administrator(session)
    assert organization_id is not None
    return user_id, organization_id


async def add_person(database: Database, role: str = "USER") -> uuid.UUID:
    """A person without an organisation."""
    id = uuid.uuid4()
    async with database.write(None) as session:
        person = {"id": id, "issuer": "https://id.example", "subject": str(id), "name": "Ada"}
        await session.execute(insert(User).values(**person, role=role))
    return id


async def add_key(
    database: Database,
    cipher: Cipher,
    user_id: uuid.UUID,
    organization_id: uuid.UUID | None = None,
    *,
    scopes: Set[Scope] = frozenset(Scope),
    allowed_models: tuple[str, ...] | None = None,
    expires_at: datetime | None = None,
) -> tuple[uuid.UUID, str]:
    """(id, text) of a new key."""
    async with database.write(None) as session:
        minted = await mint(session, cipher)
        wanted = ApiKeyRequest("test", scopes, allowed_models, expires_at)
        row = await add_api_key(
            session, minted, wanted, user_id=user_id, organization_id=organization_id
        )
    return row.id, minted.secret.reveal()


def bearer(text: str) -> dict[str, str]:
    """Headers with a key."""
    return {"authorization": f"Bearer {text}"}


async def revoke(database: Database, id: uuid.UUID) -> None:
    """End a key without telling anybody."""
    async with database.write(None) as session:
        await revoke_api_key(session, None, id)
