"""Who signs out is signed out for every copy of a cookie or token, in every process."""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest

from auth.ended import KIND, REMEMBERED
from auth.identity import Authenticator
from auth.secrets import SecretBox
from db.queries.configuration import told_lately
from db.session import Database
from domain.errors import Unauthenticated
from tests.auth.installation import NOW, Clock, bearer
from tests.auth.provider import EC, Provider, claims, token
from tests.outage import outage

Key = tuple[uuid.UUID, str]
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def authenticator(
    database: Database, cipher: SecretBox, clock: Clock, provider: Provider
) -> Authenticator:
    return Authenticator(database, cipher, clock, verifier=provider.verifier(clock))


@pytest.fixture
def another(
    database: Database, cipher: SecretBox, clock: Clock, provider: Provider
) -> Authenticator:
    """Of another process."""
    return Authenticator(database, cipher, clock, verifier=provider.verifier(clock))


async def cookie(authenticator: Authenticator, text: str) -> dict[str, str]:
    return {"cookie": f"fairlead_session={(await authenticator.open_session(text))[0]}"}


async def is_known(authenticator: Authenticator, headers: dict[str, str]) -> bool:
    try:
        return await authenticator.principal(headers) is not None
    except Unauthenticated:
        return False


async def ends(database: Database) -> list[uuid.UUID]:
    async with database.read(None) as session:
        return list(await told_lately(session, KIND, REMEMBERED, 100))


async def test_a_cookie_counts_nowhere_after_its_sign_out(
    authenticator: Authenticator, another: Authenticator, administrator_key: Key, database: Database
) -> None:
    text = administrator_key[1]
    one, other = await cookie(authenticator, text), await cookie(authenticator, text)
    assert await is_known(another, one)
    await authenticator.sign_out(one)
    assert not await is_known(authenticator, one)
    assert await is_known(authenticator, other)
    [id] = await ends(database)
    another.forget(KIND, id)
    assert not await is_known(another, one)
    assert await is_known(another, other)
    await authenticator.sign_out({**one, **bearer(text)})
    assert await is_known(authenticator, bearer(text))
    assert await ends(database) == [id]


async def test_a_process_that_starts_later_knows_of_it(
    authenticator: Authenticator, another: Authenticator, administrator_key: Key
) -> None:
    one = await cookie(authenticator, administrator_key[1])
    await authenticator.sign_out(one)
    assert not await is_known(another, one)


async def test_after_another_state_of_the_database_all_is_read_again(
    authenticator: Authenticator, another: Authenticator, administrator_key: Key
) -> None:
    one = await cookie(authenticator, administrator_key[1])
    assert await is_known(another, one)
    await authenticator.sign_out(one)
    another.forget(KIND, None)
    assert not await is_known(another, one)


def twin(text: str) -> str:
    """The same ES256 token with the other signature that whoever has one can work out."""
    signed, _, signature = text.rpartition(".")
    raw = urlsafe_b64decode(signature + "==")
    other = P256_ORDER - int.from_bytes(raw[32:], "big")
    both = urlsafe_b64encode(raw[:32] + other.to_bytes(32, "big"))
    return f"{signed}.{both.rstrip(b'=').decode()}"


async def test_a_token_counts_nowhere_after_its_sign_out_however_it_is_signed(
    authenticator: Authenticator, another: Authenticator
) -> None:
    one, other = [token(claims(NOW), EC, "ES256") for _ in range(2)]
    assert await is_known(authenticator, bearer(one))
    assert await is_known(authenticator, bearer(twin(one)))
    await authenticator.sign_out(bearer(one))
    for text in (one, twin(one)):
        assert not await is_known(authenticator, bearer(text))
        assert not await is_known(another, bearer(text))
    assert await is_known(authenticator, bearer(other))


async def test_what_is_not_ours_ends_nothing(
    authenticator: Authenticator, database: Database, administrator_key: Key
) -> None:
    forged = f"{token(claims(NOW))[:-9]}aaaaaaaaa"
    keys = [bearer(text) for text in ("x", "a.b.c", forged, administrator_key[1])]
    for headers in (*keys, {"cookie": "fairlead_session=k.x"}, {}):
        await authenticator.sign_out(headers)
    assert await ends(database) == []


async def test_without_the_database_who_signs_out_is_out_here(
    authenticator: Authenticator, administrator_key: Key, server_url: str, database_url: str
) -> None:
    one, other = [await cookie(authenticator, administrator_key[1]) for _ in range(2)]
    assert await is_known(authenticator, one)
    async with outage(server_url, database_url):
        await authenticator.sign_out(one)
        assert not await is_known(authenticator, one)
        assert await is_known(authenticator, other)


async def test_ends_are_forgotten_when_nothing_can_outlive_them(
    authenticator: Authenticator, administrator_key: Key, clock: Clock
) -> None:
    one = await cookie(authenticator, administrator_key[1])
    await authenticator.sign_out(one)
    held = authenticator._ended
    [first] = held._until
    clock.now += (REMEMBERED + timedelta(seconds=1)).total_seconds()
    await authenticator.sign_out(await cookie(authenticator, administrator_key[1]))
    assert first not in held._until
    assert len(held._until) == 1


async def test_ends_fill_no_memory(
    authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.ended._MOST", 10)
    told = [uuid.uuid4() for _ in range(30)]
    for each in told:
        authenticator.forget(KIND, each)
    assert list(authenticator._ended._until) == told[-10:]
