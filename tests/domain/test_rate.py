"""Rates hold in every minute, and are not given away late."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from domain.rate import RUNNING_WAIT, SLOT_SECONDS, Book, Claim, Rate, Window, stored

KEY = uuid.UUID(int=1)
PERSON = uuid.UUID(int=2)


def claim(rate: Rate, limit: int, amount: int = 1, subject: uuid.UUID = KEY) -> Claim:
    return Claim(subject, rate, limit, amount)


def book(now: float, windows: dict[tuple[uuid.UUID, Rate], Window]) -> Book:
    return Book(now, windows, {}, {})


@given(
    gaps=st.lists(st.floats(0.01, 20), min_size=1, max_size=200),
    amounts=st.lists(st.integers(1, 9), min_size=200, max_size=200),
    limit=st.integers(5, 40),
)
def test_no_minute_ever_holds_more_than_the_limit(
    gaps: list[float], amounts: list[int], limit: int
) -> None:
    windows: dict[tuple[uuid.UUID, Rate], Window] = {}
    now, granted = 1_000_000.0, []
    for gap, amount in zip(gaps, amounts, strict=False):
        now += gap
        if book(now, windows).claim([claim(Rate.TOKENS, limit, amount)]).refused is None:
            granted.append((now, amount))

    for end, _ in granted:
        assert sum(a for at, a in granted if end - 60 < at <= end) <= limit


@given(
    used=st.lists(st.tuples(st.floats(0, 59), st.integers(1, 9)), max_size=30),
    amount=st.integers(1, 40),
)
def test_what_waits_as_long_as_it_is_told_fits_and_not_much_sooner(
    used: list[tuple[float, int]], amount: int
) -> None:
    window, start = Window(), 1_000_000.0
    for at, taken in sorted(used):
        window.move(start + at)
        window.counts[0] += taken
    now, limit = start + 59, 40
    window.move(now)

    wait = window.wait(amount, limit, now)

    assert wait is not None
    later = stored(window.slot, window.counts)
    later.move(now + wait)
    assert later.used + amount <= limit
    if wait > SLOT_SECONDS:
        sooner = stored(window.slot, window.counts)
        sooner.move(now + wait - SLOT_SECONDS)
        assert sooner.used + amount > limit


def test_a_claim_above_its_limit_never_fits() -> None:
    assert Window().wait(11, 10, 0.0) is None


def test_all_claims_are_granted_or_none_is_counted() -> None:
    windows: dict[tuple[uuid.UUID, Rate], Window] = {}
    wanted = [claim(Rate.REQUESTS, 10), claim(Rate.TOKENS, 100, 60)]

    assert book(100.0, windows).claim(wanted).left == (9, 40)
    refused = book(101.0, windows).claim(wanted)

    assert refused.refused == wanted[1]
    assert windows[KEY, Rate.REQUESTS].used == 1
    assert windows[KEY, Rate.TOKENS].used == 60


def test_running_requests_of_every_process_count() -> None:
    running = {KEY: 1}
    one = Book(0.0, {}, running, {KEY: 1})

    assert one.claim([claim(Rate.CONCURRENCY, 3)]).refused is None
    refused = one.claim([claim(Rate.CONCURRENCY, 3)])

    assert (refused.refused, refused.wait) == (claim(Rate.CONCURRENCY, 3), RUNNING_WAIT)
    assert running == {KEY: 2}


def test_tokens_that_were_not_used_make_room_and_an_excess_takes_it() -> None:
    windows: dict[tuple[uuid.UUID, Rate], Window] = {}
    verdict = book(100.0, windows).claim([claim(Rate.TOKENS, 100, 90)])
    window = windows[KEY, Rate.TOKENS]

    window.move(112.0)
    window.correct(verdict.slot, -80)
    assert window.used == 10
    window.correct(verdict.slot, 25)
    assert (window.used, window.counts[0]) == (35, 25)


def test_a_correction_older_than_a_minute_changes_nothing() -> None:
    window = Window()
    window.move(100.0)
    window.counts[0] = 5
    window.move(400.0)

    window.correct(20, -5)

    assert window.used == 0


def test_subjects_are_counted_apart() -> None:
    windows: dict[tuple[uuid.UUID, Rate], Window] = {}
    of_key, of_person = claim(Rate.REQUESTS, 1), claim(Rate.REQUESTS, 2, subject=PERSON)

    assert book(0.0, windows).claim([of_key, of_person]).refused is None
    assert book(0.0, windows).claim([of_person]).refused is None
    assert book(0.0, windows).claim([of_person]).refused == of_person
