"""FAIRLEAD_SPOOL_SYNC=commit: nothing is sent upstream that the disk does not know of."""

import asyncio

from tests.gateway.plane import serving
from tests.provider.server import FakeProvider


async def test_a_request_waits_for_the_disk_before_it_is_dispatched(
    fake_provider: FakeProvider,
) -> None:
    async with serving(fake_provider.host_port, commits=True) as plane:
        plane.model(plane.provider("one", fake_provider.base_url), "fake")
        asked = asyncio.create_task(
            plane.client.chat.completions.create(
                model="auto", messages=[{"role": "user", "content": "Hello"}]
            )
        )
        await plane.records.waiting.wait()
        assert len(plane.records.intents) == 1
        assert fake_provider.chats == []

        plane.records.on_disk.set()
        assert (await asked).choices[0].message.content
        assert len(fake_provider.chats) == 1
