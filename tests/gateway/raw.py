"""A provider that answers with the very bytes a test gives it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@asynccontextmanager
async def saying(pieces: list[bytes], *, stream: bool) -> AsyncIterator[str]:
    """host:port. Each request is answered with `pieces`, then its connection is closed.

    Of a `stream` each is a chunk of the body, which ends in order but where the last is empty.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            for piece in _written(pieces) if stream else pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


def _written(pieces: list[bytes]) -> list[bytes]:
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
    return [HEAD, *chunks, *([b"0\r\n\r\n"] if pieces[-1] else [])]
