"""Structured logs, from which secrets are removed whatever put them there."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(
    r"fl_[0-9A-Za-z]{12}_[0-9A-Za-z]{8,}|\b(?:sk|pk|hf|gsk|xai|AIza)[-_][\w-]{8,}|AIza[\w-]{20,}"
    r"|(?i:bearer)\s+[\w.~+/=-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_HIDDEN = "[hidden]"
_NAMES = frozenset(
    {"authorization", "api_key", "key", "secret", "token", "cookie", "password", "prompt"}
)


def redact(value: Any) -> Any:
    """`value` with everything that looks like a secret hidden; containers are copied."""
    if isinstance(value, str):
        return _SECRET.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {k: _HIDDEN if k in _NAMES else redact(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redact(each) for each in value]
    return value


def _redacting(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {k: _HIDDEN if k in _NAMES else redact(v) for k, v in event.items()}


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
        structlog.processors.format_exc_info,
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
