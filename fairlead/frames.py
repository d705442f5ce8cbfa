"""WebSocket frames of our own making: the same bytes for everybody, and one write for many."""

import asyncio
from typing import Any

EXTENSION = "fairlead.frame"
"""In an ASGI scope's extensions: `websocket.send` takes whole `frames` in place of text."""
_MOST_HELD = 2 * 1024
"""Bytes; more leaves at once, so that the first of many need not wait for the last."""
_SHORT, _MEDIUM = 125, 0xFFFF


def text_frame(payload: bytes) -> bytes:
    """One unmasked frame with the whole text (RFC 6455, 5.2)."""
    size = len(payload)
    if size <= _SHORT:
        head = bytes((0x81, size))
    elif size <= _MEDIUM:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    return head + payload


class Gathered:
    """A transport that sends together what is written to it in one turn of the loop."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info
        self.set_protocol = transport.set_protocol
        self.abort = transport.abort

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > _MOST_HELD:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        return self._size + int(self._transport.get_write_buffer_size())

    @property
    def taken(self) -> int:
        """Bytes that have left for good."""
        return int(self._transport.taken)

    def _flush(self) -> None:
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self._size = 0
            if not self.is_closing():
                self._transport.write(data)
