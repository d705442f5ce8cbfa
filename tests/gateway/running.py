"""Instances of the running configuration for tests, each as in a process of its own."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.models.model import Model
from db.models.provider import Provider
from db.queries.configuration import record_change
from db.session import Database, create_engine
from domain.health import Observatory
from gateway.configuration import RunningConfiguration
from gateway.diskcopy import DiskCopy

NEVER = 3600.0


async def add_provider(database: Database, slug: str) -> uuid.UUID:
    """A provider with one model, both recorded; returns the provider's id."""
    async with database.write(None) as session:
        provider = Provider(
            slug=slug,
            name=slug,
            type="CUSTOM",
            base_url=f"https://{slug}.test/v1",
            options={"first_token_timeout_ms": 9_000},
        )
        session.add(provider)
        await session.flush()
        session.add(
            Model(
                provider_id=provider.id,
                name="small",
                canonical_name="acme/small",
                display_name="Small",
            )
        )
        await record_change(session, "provider", provider.id)
    return provider.id


class Told:
    """A listener that can be awaited."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, uuid.UUID | None]] = []
        self._event = asyncio.Event()

    def __call__(self, kind: str, object_id: uuid.UUID | None) -> None:
        self.changes.append((kind, object_id))
        self._event.set()

    async def of(self, kind: str, object_id: uuid.UUID | None) -> None:
        async with asyncio.timeout(10):
            while (kind, object_id) not in self.changes:
                self._event.clear()
                await self._event.wait()


@asynccontextmanager
async def running(
    url: str, *, poll_seconds: float = 1.0, copy: DiskCopy | None = None
) -> AsyncIterator[tuple[RunningConfiguration, Told]]:
    """An instance with an engine of its own, as another process has."""
    told, engine = Told(), create_engine(url)
    configuration = RunningConfiguration(
        Database(engine),
        Observatory(time.time, seed=1),
        copy=copy,
        poll_seconds=poll_seconds,
        listeners=[told],
    )
    await configuration.start()
    yield configuration, told
    await configuration.stop()
    await engine.dispose()
