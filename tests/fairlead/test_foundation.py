"""The master key: the operator's, or one made once and never half written."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from auth.secrets import BadMasterKeyError, SecretBox, generate_master_key
from fairlead.foundation import master_keys
from fairlead.settings import Settings


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(FAIRLEAD_DATA_DIR=folder, **more)


def test_the_first_start_makes_a_key_file_and_the_next_reads_it(tmp_path: Path) -> None:
    first, made = master_keys(settings(tmp_path))
    again, made_again = master_keys(settings(tmp_path))
    assert (made, made_again) == (True, False)
    assert first.master_key_ids == again.master_key_ids
    assert [path.name for path in tmp_path.iterdir()] == ["encryption.key"]
    assert stat.S_IMODE((tmp_path / "encryption.key").stat().st_mode) == 0o600


def test_starts_at_the_same_moment_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: master_keys(settings(tmp_path)), range(16)))
    assert len({box.master_key_ids for box, _ in found}) == 1
    assert [made for _, made in found].count(True) == 1


def test_the_operators_keys_go_before_the_file_which_is_then_not_made(tmp_path: Path) -> None:
    keys = [generate_master_key(), generate_master_key()]
    text = ",".join(key.reveal() for key in keys)
    box, made = master_keys(settings(tmp_path, ENCRYPTION_KEY=text))
    assert box.master_key_ids == SecretBox(keys).master_key_ids
    assert not made
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_key_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "encryption.key").write_text("damaged")
    with pytest.raises(BadMasterKeyError):
        master_keys(settings(tmp_path))
    assert (tmp_path / "encryption.key").read_text() == "damaged"
