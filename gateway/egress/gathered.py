"""What is written to a connection in one turn of the loop leaves together, at its end.

Each write wakes whoever waits for it. Behind one another, most find their readers awake: for a
request and its answer the system's time halves (docs/decisions/0031).
"""

import asyncio


class Gathered:
    """A transport; more than `most` bytes leave at once."""

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, most: int = 64 * 1024
    ) -> None:
        self._transport = transport
        self._loop = loop
        self.most = most
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
        if self._size > self.most:
            self._flush()

    @property
    def holds(self) -> bool:
        """Whether something has not left yet."""
        return bool(self._held)

    def close(self) -> None:
        """What is held leaves first."""
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        return self._size + self._transport.get_write_buffer_size()

    def _flush(self) -> None:
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self._size = 0
            if not self.is_closing():
                self._transport.write(data)
