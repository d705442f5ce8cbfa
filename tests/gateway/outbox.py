"""A database with webhooks, and replicas that send from it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy import select
from uuid_utils.compat import uuid7

from auth.secrets import SecretBox, generate_master_key
from db.keyset import Row
from db.models.webhook import Webhook, WebhookDelivery
from db.session import Database, create_engine
from domain.event import EventType, emit
from domain.principal import Principal, Role, Scope
from domain.secret import Secret
from domain.webhook import create_webhook, new_secret
from gateway.egress.client import HttpClient
from gateway.webhook import Deliverer

ADMIN = Principal(uuid7(), Role.ADMIN, frozenset(Scope))
RULES = EventType.RULES_PUBLISHED


class Outbox:
    """A database with webhooks, and what is sent from it."""

    def __init__(self, database: Database, url: str, stack: AsyncExitStack) -> None:
        self.database = database
        self.cipher = SecretBox([generate_master_key()])
        self._url = url
        self._stack = stack

    async def webhook(self, url: str, secret: Secret | None = None) -> Any:
        """Its id."""
        async with self.database.write(ADMIN) as session:
            values = {"url": url, "event_types": [RULES]}
            secret = secret or new_secret()
            row = await create_webhook(session, self.cipher, ADMIN, None, secret, values)
        return row.id

    async def happen(self, count: int = 1) -> None:
        async with self.database.write(None) as session:
            for n in range(count):
                await emit(session, RULES, {"n": n})

    async def deliverer(self, http: HttpClient, **options: Any) -> Deliverer:
        """A replica's, with an engine of its own."""
        engine = create_engine(self._url)
        options.setdefault("poll_seconds", 0.05)
        made = Deliverer(Database(engine), http, self.cipher, **options)
        await made.start()
        self._stack.push_async_callback(engine.dispose)
        self._stack.push_async_callback(http.close)
        self._stack.push_async_callback(made.stop)
        return made

    async def deliveries(self) -> Sequence[Row]:
        async with self.database.read(None) as session:
            found = await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id))
            return found.all()

    async def until(self, condition: Callable[[Sequence[Row]], bool]) -> Sequence[Row]:
        async with asyncio.timeout(15):
            while True:
                found = await self.deliveries()
                if condition(found):
                    return found
                await asyncio.sleep(0.02)

    async def run(self, statement: Any) -> None:
        async with self.database.write(None) as session:
            await session.execute(statement)

    async def hook(self, id: Any) -> Webhook:
        async with self.database.read(None) as session:
            return (await session.scalars(select(Webhook).where(Webhook.id == id))).one()
