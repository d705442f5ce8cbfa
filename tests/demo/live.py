"""Requests of this moment: sent to /v1 as applications send them, at the trace's pace."""

import asyncio
import random
from datetime import UTC, datetime

import httpx2

from domain.secret import Secret
from tests.demo.past import Asker
from tests.demo.profile import Profile
from tests.demo.scene import ASKED

_WORD = "lorem "
_CANCELS = 0.01


class Traffic:
    """Sends until it is cancelled; about `rate` requests a second on average."""

    def __init__(
        self, base_url: str, people: list[tuple[Asker, Secret]], profile: Profile, rate: float
    ) -> None:
        self._client = httpx2.AsyncClient(base_url=base_url, timeout=120, trust_env=False)
        self._people = people
        self._profile = profile
        self._rate = rate
        self._chance = random.Random()
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        while True:
            busy = self._profile.minutes[datetime.now(UTC).minute]
            await asyncio.sleep(self._chance.expovariate(self._rate * max(busy, 0.2)))
            task = asyncio.create_task(self._send())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _send(self) -> None:
        """What goes wrong is the installation's to record; here it ends one request."""
        chance = self._chance
        model, kind, _ = chance.choices(ASKED, [share for _, _, share in ASKED])[0]
        weights = [asker.weight for asker, _ in self._people]
        _, key = chance.choices(self._people, weights)[0]
        input, output = self._profile.tokens(kind, chance)
        body = {
            "model": model,
            "messages": [{"role": "user", "content": _WORD * input}],
            "max_tokens": output,
            "stream": chance.random() < 0.8,
        }
        headers = {"authorization": f"Bearer {key.reveal()}"}
        patience = chance.uniform(0.1, 1) if chance.random() < _CANCELS else 120
        try:
            async with asyncio.timeout(patience):
                await self._client.post("/v1/chat/completions", json=body, headers=headers)
        except (httpx2.HTTPError, TimeoutError):
            return
