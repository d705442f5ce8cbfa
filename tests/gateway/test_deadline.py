"""Deadlines end what takes too long, and nothing else."""

import asyncio

import pytest

from gateway.deadline import Deadline, Deadlines


async def test_what_ends_in_time_is_left_alone() -> None:
    with Deadlines().within(30):
        await asyncio.sleep(0)
    await asyncio.sleep(0.15)


async def test_what_takes_too_long_is_a_timeout() -> None:
    deadlines = Deadlines()
    for _ in range(2):
        with pytest.raises(TimeoutError), deadlines.within(0.01):
            await asyncio.sleep(30)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_deadline_that_has_passed_ends_the_first_wait() -> None:
    deadlines = Deadlines()
    with pytest.raises(TimeoutError), Deadline(deadlines, 0.0):
        await asyncio.sleep(30)


async def test_only_the_one_that_is_over_ends() -> None:
    deadlines = Deadlines()

    async def wait(seconds: float, takes: float) -> str:
        try:
            with deadlines.within(seconds):
                await asyncio.sleep(takes)
        except TimeoutError:
            return "late"
        return "done"

    found = await asyncio.gather(wait(0.01, 30), wait(30, 0.2), wait(30, 0.01))
    assert [*found] == ["late", "done", "done"]


async def test_a_cancellation_from_outside_stays_one() -> None:
    deadlines = Deadlines()

    async def wait() -> None:
        with deadlines.within(30):
            await asyncio.sleep(30)

    task = asyncio.get_running_loop().create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_inside_is_told_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), Deadlines().within(30):
        1 / 0  # noqa: B018
