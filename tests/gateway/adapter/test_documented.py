"""The tables of fields in the guides name every field that a format takes or leaves out."""

from pathlib import Path

import pytest

from gateway.adapter import asked
from gateway.adapter.anthropic import request as anthropic
from gateway.adapter.google import embedding
from gateway.adapter.google import request as google
from gateway.anthropic import translate

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("guide", "fields"),
    [
        ("providers.md", anthropic.TAKEN | google.TAKEN),
        ("providers.md", asked.IGNORED | asked.NEUTRAL.keys()),
        ("providers.md", embedding.TAKEN | embedding.IGNORED),
        ("api.md", translate.TAKEN | translate.IGNORED),
    ],
)
def test_every_field_is_in_its_table(guide: str, fields: frozenset[str]) -> None:
    text = (DOCS / guide).read_text()
    unasked = {"messages", "model", "output_format", "stream"} if guide == "api.md" else set()

    assert [name for name in sorted(fields - unasked) if f"`{name}" not in text] == []
