"""What the observatory shows of what it was told."""

import uuid

import pytest

from domain.health import PRIOR, Failure, Health, Live, Observatory, Warmth
from domain.usage import TokenUsage
from tests.domain.routing.catalogue import NOW, credential, deployment, identity, price, provider

MODEL = deployment("a/m", price(1.0, 3.0))
SIBLING = deployment("a/n", price(1.0, 3.0))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def observatory(clock: Clock) -> Observatory:
    return Observatory(clock, seed=1)


def serve(
    observatory: Observatory, clock: Clock, times: int, first_token: float = 0.5, output: int = 101
) -> None:
    """Streams at 100 tokens a second, one a second."""
    for _ in range(times):
        clock.now += 1.0
        observatory.succeeded(
            MODEL,
            first_token=first_token,
            duration=first_token + (output - 1) / 100,
            usage=TokenUsage(input=1_000, output=output, cached=250),
        )


def test_nothing_told_shows_nothing(observatory: Observatory) -> None:
    assert observatory.view(NOW).vitals == {}
    assert Live().vitals == {}


def test_twenty_samples_speak_for_themselves(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 40)
    vitals = observatory.view(clock.now).vitals[MODEL.id]
    assert vitals.ttft == pytest.approx(0.5, rel=0.06)
    assert vitals.speed == pytest.approx(100.0, rel=0.06)
    assert vitals.output == pytest.approx(101, rel=0.06)
    assert (vitals.samples, vitals.warmth) == (40, Warmth.WARM)
    assert vitals.health is Health.HEALTHY
    assert vitals.cached_share == pytest.approx(0.25, abs=0.03)


def test_a_few_samples_lean_on_the_prior(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 5, first_token=8.0)
    vitals = observatory.view(clock.now).vitals[MODEL.id]
    assert PRIOR.ttft < vitals.ttft < 2.0
    assert vitals.warmth is Warmth.COLD


def test_recent_samples_outweigh_the_day(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 2_000, first_token=0.3)
    serve(observatory, clock, 900, first_token=3.0)
    assert observatory.view(clock.now).vitals[MODEL.id].ttft == pytest.approx(3.0, rel=0.1)


def test_after_silence_the_day_speaks_again(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 6_000, first_token=0.3)
    serve(observatory, clock, 900, first_token=3.0)
    clock.now += 3_600.0
    assert observatory.view(clock.now).vitals[MODEL.id].ttft == pytest.approx(0.3, rel=0.1)


def test_a_sibling_without_samples_takes_its_providers_pace(
    observatory: Observatory, clock: Clock
) -> None:
    serve(observatory, clock, 60, first_token=0.2)
    live = observatory.view(clock.now)
    assert live.paces[provider("a").id].ttft == pytest.approx(0.2, rel=0.06)
    assert SIBLING.id not in live.vitals


def test_answers_that_are_not_streamed_tell_the_speed(
    observatory: Observatory, clock: Clock
) -> None:
    for _ in range(60):
        clock.now += 1.0
        usage = TokenUsage(input=10, output=200)
        observatory.succeeded(MODEL, first_token=None, duration=5.0, usage=usage)
        observatory.view(clock.now)
    vitals = observatory.view(clock.now).vitals[MODEL.id]
    assert vitals.speed == pytest.approx(200 / 4.0, rel=0.1)


def test_much_slower_than_its_own_day_is_degraded(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 20_000, first_token=0.3)
    assert observatory.view(clock.now).vitals[MODEL.id].health is Health.HEALTHY
    serve(observatory, clock, 300, first_token=2.0)
    assert observatory.view(clock.now).vitals[MODEL.id].health is Health.DEGRADED


def test_a_view_stays_the_same_object_for_a_second(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 3)
    first = observatory.view(clock.now)
    assert observatory.view(clock.now + 0.9) is first
    second = observatory.view(clock.now + 1.0)
    assert second is not first
    assert (second.number, second.built_at) == (first.number + 1, clock.now + 1.0)


def test_an_opened_circuit_shows_at_once_and_the_old_view_is_untouched(
    observatory: Observatory, clock: Clock
) -> None:
    serve(observatory, clock, 30)
    before = observatory.view(clock.now)
    for _ in range(3):
        observatory.failed(MODEL, Failure.CONNECT)
    after = observatory.view(clock.now).vitals[MODEL.id]
    assert after.health is Health.OPEN
    assert after.retry_at > clock.now
    assert before.vitals[MODEL.id].health is Health.HEALTHY
    assert not after.admits(after.retry_at - 0.01, 0.0)
    assert after.admits(after.retry_at, 0.0)
    assert after.health_at(after.retry_at) is Health.HALF_OPEN


