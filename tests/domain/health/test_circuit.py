"""Circuits: open on failure, wait, come back by degrees."""

from random import Random

import pytest

from domain.health.circuit import JITTER, RAMP, Circuit

START = 1_760_000_000.0


def busy(rate: float = 10.0) -> tuple[Circuit, float]:
    """A circuit that has seen a minute of successes, `rate` a second."""
    circuit, now = Circuit(START, Random(1)), START
    while now < START + 60.0:
        now += 1.0 / rate
        circuit.succeeded(now)
    return circuit, now


def trip(circuit: Circuit, now: float) -> float:
    """Three hard failures; returns how long it waits."""
    for _ in range(3):
        circuit.failed(now)
    assert circuit.retry_at is not None
    return circuit.retry_at - now


def test_opens_on_the_third_failure_in_a_row() -> None:
    circuit, now = busy()
    assert not circuit.failed(now)
    assert not circuit.failed(now)
    assert circuit.retry_at is None
    assert circuit.failed(now)
    assert circuit.retry_at is not None


def test_a_success_between_starts_the_row_again() -> None:
    circuit, now = busy()
    for _ in range(5):
        circuit.failed(now)
        circuit.failed(now)
        circuit.succeeded(now)
    assert circuit.retry_at is None


def test_opens_when_more_than_half_fail_though_never_three_in_a_row() -> None:
    circuit, now = busy()
    failures = 0
    while not circuit.failed(now):
        failures += 1
        assert failures < 1_000
        if failures % 2 == 0:
            circuit.succeeded(now)
        now += 0.05
    assert circuit.error_rate() > 0.5


def test_below_half_failing_it_stays_closed() -> None:
    circuit, now = busy()
    for _ in range(200):
        circuit.failed(now)
        circuit.succeeded(now)
        circuit.succeeded(now)
        now += 0.1
    assert circuit.retry_at is None
    assert circuit.is_degraded(now)


def test_waits_two_seconds_and_twice_as_long_each_time_up_to_thirty() -> None:
    circuit, now = busy()
    waits = [trip(circuit, now)]
    for _ in range(6):
        assert circuit.retry_at is not None
        now = circuit.retry_at
        circuit.failed(now)
        waits.append(circuit.retry_at - now)
    for wait, nominal in zip(waits, (2, 4, 8, 16, 30, 30, 30), strict=True):
        assert nominal * (1 - JITTER) <= wait <= nominal * (1 + JITTER)


def test_at_low_traffic_it_waits_twenty_seconds_at_most() -> None:
    circuit, now = Circuit(START, Random(1)), START
    for _ in range(3):
        now += 5.0
        circuit.failed(now)
    for _ in range(8):
        assert circuit.retry_at is not None
        wait = circuit.retry_at - now
        now = circuit.retry_at
        circuit.failed(now)
    assert wait <= 20 * (1 + JITTER)


def test_half_open_admits_more_on_each_success_and_the_fifth_closes() -> None:
    circuit, now = busy()
    now += trip(circuit, now)
    shares = []
    while circuit.retry_at is not None:
        shares.append(circuit.admitted(now))
        assert circuit.succeeded(now)
    assert tuple(shares) == RAMP
    assert circuit.admitted(now) == 1.0
    assert circuit.error_rate() == 0.0


def test_one_failure_while_half_open_opens_again() -> None:
    circuit, now = busy()
    first = trip(circuit, now)
    now += first
    circuit.succeeded(now)
    assert circuit.failed(now)
    assert circuit.retry_at is not None
    assert circuit.retry_at - now > first
    assert circuit.admitted(circuit.retry_at) == RAMP[0]


def test_at_low_traffic_the_first_success_closes() -> None:
    circuit, now = Circuit(START, Random(1)), START
    for _ in range(3):
        now += 5.0
        circuit.failed(now)
    assert circuit.retry_at is not None
    assert circuit.admitted(circuit.retry_at) == 1.0
    circuit.succeeded(circuit.retry_at)
    assert circuit.retry_at is None


def test_a_ramp_that_nobody_climbs_gives_way_to_a_probe() -> None:
    circuit, now = busy()
    now += trip(circuit, now)
    assert circuit.admitted(now) == RAMP[0]
    assert circuit.admitted(now + 5.0) == 1.0
    circuit.succeeded(now + 5.0)
    assert circuit.retry_at is None


def test_answers_of_before_neither_close_nor_prolong() -> None:
    circuit, now = busy()
    trip(circuit, now)
    until = circuit.retry_at
    assert not circuit.succeeded(now + 0.5)
    assert not circuit.failed(now + 0.6)
    assert circuit.retry_at == until


def test_a_lone_failure_degrades_for_ten_seconds() -> None:
    circuit = Circuit(START, Random(1))
    circuit.failed(START)
    assert circuit.is_degraded(START + 9.9)
    assert not circuit.is_degraded(START + 10.1)


def test_the_seed_decides_the_jitter() -> None:
    waits = {seed: trip(Circuit(START, Random(seed)), START) for seed in (1, 2)}
    assert waits[1] != waits[2]
    assert waits[1] == pytest.approx(trip(Circuit(START, Random(1)), START))
