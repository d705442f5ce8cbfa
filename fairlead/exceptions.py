"""Exceptions as the log shows them: of what type and where, and not with which values.

A message may repeat what it is about: half a prompt in a ValueError, a row in a constraint's
detail. Only what is known to hold no value is told besides the type.
"""

import os
import traceback
from collections.abc import Iterator
from types import TracebackType

MOST_FRAMES = 60
"""Of one exception: the innermost. A recursion has hundreds."""
_WITHOUT_VALUES = ("08", "25", "28", "3D", "40", "42", "53", "55", "57", "58")
"""Classes of PostgreSQL's errors whose messages name tables, columns and states only."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def told(error: BaseException) -> str:
    """One line: the type, and PostgreSQL's or the system's own words where there are some."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    state, words = getattr(error, "sqlstate", None), getattr(error, "message", None)
    if isinstance(state, str):
        safe = state.startswith(_WITHOUT_VALUES) and isinstance(words, str)
        return f"{kind}: SQLSTATE {state}" + (f", {words}" if safe else "")
    if isinstance(error, OSError) and isinstance(error.errno, int) and error.errno > 0:
        return f"{kind}: {os.strerror(error.errno)}"
    return kind


def shown(exc_info: ExcInfo) -> str:
    """A traceback, with what led to it before, as Python writes it; the lines are of our sources.

    What is `exc_info` is what structlog hands to a formatter of exceptions.
    """
    return "\n".join(_lines(exc_info[1], set()))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__
    if before is None and not error.__suppress_context__:
        before = error.__context__
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield "which led to:"
    yield "Traceback (most recent call last):"
    for frame in traceback.format_tb(error.__traceback__, -MOST_FRAMES):
        yield frame.rstrip("\n")
    yield told(error)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from (f"  | {line}" for line in _lines(each, seen))
