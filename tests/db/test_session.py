"""The engine takes the addresses that operators have, and its errors show no values."""

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from db.session import Database, NotPrepared, create_engine, database_is_away
from tests.outage import end_connections, server


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
async def test_connects_to_an_address_as_hosted_databases_give_it(
    database_url: str, scheme: str
) -> None:
    url = make_url(database_url).update_query_dict({"sslmode": "disable"})
    shown = url.render_as_string(hide_password=False).replace("postgresql", scheme, 1)
    engine = create_engine(shown)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


async def test_an_error_shows_no_value_of_its_statement(database: Database) -> None:
    async with database.read(None) as session:
        with pytest.raises(DBAPIError) as error:
            await session.execute(
                text("SELECT 1 / (:value = 'canary')::int - 1 / 0"), {"value": "canary2"}
            )
    assert "canary2" not in str(error.value)


async def test_a_database_that_takes_no_connections_is_away(
    server_url: str, database_url: str
) -> None:
    name = make_url(database_url).database
    assert name is not None
    engine = create_engine(database_url)
    async with server(server_url) as administrator:
        await administrator.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        await end_connections(administrator, name, "%")
        try:
            with pytest.raises(DBAPIError) as error:
                async with engine.connect():
                    pass
        finally:
            await administrator.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    await engine.dispose()
    assert database_is_away(error.value)


async def test_each_statement_of_a_glance_stands_alone(database: Database) -> None:
    number = text("SELECT pg_current_xact_id()::text")
    async with database.glance() as session:
        assert await session.scalar(number) != await session.scalar(number)
    async with database.read(None) as session:
        assert await session.scalar(number) == await session.scalar(number)


async def test_a_glance_waits_for_the_schema_too(database: Database) -> None:
    database.prepared = False
    with pytest.raises(NotPrepared):
        async with database.glance():
            raise AssertionError
