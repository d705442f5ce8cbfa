"""Splits an upstream's event stream into what each event says."""

import re

MOST_HELD = 16 * 1024 * 1024
"""Bytes of one event; a longer one is no event."""
NO_EVENT = b"data: !\n\n"
"""What takes the place of an event that cannot be read: no reader takes it for a chunk."""
_BOUNDARY = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class Frames:
    """`feed` gives the whole events so far, as they came, without the empty line that ends them."""

    __slots__ = ("_end", "_held", "_size")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0
        self._end = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """What is held is searched once only, however small the pieces of an event are."""
        near = self._end + piece
        if not _BOUNDARY.search(near):
            self._held.append(piece)
            self._size += len(piece)
            self._end = near[-3:]
            return []
        *events, tail = _BOUNDARY.split(b"".join((*self._held, piece)))
        self._held, self._size, self._end = [tail], len(tail), tail[-3:]
        return events

    @property
    def overlong(self) -> bool:
        return self._size > MOST_HELD


class Events(Frames):
    """`feed` gives the payloads of the whole events, comments and other fields left out."""

    __slots__ = ()

    def feed(self, piece: bytes) -> list[bytes]:
        return [said for event in super().feed(piece) if (said := payload(event))]


def payload(event: bytes) -> bytes:
    lines = event.splitlines()
    return b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
