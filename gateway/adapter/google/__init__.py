"""Google's Gemini API."""

from gateway.adapter.asked import ignored
from gateway.adapter.google.embedding import embed, embedded, unembedded
from gateway.adapter.google.request import outbound
from gateway.adapter.google.streaming import stream
from gateway.adapter.google.whole import answer, error

__all__ = [
    "answer",
    "embed",
    "embedded",
    "error",
    "ignored",
    "outbound",
    "stream",
    "unembedded",
]
