"""What is remembered of a key goes when the key does, down to the digest of its text."""

import uuid

import pytest

from auth import known
from auth.known import FRESH, Known, Memory, Text
from domain.principal import Principal, Role

NOW = 1_760_000_000.0


def key(*texts: Text) -> Known:
    caller = Principal(uuid.uuid4(), Role.USER, frozenset())
    return Known(texts, False, caller, frozenset(), NOW)


def text(verified: bytes | None, until: float | None = None) -> Text:
    return Text(bytes(32), uuid.uuid4(), until, verified)


def test_a_verified_text_is_known_by_heart_while_its_record_is_fresh() -> None:
    memory, one = Memory(), key(text(None))
    memory.put("one", one)
    assert memory.by_heart(b"digest", NOW) is None
    memory.verified("one", one.texts[0], b"digest")
    assert memory.by_heart(b"digest", NOW + FRESH - 1) is one
    assert memory.by_heart(b"digest", NOW + FRESH) is None
    assert memory.by_heart(b"another", NOW) is None
    one.read_at = 0.0
    assert memory.by_heart(b"digest", NOW) is None


def test_a_text_whose_place_was_taken_is_known_until_its_end() -> None:
    memory, one = Memory(), key(text(b"new"), text(b"old", NOW + 10))
    memory.put("one", one)
    assert memory.by_heart(b"old", NOW + 9) is one
    assert memory.by_heart(b"old", NOW + 10) is None
    assert memory.by_heart(b"new", NOW + 10) is one


def test_what_was_verified_of_a_replaced_or_dropped_key_is_forgotten() -> None:
    memory, one, two = Memory(), key(text(b"first")), key(text(b"second"))
    memory.put("one", one)
    memory.put("one", two)
    assert memory.by_heart(b"first", NOW) is None
    assert memory.by_heart(b"second", NOW) is two
    # Verified while another record came: the text is none of what is known now.
    memory.verified("one", one.texts[0], b"late")
    assert memory.by_heart(b"late", NOW) is None
    memory.drop("one")
    assert memory.by_heart(b"second", NOW) is None
    memory.put("one", key(text(None)))
    assert memory.by_heart(b"second", NOW) is None


def test_no_more_keys_are_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(known, "_MOST_KNOWN", 3)
    memory = Memory()
    for n in range(5):
        memory.put(f"{n}", key(text(b"%d" % n)))
    assert [id for id, _ in memory] == ["2", "3", "4"]
    assert memory.by_heart(b"1", NOW) is None
    assert memory.by_heart(b"2", NOW) is not None
