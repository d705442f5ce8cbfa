"""Structured logs, from which secrets are removed whatever put them there."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

import structlog

from fairlead import exceptions

_SECRET = re.compile(
    r"fl_[0-9A-Za-z]{12}_[0-9A-Za-z]{8,}|\b(?:sk|pk|hf|gsk|xai|AIza)[-_][\w-]{8,}|AIza[\w-]{20,}"
    r"|(?i:bearer)\s+[\w.~+/=-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_HIDDEN = "[hidden]"
_NAME = re.compile(
    r"(?:.*[-_])?(?:authorization|key|secret|token|cookie|password|prompt)", re.IGNORECASE
)


def redact(value: Any) -> Any:
    """`value` as JSON could hold it, with all that is or looks like a secret hidden."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {redact(name): _of(name, each) for name, each in value.items()}
    if isinstance(value, tuple) and len(value) == 2:
        return [redact(value[0]), _of(*value)]
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(each) for each in value]
    return _SECRET.sub(_HIDDEN, _text(value))


def _of(name: object, value: object) -> Any:
    return _HIDDEN if _NAME.fullmatch(_text(name)) else redact(value)


def _text(value: object) -> str:
    if isinstance(value, BaseException):
        return exceptions.told(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _redacting(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    # Names with an underscore are the library's own, removed again before anything is written.
    return {k: v if k.startswith("_") else _of(k, v) for k, v in event.items()}


def configure(level: str) -> None:
    """JSON lines on standard error, or plain ones when a person is looking."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    person = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(exceptions.shown),
        _redacting,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    logging.getLogger("uvicorn.error").addFilter(_is_no_abort)
    logging.getLogger("asyncio").addFilter(_first_line)
    sys.excepthook = _unexpected


def _is_no_abort(record: logging.LogRecord) -> bool:
    """Leaving a body unfinished is how a broken answer is told; uvicorn takes it for a fault."""
    return "returned without completing response" not in record.getMessage()


def _first_line(record: logging.LogRecord) -> bool:
    """The others are tasks as they write themselves, exceptions' messages among them."""
    record.msg, record.args = record.getMessage().partition("\n")[0], ()
    return True


def _unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """What ends a process, which Python would write out as it is."""
    structlog.get_logger(__name__).critical("unexpected", exc_info=(kind, error, trace))
