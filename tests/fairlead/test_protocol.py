"""An answer's head goes out with what follows it, and never waits for more than the loop's turn."""

import asyncio

from fairlead.protocol import Joined
from tests.fairlead.wire import Wire

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


def joined() -> tuple[Wire, Joined]:
    wire = Wire()
    return wire, Joined(wire, asyncio.get_running_loop())


async def test_a_head_and_its_body_are_one_packet() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    transport.write(b"body")
    transport.write(b"more")
    await asyncio.sleep(0)
    assert wire.packets == [HEAD + b"body", b"more"]


async def test_a_head_without_a_body_yet_goes_out_at_once() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    await asyncio.sleep(0)
    assert wire.packets == [HEAD]
    transport.write(b"body")
    assert wire.packets == [HEAD, b"body"]


async def test_a_head_is_sent_before_the_connection_is_closed() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    assert not transport.is_closing()
    transport.close()
    await asyncio.sleep(0)
    assert (wire.packets, transport.is_closing()) == ([HEAD], True)
