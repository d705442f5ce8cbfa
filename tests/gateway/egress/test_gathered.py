"""What is written in one turn of the loop leaves together, in its order, and before the end."""

import asyncio

from gateway.egress.gathered import Gathered
from tests.fairlead.wire import Wire


async def test_what_is_written_in_one_turn_leaves_at_its_end_in_one_packet() -> None:
    wire = Wire()
    transport = Gathered(wire, asyncio.get_running_loop())
    for word in (b"one", b"two", b"three"):
        transport.write(word)
    assert (wire.packets, transport.get_write_buffer_size()) == ([], 11)
    await asyncio.sleep(0)
    assert (wire.packets, transport.get_write_buffer_size()) == ([b"onetwothree"], 0)
    transport.write(b"four")
    await asyncio.sleep(0)
    assert wire.packets == [b"onetwothree", b"four"]


async def test_much_does_not_wait_for_the_end_of_the_turn() -> None:
    wire = Wire()
    transport = Gathered(wire, asyncio.get_running_loop())
    transport.write(b"x" * 65_537)
    assert [len(packet) for packet in wire.packets] == [65_537]
    await asyncio.sleep(0)
    assert len(wire.packets) == 1


async def test_what_was_written_is_sent_before_the_close() -> None:
    wire = Wire()
    transport = Gathered(wire, asyncio.get_running_loop())
    transport.write(b"last words")
    transport.close()
    await asyncio.sleep(0)
    assert (wire.packets, wire.closed) == ([b"last words"], True)
