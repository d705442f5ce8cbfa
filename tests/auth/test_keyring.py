"""The pepper: one for all, under the master key, kept through its rotation."""

import asyncio

import pytest
from sqlalchemy import func, select

from auth.identity import Authenticator
from auth.keyring import WrongMasterKeyError, check_master_keys, mint, open_pepper
from auth.secrets import SecretBox, generate_master_key
from db.models.apikey import ApiKey, Pepper
from db.session import Database
from tests.auth.installation import add_key, bearer, start_first


async def test_first_keys_made_at_the_same_moment_share_one_pepper(
    database: Database, cipher: SecretBox
) -> None:
    async def make() -> object:
        async with database.write(None) as session:
            return (await mint(session, cipher)).pepper_id

    assert len(set(await asyncio.gather(*(make() for _ in range(5))))) == 1
    async with database.read(None) as session:
        assert await session.scalar(select(func.count()).select_from(Pepper)) == 1


async def test_neither_the_key_nor_the_pepper_is_stored_in_clear(
    database: Database, cipher: SecretBox
) -> None:
    id, text = await add_key(database, cipher, *await start_first(database))
    async with database.read(None) as session:
        row = (await session.scalars(select(ApiKey).where(ApiKey.id == id))).one()
        pepper_row = (await session.scalars(select(Pepper))).one()
        pepper = await open_pepper(session, cipher, row.pepper_id)
    secret = text.rpartition("_")[2]
    stored = [repr(value) for value in (*vars(row).values(), *vars(pepper_row).values())]
    assert [value for value in stored if secret in value or pepper.reveal() in value] == []


async def test_rotating_the_master_key_kills_no_api_key(database: Database) -> None:
    old, new = generate_master_key(), generate_master_key()
    _, text = await add_key(database, SecretBox([old]), *await start_first(database))
    rotated = SecretBox([new, old])
    _, later = await add_key(database, rotated, *await start_first(database))
    authenticator = Authenticator(database, rotated)
    assert await authenticator.principal(bearer(text)) is not None
    assert await authenticator.principal(bearer(later)) is not None


async def test_a_master_key_that_opens_nothing_is_noticed(
    database: Database, cipher: SecretBox
) -> None:
    stranger = SecretBox([generate_master_key()])
    async with database.read(None) as session:
        await check_master_keys(session, stranger)
    await add_key(database, cipher, *await start_first(database))
    async with database.read(None) as session:
        await check_master_keys(session, cipher)
        with pytest.raises(WrongMasterKeyError, match="ENCRYPTION_KEY"):
            await check_master_keys(session, stranger)
