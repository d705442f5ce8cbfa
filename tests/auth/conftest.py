"""An authenticator on a real database, with a clock that the test turns."""

import uuid

import pytest

from auth.identity import Authenticator
from auth.secrets import SecretBox, generate_master_key
from db.session import Database
from tests.auth.installation import NOW, Clock, add_key, start_first
from tests.auth.provider import Provider


@pytest.fixture
def cipher() -> SecretBox:
    return SecretBox([generate_master_key()])


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def authenticator(database: Database, cipher: SecretBox, clock: Clock) -> Authenticator:
    return Authenticator(database, cipher, clock)


@pytest.fixture
async def administrator_key(database: Database, cipher: SecretBox) -> tuple[uuid.UUID, str]:
    """(id, text)."""
    return await add_key(database, cipher, *await start_first(database))
