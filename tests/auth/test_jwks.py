"""The provider's keys: fetched seldom and once at a time, kept while it is away."""

import asyncio

import pytest
from joserfc.jwk import RSAKey

from auth.jwks import COOL_DOWN, KEEP, REFRESH
from auth.openid import LEEWAY
from domain.errors import Unauthenticated, Unavailable
from tests.auth.installation import NOW, Clock
from tests.auth.provider import DISCOVERY, JWKS, RSA, Provider, claims, token

NEW = RSAKey.generate_key(2048, {"kid": "new"})


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


def fresh(clock: Clock, key: RSAKey = RSA) -> str:
    return token(claims(clock.now), key)


async def test_many_at_once_fetch_once(clock: Clock) -> None:
    provider = Provider()
    verifier = provider.verifier(clock)

    await asyncio.gather(*(verifier.verify(fresh(clock)) for _ in range(50)))

    assert provider.asked == [DISCOVERY, JWKS]


async def test_unknown_key_ids_fetch_no_more_than_the_cool_down_allows(clock: Clock) -> None:
    provider = Provider()
    verifier = provider.verifier(clock)
    await verifier.verify(fresh(clock))

    for n in range(200):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token(claims(clock.now), NEW, kid=f"k{n}"))
    assert len(provider.asked) == 2
    clock.now += COOL_DOWN + 1
    with pytest.raises(Unauthenticated):
        await verifier.verify(token(claims(clock.now), NEW, kid="k-later"))
    assert len(provider.asked) == 4
    clock.now += COOL_DOWN + 1
    with pytest.raises(Unauthenticated):
        await verifier.verify(token(claims(clock.now), NEW, kid="k-later"))
    assert len(provider.asked) == 4


async def test_a_new_key_is_found_after_the_cool_down(clock: Clock) -> None:
    provider = Provider()
    verifier = provider.verifier(clock)
    await verifier.verify(fresh(clock))
    provider.keys.append(NEW)
    clock.now += COOL_DOWN + 1

    assert await verifier.verify(fresh(clock, NEW))


async def test_a_new_key_that_came_too_soon_is_looked_for_when_that_may_be(clock: Clock) -> None:
    provider = Provider()
    verifier = provider.verifier(clock)
    await verifier.verify(fresh(clock))
    provider.keys.append(NEW)
    with pytest.raises(Unauthenticated):
        await verifier.verify(fresh(clock, NEW))
    clock.now += COOL_DOWN + 1

    assert await verifier.verify(fresh(clock, NEW))


async def test_a_key_that_was_withdrawn_ends_its_tokens(clock: Clock) -> None:
    provider = Provider()
    verifier = provider.verifier(clock)
    held = token(claims(clock.now, exp=int(clock.now) + 7200))
    await verifier.verify(held)
    provider.keys = [NEW]
    clock.now += REFRESH + 1
    await verifier.verify(held)
    await asyncio.sleep(0.05)

    with pytest.raises(Unauthenticated):
        await verifier.verify(held)


async def test_while_the_provider_is_away_its_keys_go_on_for_a_day(clock: Clock) -> None:
    provider = Provider()
    verifier = provider.verifier(clock)
    await verifier.verify(fresh(clock))
    provider.is_away = True

    clock.now += KEEP - 1
    assert await verifier.verify(fresh(clock))
    await asyncio.sleep(0.05)
    clock.now += 2
    with pytest.raises(Unavailable):
        await verifier.verify(fresh(clock))
    provider.is_away = False
    clock.now += COOL_DOWN + 1
    assert await verifier.verify(fresh(clock))


async def test_nobody_is_refused_because_the_provider_is_away(clock: Clock) -> None:
    provider = Provider()
    provider.is_away = True
    verifier = provider.verifier(clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await verifier.verify(fresh(clock))
    assert provider.asked == [DISCOVERY]
    provider.is_away, clock.now = False, clock.now + COOL_DOWN + 1
    await verifier.verify(fresh(clock))
    provider.is_away, clock.now = True, clock.now + COOL_DOWN + 1
    with pytest.raises(Unavailable):
        await verifier.verify(fresh(clock, NEW))


async def test_a_provider_of_another_name_is_none(clock: Clock) -> None:
    provider = Provider()
    provider.issuer = "https://evil.example"
    with pytest.raises(Unavailable):
        await provider.verifier(clock).verify(fresh(clock))


async def test_keys_are_fetched_as_safely_as_what_names_them(clock: Clock) -> None:
    provider = Provider()
    provider.jwks = JWKS.replace("https://", "http://")
    with pytest.raises(Unavailable):
        await provider.verifier(clock).verify(fresh(clock))
    assert provider.asked == [DISCOVERY]


async def test_a_token_is_taken_for_its_clocks_a_little_longer(clock: Clock) -> None:
    verifier = Provider().verifier(clock)
    held = fresh(clock)
    expires = (await verifier.verify(held)).claims.expires_at
    clock.now = expires + LEEWAY - 1
    assert await verifier.verify(held)
    clock.now = expires + LEEWAY
    with pytest.raises(Unauthenticated, match="expired"):
        await verifier.verify(held)


async def test_a_token_is_verified_once(clock: Clock) -> None:
    verifier = Provider().verifier(clock)
    held = fresh(clock)
    assert await verifier.verify(held) is await verifier.verify(held)
