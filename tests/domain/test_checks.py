"""What may be a name."""

import pytest

from domain.checks import line
from domain.errors import InvalidInput
from tests.naughty import EMOJI, INVISIBLE, ZALGO


@pytest.mark.parametrize("text", ["Ada", " Ada ", EMOJI, INVISIBLE, ZALGO[:90], "مرحبا שלום", "0"])
def test_a_name_is_kept_without_the_space_around_it(text: str) -> None:
    assert line("name", text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\u3000", "a" * 101, "a\nb", "a\x85b", "a\u2028b", "a\x00b", "a\x9bb"),
        *("\u202enimda", "admin\u202c", "a\u2066b", "a\u2069b"),
        *("\u200b", "\ufeff\u2060", "\u00ad"),
    ],
)
def test_what_cannot_be_read_is_no_name(text: str) -> None:
    with pytest.raises(InvalidInput):
        line("name", text)
