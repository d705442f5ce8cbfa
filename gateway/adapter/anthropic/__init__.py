"""Anthropic's Messages API."""

from gateway.adapter.anthropic.request import outbound
from gateway.adapter.anthropic.streaming import stream
from gateway.adapter.anthropic.whole import answer, error

__all__ = ["answer", "error", "outbound", "stream"]