def test_a_recovered_primary_serves_again_within_thirty_seconds(
    observatory: Observatory, clock: Clock
) -> None:
    """A request every two seconds, ten minutes of failure, then it is back."""
    back = clock.now + 600.0
    while True:
        clock.now += 2.0
        vitals = observatory.view(clock.now).vitals.get(MODEL.id)
        if vitals and not vitals.admits(clock.now, 0.5):
            continue
        if clock.now < back:
            observatory.failed(MODEL, Failure.SERVER_ERROR)
        else:
            break
    assert clock.now - back <= 30.0


def test_a_timeout_counts_as_at_least_that_slow(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 10, first_token=0.2)
    for _ in range(30):
        clock.now += 1.0
        observatory.failed(MODEL, Failure.FIRST_TOKEN_TIMEOUT, waited=10.0)
    assert observatory.view(clock.now).vitals[MODEL.id].ttft > 5.0


def test_a_limited_key_rests_at_that_deployment_only_and_for_a_minute_at_most(
    observatory: Observatory, clock: Clock
) -> None:
    key = credential("k", provider("a"))
    observatory.rate_limited(MODEL, key, retry_after=500.0)
    live = observatory.view(clock.now)
    assert live.rests_until(key, MODEL.id) == NOW + 60.0
    assert live.rests_until(key, SIBLING.id) == 0.0
    assert MODEL.id not in live.vitals


def test_a_refused_key_rests_everywhere_until_its_next_version(
    observatory: Observatory, clock: Clock
) -> None:
    key = credential("k", provider("a"))
    observatory.refused(key)
    live = observatory.view(clock.now)
    assert live.rests_until(key, MODEL.id) == live.rests_until(key, SIBLING.id) > clock.now
    renewed = type(key)(**{**{f: getattr(key, f) for f in key.__struct_fields__}, "version": 2})
    assert live.rests_until(renewed, MODEL.id) == 0.0


def test_a_refused_key_rests_no_more_once_it_is_taken_again(
    observatory: Observatory, clock: Clock
) -> None:
    key, other = credential("k", provider("a")), credential("o", provider("a"))
    for each in (key, other):
        observatory.refused(each)
    observatory.rate_limited(MODEL, key, retry_after=30.0)
    observatory.taken({key.id})
    live = observatory.view(clock.now)
    assert live.rests_until(key, SIBLING.id) == 0.0
    assert live.rests_until(key, MODEL.id) > clock.now
    assert live.rests_until(other, SIBLING.id) > clock.now


def test_what_no_longer_matters_is_forgotten(observatory: Observatory, clock: Clock) -> None:
    serve(observatory, clock, 3)
    observatory.rate_limited(MODEL, None, retry_after=1.0)
    clock.now += 3 * 86_400.0
    live = observatory.view(clock.now)
    assert live.vitals == {}
    assert live.resting == {}


def test_incumbents_are_the_last_winners_and_bounded(observatory: Observatory) -> None:
    for n in range(5_000):
        observatory.chosen(f"cell {n}", identity(f"{n}"))
    observatory.chosen("cell 4999", uuid.UUID(int=1))
    incumbents = observatory.view(NOW).incumbents
    assert len(incumbents) == 4_096
    assert incumbents["cell 4999"] == uuid.UUID(int=1)
    assert "cell 0" not in incumbents


def test_a_limited_key_takes_less_and_then_a_little_more_with_each_success(
    observatory: Observatory, clock: Clock
) -> None:
    key = credential("k", provider("a"))
    other = deployment("a/n", price(1.0, 3.0))
    observatory.rate_limited(MODEL, key, 1.0)
    assert observatory.view(clock.now).share_of(key, MODEL.id) == 0.6
    observatory.rate_limited(MODEL, key, 1.0)
    live = observatory.view(clock.now)
    assert live.share_of(key, MODEL.id) == pytest.approx(0.48)
    assert live.share_of(key, other.id) == live.share_of(None, MODEL.id) == 1.0
    assert MODEL.id in live.unusual

    clock.now += 5.0
    for _ in range(10):
        observatory.succeeded(
            MODEL, first_token=None, duration=0.1, usage=TokenUsage(), credential=key
        )
    clock.now += 1.0
    assert observatory.view(clock.now).share_of(key, MODEL.id) == pytest.approx(0.5)
    clock.now += 700.0
    assert observatory.view(clock.now).share_of(key, MODEL.id) == 1.0


def test_what_was_derived_of_a_view_goes_when_the_next_comes(observatory: Observatory) -> None:
    first = observatory.view(NOW)
    first.derived[str] = "a plan"
    assert observatory.view(NOW + 0.9).derived == {str: "a plan"}
    assert observatory.view(NOW + 1.0).derived == {}
    assert first.derived == {}


def test_a_change_of_incumbents_waits_for_the_next_view(observatory: Observatory) -> None:
    """Sessions share a model among deployments: each request would build a view anew."""
    observatory.chosen("cell", identity("a"))
    first = observatory.view(NOW)
    observatory.chosen("cell", identity("b"))
    assert observatory.view(NOW + 0.9) is first
    assert observatory.view(NOW + 1.0).incumbents["cell"] == identity("b")
