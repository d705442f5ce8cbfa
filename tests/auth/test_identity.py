"""Who is calling: known keys, unknown and ended ones, and who goes on without the database."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from auth import apikey
from auth.identity import Authenticator
from auth.known import FRESH, STALE
from auth.secrets import SecretBox
from db.models.user import User, UserSettings
from db.queries.apikey import API_KEYS
from db.session import Database
from domain.errors import Unauthenticated, Unavailable
from domain.principal import MemberRole, Principal, Role, Scope
from tests.auth.installation import NOW, Clock, add_key, add_person, bearer, revoke, start_first
from tests.outage import outage


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The times that keys were looked up meanwhile."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM api_keys" in statement:
            sent.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


async def test_nobody_calls_without_a_credential(authenticator: Authenticator) -> None:
    assert await authenticator.principal({}) is None


async def test_a_key_tells_the_person_the_role_the_organization_and_the_scopes(
    authenticator: Authenticator, database: Database, cipher: SecretBox
) -> None:
    user_id, organization_id = await start_first(database)
    expires = datetime.fromtimestamp(int(NOW) + 3600, UTC)
    async with database.write(None) as session:
        await session.execute(insert(UserSettings).values(user_id=user_id, power_level="ECO"))
    id, text = await add_key(
        database,
        cipher,
        user_id,
        organization_id,
        scopes={Scope.INFERENCE},
        allowed_models=("auto", "openai/gpt-4o"),
        expires_at=expires,
    )
    assert await authenticator.principal({"x-api-key": text}) == Principal(
        user_id=user_id,
        role=Role.ADMIN,
        scopes=frozenset({Scope.INFERENCE}),
        organization_id=organization_id,
        organization_role=MemberRole.ADMIN,
        api_key_id=id,
        allowed_models=frozenset({"auto", "openai/gpt-4o"}),
        power_level="ECO",
        expires_at=expires.timestamp(),
        paying_organization_id=organization_id,
    )


async def test_a_person_without_an_organization_has_none(
    authenticator: Authenticator, database: Database, cipher: SecretBox
) -> None:
    _, text = await add_key(database, cipher, await add_person(database))
    found = await authenticator.principal(bearer(text))
    assert found is not None
    assert (found.role, found.organization_id, found.organization_role) == (Role.USER, None, None)


async def test_a_mistyped_key_is_refused_before_the_database_is_asked(
    authenticator: Authenticator, database: Database, administrator_key: tuple[uuid.UUID, str]
) -> None:
    text = administrator_key[1]
    with statements(database) as sent:
        for wrong in (text[:-1] + ("a" if text[-1] != "a" else "b"), "sk-1", "fl_", "x" * 70_000):
            with pytest.raises(Unauthenticated):
                await authenticator.principal(bearer(wrong))
    assert sent == []


async def test_a_well_formed_key_that_nobody_made_is_looked_up_once(
    authenticator: Authenticator, database: Database
) -> None:
    text = apikey.generate().secret.reveal()
    with statements(database) as sent:
        for _ in range(3):
            with pytest.raises(Unauthenticated):
                await authenticator.principal(bearer(text))
    assert len(sent) == 1


async def test_the_id_of_a_known_key_with_another_secret_is_refused(
    authenticator: Authenticator, database: Database, administrator_key: tuple[uuid.UUID, str]
) -> None:
    other = apikey.generate()
    async with database.write(None) as session:
        await session.execute(update(API_KEYS).values(public_id=other.public_id))
    with statements(database) as sent, pytest.raises(Unauthenticated):
        await authenticator.principal(bearer(other.secret.reveal()))
    assert len(sent) == 1


async def test_a_known_key_costs_no_further_statement(
    authenticator: Authenticator,
    database: Database,
    clock: Clock,
    administrator_key: tuple[uuid.UUID, str],
) -> None:
    headers = bearer(administrator_key[1])
    await authenticator.principal(headers)
    clock.now += FRESH - 1
    with statements(database) as sent:
        await authenticator.principal(headers)
        assert sent == []
        clock.now += 2
        await authenticator.principal(headers)
    assert len(sent) == 1


async def test_a_revoked_key_ends_when_told_and_at_the_latest_after_a_minute(
    authenticator: Authenticator,
    database: Database,
    clock: Clock,
    cipher: SecretBox,
    administrator_key: tuple[uuid.UUID, str],
) -> None:
    id, text = administrator_key
    untold = Authenticator(database, cipher, clock)
    await authenticator.principal(bearer(text))
    await untold.principal(bearer(text))
    await revoke(database, id)
    authenticator.forget("apikey", id)
    with pytest.raises(Unauthenticated):
        await authenticator.principal(bearer(text))
    clock.now += FRESH
    with pytest.raises(Unauthenticated):
        await untold.principal(bearer(text))


async def test_a_key_made_just_now_works_although_it_was_refused_before(
    authenticator: Authenticator, database: Database, administrator_key: tuple[uuid.UUID, str]
) -> None:
    id, text = administrator_key
    for public_id in ("elsewhere", text.split("_")[1]):
        async with database.write(None) as session:
            await session.execute(update(API_KEYS).values(public_id=public_id))
        if public_id == "elsewhere":
            with pytest.raises(Unauthenticated):
                await authenticator.principal(bearer(text))
    authenticator.forget("apikey", id)
    assert await authenticator.principal(bearer(text)) is not None


async def test_a_disabled_person_and_a_changed_setting_are_noticed_when_told(
    authenticator: Authenticator, database: Database, cipher: SecretBox
) -> None:
    user_id, organization_id = await start_first(database)
    _, text = await add_key(database, cipher, user_id, organization_id)
    await authenticator.principal(bearer(text))
    async with database.write(None) as session:
        await session.execute(insert(UserSettings).values(user_id=user_id, power_level="PRECISION"))
    authenticator.forget("settings", user_id)
    found = await authenticator.principal(bearer(text))
    assert found is not None
    assert found.power_level == "PRECISION"

    async with database.write(None) as session:
        await session.execute(update(User).values(enabled=False))
    authenticator.forget("user", user_id)
    with pytest.raises(Unauthenticated):
        await authenticator.principal(bearer(text))


async def test_news_of_others_and_of_other_things_costs_nothing(
    authenticator: Authenticator, database: Database, administrator_key: tuple[uuid.UUID, str]
) -> None:
    headers = bearer(administrator_key[1])
    await authenticator.principal(headers)
    with statements(database) as sent:
        authenticator.forget("apikey", uuid.uuid4())
        authenticator.forget("model", administrator_key[0])
        await authenticator.principal(headers)
    assert sent == []


async def test_a_key_ends_at_its_moment_without_being_told(
    authenticator: Authenticator, database: Database, clock: Clock, cipher: SecretBox
) -> None:
    expires = datetime.now(UTC) + timedelta(seconds=30)
    user_id, organization_id = await start_first(database)
    _, text = await add_key(database, cipher, user_id, organization_id, expires_at=expires)
    clock.now = expires.timestamp() - 0.001
    assert await authenticator.principal(bearer(text)) is not None
    clock.now = expires.timestamp()
    with pytest.raises(Unauthenticated):
        await authenticator.principal(bearer(text))


async def test_while_the_database_is_away_the_known_go_on_and_the_unknown_get_503(
    authenticator: Authenticator,
    database: Database,
    clock: Clock,
    cipher: SecretBox,
    administrator_key: tuple[uuid.UUID, str],
    server_url: str,
    database_url: str,
) -> None:
    _, other = await add_key(database, cipher, await add_person(database))
    known = await authenticator.principal(bearer(administrator_key[1]))
    async with outage(server_url, database_url):
        clock.now += STALE - 1
        assert await authenticator.principal(bearer(administrator_key[1])) == known
        for text in (other, apikey.generate().secret.reveal()):
            with pytest.raises(Unavailable):
                await authenticator.principal(bearer(text))
        clock.now += 2
        with pytest.raises(Unavailable):
            await authenticator.principal(bearer(administrator_key[1]))
    clock.now += 2
    assert await authenticator.principal(bearer(administrator_key[1])) == known
    assert await authenticator.principal(bearer(other)) is not None


async def test_a_key_told_of_is_not_believed_while_the_database_is_away(
    authenticator: Authenticator,
    administrator_key: tuple[uuid.UUID, str],
    server_url: str,
    database_url: str,
) -> None:
    id, text = administrator_key
    await authenticator.principal(bearer(text))
    async with outage(server_url, database_url):
        authenticator.forget("apikey", id)
        with pytest.raises(Unavailable):
            await authenticator.principal(bearer(text))


async def test_a_change_told_during_a_read_is_not_overwritten_by_what_was_read(
    database: Database,
    authenticator: Authenticator,
    administrator_key: tuple[uuid.UUID, str],
) -> None:
    id, text = administrator_key
    told: list[str] = []

    def tell(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM api_keys" in statement and not told:
            told.append(statement)
            authenticator.forget("apikey", id)

    event.listen(database.engine.sync_engine, "after_cursor_execute", tell)
    assert await authenticator.principal(bearer(text)) is not None
    event.remove(database.engine.sync_engine, "after_cursor_execute", tell)
    assert len(told) == 1
    await revoke(database, id)
    with pytest.raises(Unauthenticated):
        await authenticator.principal(bearer(text))


async def test_the_old_text_of_a_rotated_key_is_not_recognised_past_its_end(
    authenticator: Authenticator, database: Database, cipher: SecretBox, clock: Clock
) -> None:
    """A text that is known by heart is believed no longer than it runs."""
    id, text = await add_key(database, cipher, (await start_first(database))[0])
    assert await authenticator.principal(bearer(text)) is not None
    ends = datetime.fromtimestamp(clock.now + 10, UTC)
    async with database.write(None) as session:
        row = (await session.execute(API_KEYS.select().where(API_KEYS.c.id == id))).one()
        changed = update(API_KEYS).where(API_KEYS.c.id == id)
        await session.execute(
            changed.values(
                hash=bytes(32),
                previous_hash=row.hash,
                previous_pepper_id=row.pepper_id,
                previous_until=ends,
            )
        )
    authenticator.forget("apikey", id)
    assert await authenticator.principal(bearer(text)) is not None
    with statements(database) as sent:
        assert await authenticator.principal(bearer(text)) is not None
        clock.now += 11
        with pytest.raises(Unauthenticated):
            await authenticator.principal(bearer(text))
    assert sent == []
