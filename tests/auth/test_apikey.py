"""The form of an API key is checked before anything is looked up."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.apikey import generate, hash_key, matches, parse
from domain.secret import Secret

KEY = generate()
TEXT = KEY.secret.reveal()
PEPPER = Secret("pepper")


def test_a_key_has_its_published_form() -> None:
    prefix, public_id, rest = TEXT.split("_")
    assert (prefix, len(public_id), len(rest)) == ("fl", 12, 43 + 6)
    assert public_id == KEY.public_id
    assert set(public_id + rest) <= set(string.ascii_letters + string.digits)


def test_reads_the_key_it_made() -> None:
    found = parse(TEXT)
    assert found is not None
    assert (found.public_id, found.secret.reveal()) == (KEY.public_id, TEXT)


def test_keys_are_not_repeated() -> None:
    assert len({generate().public_id for _ in range(500)}) == 500


def test_every_mistyped_character_is_noticed() -> None:
    wrong = [
        TEXT[:at] + ("a" if TEXT[at] != "a" else "b") + TEXT[at + 1 :] for at in range(len(TEXT))
    ]
    assert [text for text in wrong if parse(text) is not None] == []


def test_every_truncation_is_noticed() -> None:
    cut = [TEXT[:end] for end in range(len(TEXT))] + [TEXT + "0", " " + TEXT, TEXT + "\n"]
    assert [text for text in cut if parse(text) is not None] == []


@given(st.from_regex(r"fl_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", fullmatch=True))
def test_text_of_the_right_form_but_made_up_is_no_key(text: str) -> None:
    assert parse(text) is None


def test_letters_that_only_look_like_digits_are_refused() -> None:
    assert parse("fl_" + "٣" * 12 + TEXT[15:]) is None


def test_only_the_whole_key_under_its_own_pepper_matches() -> None:
    stored = hash_key(KEY.secret, PEPPER)
    assert len(stored) == 32
    assert matches(KEY.secret, PEPPER, stored)
    assert not matches(generate().secret, PEPPER, stored)
    assert not matches(KEY.secret, Secret("another"), stored)
    assert not matches(Secret(TEXT[:-1]), PEPPER, stored)


@pytest.mark.parametrize("stored", [b"", bytes(32), bytes(31)])
def test_an_empty_hash_matches_nothing(stored: bytes) -> None:
    assert not matches(KEY.secret, PEPPER, stored)
