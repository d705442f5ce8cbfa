"""Wrong keys are counted by the network they come from, and nobody else's keys are held up."""

import pytest

from auth import apikey
from auth.guesses import Guesses
from auth.identity import Authenticator
from auth.known import FRESH
from auth.secrets import SecretBox
from db.session import Database
from domain.errors import LimitExceeded, Unauthenticated
from tests.auth.installation import Clock, add_key, add_person, bearer
from tests.auth.test_identity import statements

ADDRESS = "198.51.100.7"


def wrong_key() -> str:
    return apikey.generate().secret.reveal()


async def guess(authenticator: Authenticator, text: str, address: str = ADDRESS) -> bool:
    """Whether it was looked at, and not refused for too many before it."""
    try:
        await authenticator.principal(bearer(text), address)
    except LimitExceeded:
        return False
    except Unauthenticated:
        return True
    raise AssertionError(text)


async def test_after_ten_wrong_keys_none_is_looked_up(
    authenticator: Authenticator, database: Database
) -> None:
    assert all([await guess(authenticator, wrong_key()) for _ in range(10)])
    with statements(database) as sent:
        assert not any([await guess(authenticator, wrong_key()) for _ in range(10)])
        assert not await guess(authenticator, "sk-no-key-of-ours")
    assert sent == []
    assert await guess(authenticator, wrong_key(), "198.51.100.8")


async def test_texts_that_are_no_keys_count_too(authenticator: Authenticator) -> None:
    looked = [await guess(authenticator, f"sk-{number}") for number in range(12)]
    assert looked == [True] * 10 + [False] * 2


async def test_a_secret_tried_on_a_known_keys_id_counts(
    authenticator: Authenticator, administrator_key: tuple[object, str]
) -> None:
    public_id = administrator_key[1].split("_")[1]
    await authenticator.principal(bearer(administrator_key[1]))
    tried = [apikey.generate(public_id).secret.reveal() for _ in range(12)]
    assert [await guess(authenticator, each) for each in tried] == [True] * 10 + [False] * 2


async def test_a_known_key_goes_on_behind_an_address_that_guesses(
    authenticator: Authenticator, database: Database, cipher: SecretBox, clock: Clock
) -> None:
    _, known = await add_key(database, cipher, await add_person(database))
    _, new = await add_key(database, cipher, await add_person(database))
    assert await authenticator.principal(bearer(known), ADDRESS)
    for _ in range(10):
        await guess(authenticator, wrong_key())
    assert await authenticator.principal(bearer(known), ADDRESS)
    with pytest.raises(LimitExceeded) as refused:
        await authenticator.principal(bearer(new), ADDRESS)
    assert refused.value.retry_after == pytest.approx(6, abs=1)
    clock.now += FRESH + 1
    assert await authenticator.principal(bearer(known), ADDRESS)
    assert await authenticator.principal(bearer(new), "198.51.100.8")
    assert await authenticator.principal(bearer(new), ADDRESS)


async def test_a_forgotten_client_with_one_wrong_key_keeps_nobody_out(
    authenticator: Authenticator, database: Database, cipher: SecretBox
) -> None:
    _, new = await add_key(database, cipher, await add_person(database))
    old = wrong_key()
    looked = [await guess(authenticator, old) for _ in range(30)]
    assert looked == [True] * 10 + [False] * 20
    assert await authenticator.principal(bearer(new), ADDRESS)


async def test_guesses_at_the_same_moment_are_paid_back_later() -> None:
    now = 0.0
    guesses = Guesses(clock=lambda: now)
    for _ in range(1_000):
        guesses.wrong(ADDRESS, wrong_key())
    now = 65.0
    with pytest.raises(LimitExceeded):
        guesses.check(ADDRESS, wrong_key())
    now = 67.0
    guesses.check(ADDRESS, wrong_key())


@pytest.mark.parametrize(
    ("one", "another", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
        ("198.51.100.7", "198.51.100.8", False),
    ],
)
def test_whoever_has_a_network_has_one_budget(one: str, another: str, together: bool) -> None:
    guesses = Guesses(clock=lambda: 0.0)
    for _ in range(10):
        guesses.wrong(one, wrong_key())
    try:
        guesses.check(another, wrong_key())
    except LimitExceeded:
        assert together
    else:
        assert not together
