"""A secret opens only in its own place, under a key we hold, and unchanged."""

import base64
import copy
import pickle
import uuid
from dataclasses import replace

import pytest

from auth.secrets import (
    BadMasterKeyError,
    SecretBox,
    generate_master_key,
    parse_master_keys,
)
from domain.ports import Place, Sealed
from domain.secret import Secret

SECRET = Secret("sk-live-0123456789abcdef")
PLACE = Place("llm_credentials", "ciphertext", uuid.UUID(int=7), 1, "https://api.openai.com")

ELSEWHERE = [
    replace(PLACE, table="peppers"),
    replace(PLACE, column="ciphertext2"),
    replace(PLACE, row=uuid.UUID(int=8)),
    replace(PLACE, version=2),
    replace(PLACE, destination="https://api.openai.com.example"),
    replace(PLACE, destination="http://api.openai.com"),
    replace(PLACE, destination=""),
    # The same characters, divided differently between the parts.
    replace(PLACE, table="llm_credentialsc", column="iphertext"),
    replace(PLACE, table="llm_credential", column="sciphertext"),
]


def opens(box: SecretBox, sealed: Sealed, place: Place = PLACE) -> bool:
    try:
        box.open(sealed, place)
    except ValueError:
        return False
    return True


@pytest.fixture
def box() -> SecretBox:
    return SecretBox([generate_master_key()])


def test_opens_where_it_was_sealed(box: SecretBox) -> None:
    assert box.open(box.seal(SECRET, PLACE), PLACE).reveal() == SECRET.reveal()


@pytest.mark.parametrize("place", ELSEWHERE, ids=range(len(ELSEWHERE)))
def test_opens_nowhere_else(box: SecretBox, place: Place) -> None:
    assert not opens(box, box.seal(SECRET, PLACE), place)


def test_swapping_the_ciphertexts_of_two_rows_opens_neither(box: SecretBox) -> None:
    other = replace(PLACE, row=uuid.UUID(int=8))
    here, there = box.seal(SECRET, PLACE), box.seal(Secret("another"), other)
    assert not opens(box, here, other)
    assert not opens(box, there, PLACE)


@pytest.mark.parametrize("length", [1, 15, 16, 40, 200])
def test_no_flipped_bit_opens(box: SecretBox, length: int) -> None:
    sealed = box.seal(Secret("s" * length), PLACE)
    opened = []
    for bit in range(len(sealed.ciphertext) * 8):
        changed = bytearray(sealed.ciphertext)
        changed[bit // 8] ^= 1 << bit % 8
        if opens(box, replace(sealed, ciphertext=bytes(changed))):
            opened.append(bit)
    assert opened == []


def test_no_truncated_or_lengthened_ciphertext_opens(box: SecretBox) -> None:
    sealed = box.seal(SECRET, PLACE)
    cut = [sealed.ciphertext[:end] for end in range(len(sealed.ciphertext))]
    longer = [sealed.ciphertext + more for more in (b"=", b"\n", b"A", b"AAAA", sealed.ciphertext)]
    assert [c for c in cut + longer if opens(box, replace(sealed, ciphertext=c))] == []


def test_two_seals_of_one_secret_differ(box: SecretBox) -> None:
    assert box.seal(SECRET, PLACE).ciphertext != box.seal(SECRET, PLACE).ciphertext


def test_the_first_key_seals_and_every_key_opens() -> None:
    old, new = generate_master_key(), generate_master_key()
    before = SecretBox([old]).seal(SECRET, PLACE)
    promoted = SecretBox([new, old])
    after = promoted.seal(SECRET, PLACE)

    assert promoted.open(before, PLACE).reveal() == SECRET.reveal()
    assert after.master_key_id == SecretBox([new]).master_key_ids[0] != before.master_key_id
    assert opens(SecretBox([new]), after)
    assert not opens(SecretBox([old]), after)
    assert not opens(SecretBox([new]), before)


def test_a_ciphertext_does_not_open_under_another_keys_id() -> None:
    box = SecretBox([generate_master_key(), generate_master_key()])
    sealed = box.seal(SECRET, PLACE)
    assert not opens(box, replace(sealed, master_key_id=box.master_key_ids[1]))
    assert not opens(box, replace(sealed, master_key_id=""))


def test_what_is_stored_holds_neither_the_secret_nor_the_master_key() -> None:
    master = generate_master_key()
    box = SecretBox([master])
    sealed = box.seal(SECRET, PLACE)
    stored = base64.urlsafe_b64decode(sealed.ciphertext) + sealed.ciphertext
    stored += sealed.master_key_id.encode() + box.fingerprint(SECRET).encode()
    assert SECRET.reveal().encode() not in stored
    assert master.reveal()[:8].encode() not in stored


def test_equal_secrets_have_equal_fingerprints_under_one_master_key_only() -> None:
    master = generate_master_key()
    first, again, other = (
        SecretBox([master]),
        SecretBox([master]),
        SecretBox([generate_master_key()]),
    )
    assert first.fingerprint(SECRET) == again.fingerprint(Secret(SECRET.reveal()))
    assert first.fingerprint(SECRET) != first.fingerprint(Secret("sk-live-0123456789abcdeg"))
    assert first.fingerprint(SECRET) != other.fingerprint(SECRET)


@pytest.mark.parametrize(
    "text", ["", " , ", "short", "!" * 44, "A" * 43, "A" * 42 + "==", "password" * 6]
)
def test_refuses_a_master_key_that_is_not_32_bytes(text: str) -> None:
    with pytest.raises(BadMasterKeyError) as refusal:
        parse_master_keys(Secret(text))
    assert text.strip(" ,") == "" or text not in str(refusal.value)


def test_reads_a_list_of_master_keys_in_order() -> None:
    keys = [generate_master_key(), generate_master_key()]
    text = Secret(f" {keys[0].reveal()} ,{keys[1].reveal()},")
    assert [key.reveal() for key in parse_master_keys(text)] == [key.reveal() for key in keys]


def test_a_secret_is_not_shown_by_accident() -> None:
    shown = [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>40}",
        repr([SECRET]),
    ]
    assert [text for text in shown if "0123" in text] == []
    for leak in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            leak(SECRET)
