"""Anthropic's Messages API."""

from gateway.adapter.anthropic.request import outbound
from gateway.adapter.anthropic.streaming import stream
from gateway.adapter.anthropic.whole import answer, error
from gateway.adapter.asked import ignored

__all__ = ["answer", "error", "ignored", "outbound", "stream"]
