"""No field of a request is dropped without a word, and the page says what became of each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import message_create_params
from anthropic.types.beta import message_create_params as beta
from openai.types.chat import completion_create_params

from domain.snapshot import ProviderType
from tests.gateway.fields.page import DROPPED, OUT, of_chat, of_message, page
from tests.gateway.fields.samples import CHAT, MESSAGES

PAGE = Path(__file__).parents[3] / "docs" / "fields.md"
_HEADERS = {"betas"}
"""What the SDK says in a header."""


def test_the_page_says_what_became_of_each_field() -> None:
    assert page() == PAGE.read_text()


@pytest.mark.parametrize("type", list(OUT))
@pytest.mark.parametrize(("samples", "tried"), [(CHAT, of_chat), (MESSAGES, of_message)])
def test_nothing_is_dropped(
    samples: Mapping[str, Any], tried: Callable[[str, ProviderType], str], type: ProviderType
) -> None:
    assert [name for name in samples if tried(name, type) == DROPPED] == []


def test_every_field_of_the_official_sdks_is_tried() -> None:
    chat = completion_create_params.CompletionCreateParamsBase.__annotations__
    plain = message_create_params.MessageCreateParamsBase.__annotations__
    tested = beta.MessageCreateParamsBase.__annotations__

    assert set(chat) - CHAT.keys() == set()
    assert (set(plain) | set(tested)) - MESSAGES.keys() - _HEADERS == set()
