"""Who was known to a process is known to the next, without the database and for as long."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from auth.callers import KnownCallers
from auth.identity import Authenticator
from auth.known import FRESH, STALE
from auth.secrets import SecretBox, generate_master_key
from db.session import Database
from domain.errors import Unauthenticated, Unavailable
from tests.auth.installation import Clock, bearer, revoke

Restart = Callable[..., tuple[Authenticator, KnownCallers]]


@pytest.fixture
def restart(database: Database, cipher: SecretBox, clock: Clock, tmp_path: Path) -> Restart:
    def another(box: SecretBox = cipher) -> tuple[Authenticator, KnownCallers]:
        authenticator = Authenticator(database, box, clock)
        return authenticator, KnownCallers(authenticator, tmp_path / "callers", box)

    return another


async def _seen(restart: Restart, text: str) -> None:
    authenticator, callers = restart()
    await callers.start()
    await authenticator.principal(bearer(text))
    await callers.stop()


async def test_a_caller_of_the_process_before_is_served_while_the_database_is_away(
    restart: Restart, database: Database, administrator_key: tuple[uuid.UUID, str], clock: Clock
) -> None:
    _, text = administrator_key
    await _seen(restart, text)
    database.prepared = False
    authenticator, callers = restart()
    await callers.start()

    found = await authenticator.principal(bearer(text))
    assert found is not None
    await callers.stop()
    clock.now += STALE - FRESH
    with pytest.raises(Unavailable):
        await authenticator.principal(bearer(text))
    authenticator, callers = restart()
    await callers.start()
    with pytest.raises(Unavailable):
        await authenticator.principal(bearer(text))
    await callers.stop()


async def test_a_key_that_was_revoked_meanwhile_is_refused_at_once(
    restart: Restart, database: Database, administrator_key: tuple[uuid.UUID, str]
) -> None:
    id, text = administrator_key
    await _seen(restart, text)
    await revoke(database, id)
    authenticator, callers = restart()
    await callers.start()

    with pytest.raises(Unauthenticated):
        await authenticator.principal(bearer(text))
    await callers.stop()


async def test_the_file_tells_nothing_and_opens_only_with_its_key(
    restart: Restart,
    database: Database,
    administrator_key: tuple[uuid.UUID, str],
    tmp_path: Path,
) -> None:
    _, text = administrator_key
    await _seen(restart, text)
    path = tmp_path / "callers"
    assert path.stat().st_mode & 0o777 == 0o600
    assert text[3:15].encode() not in path.read_bytes()
    database.prepared = False
    authenticator, callers = restart(SecretBox([generate_master_key()]))
    await callers.start()

    with pytest.raises(Unavailable):
        await authenticator.principal(bearer(text))
    await callers.stop()
