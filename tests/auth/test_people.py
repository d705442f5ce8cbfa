"""People who sign in with tokens: made at first sight, following the newest of their tokens."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from auth.identity import Authenticator
from auth.secrets import SecretBox
from db.models.audit import AuditEntry
from db.models.user import Membership, Organization, User
from db.session import Database
from domain.errors import Forbidden, Unauthenticated, Unavailable
from domain.principal import MemberRole, Principal, Role, Scope
from domain.signin import slug_of
from tests.auth.installation import NOW, Clock, add_key, bearer
from tests.auth.provider import ISSUER, RULES, Provider, claims, token
from tests.outage import outage

ADMIN: dict[str, Any] = {"realm_access": {"roles": ["fairlead-admin"]}}
DAY = 24 * 3600.0


@pytest.fixture
def authenticator(
    database: Database, cipher: SecretBox, clock: Clock, provider: Provider
) -> Authenticator:
    return Authenticator(
        database, cipher, clock, verifier=provider.verifier(clock), suspend_after=90 * DAY
    )


async def sign_in(authenticator: Authenticator, at: float = NOW, /, **changed: Any) -> Principal:
    headers = bearer(token(claims(at, exp=int(NOW) + 10_000_000, **changed)))
    found = await authenticator.principal(headers)
    assert found is not None
    return found


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.read(None) as session:
        return list(await session.scalars(select(table).order_by(table.created_at)))


async def test_the_first_token_makes_the_person(
    authenticator: Authenticator, database: Database
) -> None:
    principal = await sign_in(authenticator)

    assert (principal.role, principal.organization_id) == (Role.USER, None)
    assert (principal.scopes, principal.api_key_id) == (frozenset(Scope), None)
    [person] = await rows(database, User)
    assert (person.id, person.issuer, person.name) == (principal.user_id, ISSUER, "Ada Lovelace")
    assert (person.email, person.role) == ("ada@example.com", "USER")
    assert person.last_seen_at is not None


async def test_the_first_token_sent_many_times_at_once_makes_one_person(
    authenticator: Authenticator, database: Database
) -> None:
    groups = ["/organizations/acme"]
    tokens = [token(claims(NOW, groups=groups, jti=str(n))) for n in range(12)]

    found = await asyncio.gather(*(authenticator.principal(bearer(each)) for each in tokens))

    assert len({principal.user_id for principal in found if principal}) == 1
    assert [len(await rows(database, table)) for table in (User, Organization)] == [1, 1]


async def test_later_tokens_are_followed_and_older_ones_give_nothing_back(
    authenticator: Authenticator, database: Database
) -> None:
    old = token(claims(NOW - 60, exp=int(NOW) + 900, **ADMIN))
    first = await authenticator.principal(bearer(old))
    assert first is not None
    assert first.role is Role.ADMIN

    later = await sign_in(authenticator, name="Ada King")
    authenticator.forget("user", first.user_id)

    assert (later.user_id, later.role) == (first.user_id, Role.USER)
    again = await authenticator.principal(bearer(old))
    assert again is not None
    assert again.role is Role.USER
    unseen = await sign_in(authenticator, NOW - 30, **ADMIN)
    assert unseen.role is Role.USER
    [person] = await rows(database, User)
    assert (person.name, person.role, person.version) == ("Ada King", "USER", 2)


async def test_a_token_gives_no_more_than_it_says(authenticator: Authenticator) -> None:
    plain = token(claims(NOW - 60, exp=int(NOW) + 900))
    await authenticator.principal(bearer(plain))
    assert (await sign_in(authenticator, **ADMIN)).role is Role.ADMIN

    found = await authenticator.principal(bearer(plain))

    assert found is not None
    assert found.role is Role.USER


async def test_groups_make_organizations_and_memberships_follow_them(
    authenticator: Authenticator, database: Database
) -> None:
    both = ["/organizations/Acme Ltd", "/organizations/Acme Ltd/admins", "/organizations/corp"]
    first = await sign_in(authenticator, NOW - 60, groups=both)

    places = {row.group_name: row for row in await rows(database, Organization)}
    assert {name: row.slug for name, row in places.items()} == {
        "/organizations/Acme Ltd": "acme-ltd",
        "/organizations/corp": "corp",
    }
    held = {row.organization_id: row for row in await rows(database, Membership)}
    acme = places["/organizations/Acme Ltd"].id
    assert (held[acme].role, held[acme].origin) == ("ADMIN", "TOKEN")
    assert first.organization_id == acme
    assert first.organization_role is MemberRole.ADMIN

    later = await sign_in(authenticator, groups=both[2:])
    assert later.organization_id == places["/organizations/corp"].id
    assert [row.organization_id for row in await rows(database, Membership)] == [
        later.organization_id
    ]
    assert len(await rows(database, Organization)) == 2
    assert (await sign_in(authenticator, NOW + 1, groups=None)).organization_id is None


async def test_memberships_by_hand_stay(authenticator: Authenticator, database: Database) -> None:
    principal = await sign_in(authenticator, NOW - 60)
    async with database.write(None) as session:
        place = Organization(slug="acme", name="Acme")
        session.add(place)
        await session.flush()
        keys = {"organization_id": place.id, "user_id": principal.user_id}
        session.add(Membership(**keys, role="MEMBER", origin="MANUAL"))

    later = await sign_in(authenticator, groups=["/organizations/acme/admins"])

    assert later.organization_id == place.id
    assert later.organization_role is MemberRole.MEMBER
    slugs = [row.slug for row in await rows(database, Organization)]
    assert slugs == ["acme", slug_of("acme", 1)]


async def test_one_says_for_which_organization_one_acts(
    authenticator: Authenticator,
) -> None:
    groups = ["/organizations/acme", "/organizations/corp"]
    text = bearer(token(claims(NOW, groups=groups)))

    async def acting(**headers: str) -> Principal:
        found = await authenticator.principal(text | headers)
        assert found is not None
        return found

    first = await acting()
    other = await acting(**{"x-fairlead-organization": "corp"})
    assert first.organization_id != other.organization_id
    named = await acting(**{"x-fairlead-organization": "acme"})
    assert named.organization_id == first.organization_id
    assert (first.payer_id, named.payer_id) == (first.user_id, first.organization_id)
    for name in ("nowhere", "", "ACME"):
        with pytest.raises(Forbidden):
            await acting(**{"x-fairlead-organization": name})


async def test_a_disabled_person_is_refused(
    authenticator: Authenticator, database: Database
) -> None:
    principal = await sign_in(authenticator)
    async with database.write(None) as session:
        await session.execute(update(User).values(enabled=False))
    authenticator.forget("user", principal.user_id)

    with pytest.raises(Unauthenticated, match="disabled"):
        await sign_in(authenticator)
    with pytest.raises(Unauthenticated, match="disabled"):
        await sign_in(authenticator, NOW + 5, **ADMIN)


async def test_a_sign_in_that_changes_nothing_writes_nothing_in_the_log(
    authenticator: Authenticator, database: Database
) -> None:
    groups = ["/organizations/acme"]
    await sign_in(authenticator, NOW - 60, groups=groups)
    async with database.read(None) as session:
        before = await session.scalar(select(func.count()).select_from(AuditEntry))
    await sign_in(authenticator, groups=groups)
    async with database.read(None) as session:
        after = await session.scalar(select(func.count()).select_from(AuditEntry))
        seen = await session.scalar(select(User.token_at))
    assert before == after == 3
    assert seen == datetime.fromtimestamp(int(NOW), UTC)


async def test_keys_of_people_not_seen_for_long_are_suspended_until_they_sign_in(
    authenticator: Authenticator, database: Database, cipher: SecretBox, clock: Clock
) -> None:
    person = await sign_in(authenticator)
    _, text = await add_key(database, cipher, person.user_id)
    async with database.write(None) as session:
        robot = User(issuer="fairlead", subject="robot", name="Robot", role="USER")
        session.add(robot)
    _, robots = await add_key(database, cipher, robot.id)

    clock.now += 91 * DAY
    with pytest.raises(Unauthenticated, match="suspended"):
        await authenticator.principal(bearer(text))
    assert await authenticator.principal(bearer(robots))

    clock.now = NOW + 5
    authenticator.forget("user", person.user_id)
    assert await authenticator.principal(bearer(text))


async def test_without_a_provider_tokens_are_nothing(
    database: Database, cipher: SecretBox, clock: Clock
) -> None:
    with pytest.raises(Unauthenticated):
        await Authenticator(database, cipher, clock).principal(bearer(token(claims(NOW))))


async def test_a_token_and_another_credential_are_two(authenticator: Authenticator) -> None:
    text = token(claims(NOW))
    with pytest.raises(Exception, match="Two different credentials"):
        await authenticator.principal({**bearer(text), "x-api-key": "fl_other"})


async def test_the_roles_place_is_the_operators(
    database: Database, cipher: SecretBox, clock: Clock, provider: Provider
) -> None:
    verifier = provider.verifier(clock, replace(RULES, roles="client"))
    authenticator = Authenticator(database, cipher, clock, verifier=verifier)
    assert (await sign_in(authenticator, NOW - 9, **ADMIN)).role is Role.USER
    by_client: dict[str, Any] = {"resource_access": {"fairlead": {"roles": ["fairlead-admin"]}}}
    assert (await sign_in(authenticator, **by_client)).role is Role.ADMIN


async def test_people_who_are_known_go_on_while_the_database_is_away(
    authenticator: Authenticator, server_url: str, database_url: str, clock: Clock
) -> None:
    held = bearer(token(claims(NOW, exp=int(NOW) + 7200)))
    known = await authenticator.principal(held)
    async with outage(server_url, database_url):
        clock.now += 120
        assert await authenticator.principal(held) == known
        renewed = bearer(token(claims(clock.now)))
        assert await authenticator.principal(renewed)
        with pytest.raises(Unavailable):
            await authenticator.principal(bearer(token(claims(clock.now, sub="stranger"))))
        clock.now += 900
        with pytest.raises(Unavailable):
            await authenticator.principal(held)
