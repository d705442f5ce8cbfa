"""A fake LLM provider: a real server that speaks OpenAI chat and misbehaves when asked to.

    python -m tests.provider --port 9100

What it does is chosen by the model's name (see `behaviour.GRAMMAR`); what it did is in its log.
"""

from tests.provider.log import Entry
from tests.provider.server import FakeProvider

__all__ = ["Entry", "FakeProvider"]
