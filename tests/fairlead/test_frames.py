"""Frames of our own are those of the protocol."""

import pytest
from websockets.frames import Frame, Opcode

from fairlead.frames import text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4_000, 65_535, 65_536, 200_000])
def test_a_frame_is_what_the_library_would_make(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
