"""The first start makes one administrator, however many start first."""

import asyncio

import pytest
from sqlalchemy import func, select

from db.models.user import Membership, Organization, User
from db.session import Database
from domain.bootstrap import administrator, bootstrap
from domain.errors import NotFound


async def start(database: Database) -> bool:
    async with database.write(None) as session:
        return await bootstrap(session)


async def test_only_the_first_of_several_starts_makes_the_administrator(
    database: Database,
) -> None:
    made = await asyncio.gather(*(start(database) for _ in range(5)))
    assert sorted(made) == [False] * 4 + [True]
    assert await start(database) is False
    async with database.read(None) as session:
        for table in (User, Organization, Membership):
            assert await session.scalar(select(func.count()).select_from(table)) == 1


async def test_the_administrator_belongs_to_the_default_organization(database: Database) -> None:
    await start(database)
    async with database.read(None) as session:
        user_id, organization_id = await administrator(session)
        user = await session.get_one(User, user_id)
        organization = await session.get_one(Organization, organization_id)
        membership = await session.get_one(
            Membership, {"organization_id": organization_id, "user_id": user_id}
        )
    assert (user.issuer, user.subject, user.role) == ("fairlead", "admin", "ADMIN")
    assert organization.slug == "default"
    assert (membership.role, membership.origin) == ("ADMIN", "MANUAL")


async def test_before_the_first_start_there_is_no_administrator(database: Database) -> None:
    async with database.read(None) as session:
        with pytest.raises(NotFound, match="serve"):
            await administrator(session)
