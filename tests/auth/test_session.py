"""A browser's session: a person until it ends, its key is revoked, or somebody forges it."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from auth import apikey
from auth.identity import Authenticator
from auth.secrets import SecretBox, generate_master_key
from auth.session import LIFETIME
from db.queries.apikey import API_KEYS
from db.session import Database
from domain.errors import Unauthenticated
from tests.auth.installation import NOW, Clock, add_key, bearer, revoke, start_first


async def test_a_browser_session_is_the_person_of_its_key_and_ends(
    authenticator: Authenticator, clock: Clock, administrator_key: tuple[uuid.UUID, str]
) -> None:
    text = administrator_key[1]
    token, ends = await authenticator.open_session(text)
    assert ends == NOW + LIFETIME
    assert text not in token
    cookie = {"cookie": f"fairlead_session={token}"}
    assert await authenticator.principal(cookie) == await authenticator.principal(bearer(text))
    clock.now = ends
    with pytest.raises(Unauthenticated):
        await authenticator.principal(cookie)


async def test_revoking_the_key_ends_its_sessions(
    authenticator: Authenticator, database: Database, administrator_key: tuple[uuid.UUID, str]
) -> None:
    id, text = administrator_key
    token, _ = await authenticator.open_session(text)
    await revoke(database, id)
    authenticator.forget("apikey", id)
    with pytest.raises(Unauthenticated):
        await authenticator.principal({"cookie": f"fairlead_session={token}"})


async def test_a_session_ends_with_the_text_of_the_key_that_it_was_opened_with(
    authenticator: Authenticator,
    database: Database,
    clock: Clock,
    administrator_key: tuple[uuid.UUID, str],
) -> None:
    id, text = administrator_key
    cookie = {"cookie": f"fairlead_session={(await authenticator.open_session(text))[0]}"}
    rotated = {
        "previous_hash": API_KEYS.c.hash,
        "previous_pepper_id": API_KEYS.c.pepper_id,
        "previous_until": datetime.fromtimestamp(NOW + 60, UTC),
        "hash": bytes(32),
    }
    async with database.write(None) as session:
        await session.execute(update(API_KEYS).where(API_KEYS.c.id == id).values(**rotated))
    authenticator.forget("apikey", id)
    assert await authenticator.principal(cookie)
    clock.now = NOW + 61
    with pytest.raises(Unauthenticated):
        await authenticator.principal(cookie)


async def test_a_session_ends_no_later_than_its_key(
    authenticator: Authenticator, database: Database, cipher: SecretBox
) -> None:
    expires = datetime.fromtimestamp(int(NOW) + 3600, UTC)
    _, text = await add_key(database, cipher, *await start_first(database), expires_at=expires)
    assert (await authenticator.open_session(text))[1] == expires.timestamp()


async def test_forged_and_misused_tokens_are_refused(
    authenticator: Authenticator, database: Database, administrator_key: tuple[uuid.UUID, str]
) -> None:
    text = administrator_key[1]
    token, _ = await authenticator.open_session(text)
    stranger = Authenticator(database, SecretBox([generate_master_key()]))
    head, _, tail = token.partition(".")
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."
    for wrong in (text, tail, f"{head}.", f".{tail}", token[:-4], unsigned, "é" * 40, "a.b.c"):
        with pytest.raises(Unauthenticated):
            await authenticator.principal({"cookie": f'fairlead_session="{wrong}"'})
    for wrong in (token, unsigned, "null", "{}"):
        with pytest.raises(Unauthenticated):
            await authenticator.principal(bearer(wrong))
    with pytest.raises(Unauthenticated):
        await stranger.principal({"cookie": f"fairlead_session={token}"})
    with pytest.raises(Unauthenticated):
        await authenticator.open_session(apikey.generate().secret.reveal())
