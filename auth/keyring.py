"""The pepper: kept in the database under the master key, opened once a process."""

import secrets
import uuid

from uuid_utils.compat import uuid7

from auth import apikey
from db.queries import apikey as queries
from db.session import AsyncSession
from domain.apikey import MintedKey
from domain.ports import Cipher, Place, Sealed
from domain.secret import Secret


class WrongMasterKeyError(ValueError):
    """None of our master keys opens what is in the database."""


def _place(id: uuid.UUID) -> Place:
    return Place("peppers", "ciphertext", id, 1, "")


async def check_master_keys(session: AsyncSession, cipher: Cipher) -> None:
    """Raises WrongMasterKeyError: better at the start than at the first secret that is needed."""
    row = await queries.newest_pepper(session)
    if row is None:
        return
    try:
        cipher.open(Sealed(row.ciphertext, row.master_key_id), _place(row.id))
    except ValueError:
        raise WrongMasterKeyError(
            "the secrets in this database were sealed under another master key. Set ENCRYPTION_KEY"
            " to that one, or put its key file back."
        ) from None


async def mint(session: AsyncSession, cipher: Cipher, public_id: str | None = None) -> MintedKey:
    """A new API key under the newest pepper; the first call ever makes the pepper."""
    pepper_id, pepper = await _newest(session, cipher)
    key = apikey.generate(public_id)
    return MintedKey(key.public_id, apikey.hash_key(key.secret, pepper), pepper_id, key.secret)


async def open_pepper(session: AsyncSession, cipher: Cipher, id: uuid.UUID) -> Secret:
    """Raises ValueError when it does not exist or the master key is another one."""
    row = await queries.pepper_by_id(session, id)
    if row is None:
        raise ValueError("The pepper of this key is gone.")
    return cipher.open(Sealed(row.ciphertext, row.master_key_id), _place(id))


async def _newest(session: AsyncSession, cipher: Cipher) -> tuple[uuid.UUID, Secret]:
    await queries.lock_peppers(session)
    row = await queries.newest_pepper(session)
    if row is not None:
        sealed = Sealed(row.ciphertext, row.master_key_id)
        return row.id, cipher.open(sealed, _place(row.id))
    id, pepper = uuid7(), Secret(secrets.token_urlsafe(apikey.PEPPER_BYTES))
    sealed = cipher.seal(pepper, _place(id))
    values = {"ciphertext": sealed.ciphertext, "master_key_id": sealed.master_key_id}
    await queries.add_pepper(session, {"id": id, **values})
    return id, pepper
