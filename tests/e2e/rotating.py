"""Callers who use and keep secrets without a pause, whatever happens to the servers meanwhile."""

import asyncio
import secrets
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.e2e.installation import Installation

ERRORS = "__typename ... on Error { message }"
SAVE_KEY = f"""mutation ($i: CreateCredentialInput!) {{ done: createCredential(input: $i) {{
  {ERRORS} ... on CreateCredentialPayload {{ credential {{ id }} }} }} }}"""
SAVE_OWN = f"""mutation ($i: SaveByokKeyInput!) {{ done: saveByokKey(input: $i) {{
  {ERRORS} ... on SaveByokKeyPayload {{ credential {{ id }} }} }} }}"""
ADD_HOOK = f"""mutation ($i: CreateWebhookInput!) {{ done: createWebhook(input: $i) {{
  {ERRORS} ... on CreateWebhookPayload {{ secret webhook {{ id }} }} }} }}"""
NEW_SECRET = f"""mutation ($i: RotateWebhookSecretInput!) {{
  done: rotateWebhookSecret(input: $i) {{
    {ERRORS} ... on RotateWebhookSecretPayload {{ secret }} }} }}"""
DROP_OWN = "mutation ($i: DeleteByokKeyInput!) { done: deleteByokKey(input: $i) { __typename } }"
DROP_HOOK = "mutation ($i: DeleteWebhookInput!) { done: deleteWebhook(input: $i) { __typename } }"
ADD_API_KEY = f"""mutation ($i: CreateApiKeyInput!) {{ done: createApiKey(input: $i) {{
  {ERRORS} ... on CreateApiKeyPayload {{ secret }} }} }}"""


@dataclass
class Traffic:
    """`servers` are those a load balancer would ask; `own` is the provider of a caller's own key.

    `kept` are the secrets that must open afterwards; `failed` what was answered with an error.
    """

    key: str
    cached: str
    provider: str
    own: str
    servers: list[Installation] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    moved: int = 0
    signing: set[str] = field(default_factory=set)
    _own: list[tuple[str, str]] = field(default_factory=list)
    _turn: int = 0

    async def _send(self, path: str, body: Any, key: str, **headers: str) -> httpx2.Response:
        """To one server, or to the next when that one is gone: as a load balancer does."""
        async with asyncio.timeout(20):
            while True:
                self._turn += 1
                if not self.servers:
                    await asyncio.sleep(0.05)
                    continue
                server = self.servers[self._turn % len(self.servers)]
                headers["authorization"] = f"Bearer {key}"
                try:
                    async with httpx2.AsyncClient(trust_env=False, timeout=15) as client:
                        url = f"{server.base_url}{path}"
                        return await client.post(url, json=body, headers=headers)
                except httpx2.TransportError:
                    self.moved += 1
                    await asyncio.sleep(0.02)

    async def change(self, document: str, **input: Any) -> Any:
        body = {"query": document, "variables": {"i": input}}
        answer = (await self._send("/graphql", body, self.key)).json()
        done = (answer.get("data") or {}).get("done") or {}
        if "errors" in answer or "message" in done:
            self.failed.append(str(answer)[:500])
        return done

    async def chat(self, model: str, words: str, key: str, **headers: str) -> None:
        body = {"model": model, "messages": [{"role": "user", "content": words}]}
        answer = await self._send("/v1/chat/completions", body, key, **headers)
        if answer.status_code != 200:
            self.failed.append(f"{answer.status_code} {answer.text[:300]}")

    async def save_key(self) -> None:
        secret, once = f"sk-{secrets.token_hex(20)}", uuid.uuid4().hex
        given = {"provider": self.provider, "name": once, "secret": secret}
        await self.change(SAVE_KEY, **given, weight=1, idempotencyKey=once)
        self.kept.add(secret)

    async def save_own(self) -> None:
        secret, once = f"sk-{secrets.token_hex(20)}", uuid.uuid4().hex
        given = {"provider": self.provider, "name": once, "secret": secret}
        made = await self.change(SAVE_OWN, **given, policy="MINE_THEN_SYSTEM", idempotencyKey=once)
        self.kept.add(secret)
        self._own.append((made.get("credential", {}).get("id", ""), secret))
        if len(self._own) > 5:
            id, oldest = self._own.pop(0)
            # Before it is asked for: the answer may not be waited for.
            self.kept.discard(oldest)
            await self.change(DROP_OWN, id=id)

    async def hook(self) -> None:
        once = uuid.uuid4().hex
        given = {"url": f"https://hooks.example/{once}", "eventTypes": ["RULES_PUBLISHED"]}
        made = await self.change(ADD_HOOK, **given, idempotencyKey=once)
        if "webhook" not in made:
            return
        again = await self.change(NEW_SECRET, id=made["webhook"]["id"])
        if len(self.signing) < 3:
            self.signing.add(again["secret"])
        else:
            await self.change(DROP_HOOK, id=made["webhook"]["id"])

    async def use_own(self) -> None:
        await self.chat("own/fake", "hello", self.key)

    async def use_new_key(self) -> None:
        made = await self.change(ADD_API_KEY, name="k")
        if "secret" in made:
            await self.chat("own/fake", "hello", made["secret"])

    async def use_kept(self) -> None:
        words, once = f"hello {secrets.token_hex(8)}", uuid.uuid4().hex
        await self.chat("own/fake", words, self.cached, **{"idempotency-key": once})
        await self.chat("own/fake", words, self.cached, **{"idempotency-key": once})
        await self.chat("own/fake", words, self.cached)

    async def _again(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except TimeoutError:
                self.failed.append(f"{work.__name__}: no answer")
            self.done[work.__name__] += 1
            await asyncio.sleep(0.2)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        work = (self.save_key, self.save_own, self.hook)
        use = (self.use_own, self.use_new_key, self.use_kept)
        tasks = [asyncio.create_task(self._again(each)) for each in (*work, *use)]
        try:
            yield
            for task in tasks:
                assert not task.done(), task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
