"""Two hundred secrets of every kind are used in a whole installation and met nowhere afterwards."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from auth import apikey
from resolvers.root import build_schema
from tests.e2e.canaries import Canaries, forms
from tests.e2e.dumps import copy_out, database_in, names_of, pg_dump
from tests.e2e.installation import Installation, running
from tests.e2e.local import add_models
from tests.policies.test_walks import Walker
from tests.provider.server import FakeProvider

MODELS = ("fake", "fake-fail500", "fake-cut2", "fake-html", "fake-fail400", "fake-absurd")
PLANTED = "planted-0123456789-abcdefghijkl"
"""A name, which must be met: else a place was not searched."""
WRONG: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda prompt: {},
    lambda prompt: {"tools": prompt},
    lambda prompt: {},
    lambda prompt: {"max_tokens": -1},
    lambda prompt: {"messages": prompt},
)
"""What is wrong with a request, some of it in words that must not be repeated."""
SEEDED = ("OPENAI", "ANTHROPIC", "OPENROUTER", "TOGETHER", "GOOGLE", "COHERE", "HUGGINGFACE")
ERRORS = "__typename ... on Error { message }"
CREATE_PROVIDER = "mutation ($i: CreateProviderInput!) { done: createProvider(input: $i) { %s } }"
CREDENTIAL = f"""mutation ($i: CreateCredentialInput!) {{ done: createCredential(input: $i) {{
  {ERRORS} ... on CreateCredentialPayload {{ credential {{ id mask fingerprint }} }} }} }}"""
BYOK = f"""mutation ($i: SaveByokKeyInput!) {{ done: saveByokKey(input: $i) {{
  {ERRORS} ... on SaveByokKeyPayload {{ credential {{ id mask fingerprint }} }} }} }}"""
API_KEY = f"""mutation ($i: CreateApiKeyInput!) {{ done: createApiKey(input: $i) {{
  {ERRORS} ... on CreateApiKeyPayload {{ secret apiKey {{ id prefix }} }} }} }}"""
ROTATE_KEY = f"""mutation ($i: RotateApiKeyInput!) {{ done: rotateApiKey(input: $i) {{
  {ERRORS} ... on RotateApiKeyPayload {{ secret }} }} }}"""
WEBHOOK = f"""mutation ($i: CreateWebhookInput!) {{ done: createWebhook(input: $i) {{
  {ERRORS} ... on CreateWebhookPayload {{ secret webhook {{ id }} }} }} }}"""
ROTATE_WEBHOOK = f"""mutation ($i: RotateWebhookSecretInput!) {{
  done: rotateWebhookSecret(input: $i) {{
    {ERRORS} ... on RotateWebhookSecretPayload {{ secret }} }} }}"""
TEST_WEBHOOK = "mutation ($i: TestWebhookInput!) { done: testWebhook(input: $i) { __typename } }"
TEST_CREDENTIAL = "mutation ($i: TestCredentialInput!) { done: testCredential(input: $i) { %s } }"
COMPLETE = f"mutation ($i: CompleteInput!) {{ done: complete(input: $i) {{ {ERRORS} }} }}"
READ = """{
  apiKeys(first: 50) { nodes { id name prefix } }
  webhooks(first: 20) { nodes { id url deliveries(first: 5) { nodes { payload } } } }
  providers(first: 10) { nodes {
    slug lastTest { error } credentials(first: 50) { nodes { mask fingerprint stateReason } }
  } }
}"""
USAGE = """{ usageRecords(first: 50) { nodes {
  requestedModel errorClass attempts { reason outcome } decision { strategy }
} } }"""
AUDIT = "{ auditLog(first: 50) { nodes { action before after } } }"
EXPORTS = """{ usage: usageExport(format: JSON_LINES, period: DAYS_90) { url }
  audit: auditExport(format: JSON_LINES) { url } }"""


def invented(label: str) -> str:
    return f"{label}-{secrets.token_hex(20)}"


class Town:
    """An installation in use. What answers with a secret on purpose is not looked at."""

    def __init__(self, installation: Installation, client: httpx2.AsyncClient) -> None:
        self.installation = installation
        self.client = client
        self.canaries = Canaries()
        self.ids: list[str] = []
        self.canaries.add("API key", installation.key)

    async def ask(self, document: str, *, shown: bool = True, **variables: Any) -> Any:
        headers = {"authorization": f"Bearer {self.installation.key}"}
        body = {"query": document, "variables": variables}
        answer = await self.client.post("/graphql", json=body, headers=headers)
        if shown:
            self.canaries.look("answers", answer.content)
        return answer.json()

    async def do(self, document: str, *, shown: bool = True, **input: Any) -> Any:
        done = (await self.ask(document, shown=shown, i=input))["data"]["done"]
        self.ids += [each["id"] for each in done.values() if isinstance(each, dict)]
        return done

    async def send(self, method: str, path: str, **more: Any) -> httpx2.Response:
        answer = await self.client.request(method, path, **more)
        self.canaries.look("answers", answer.content)
        self.canaries.look("answers", json.dumps(answer.headers.multi_items()))
        return answer


@asynccontextmanager
async def town_in(folder: Path, upstream: FakeProvider) -> AsyncIterator[Town]:
    seeded = {f"{name}_API_KEY": invented("sk") for name in SEEDED}
    settings = {"FAIRLEAD_ALLOW_PRIVATE_HOSTS": upstream.host_port, "LOG_LEVEL": "debug"}
    async with (
        running(folder, None, **settings, **seeded) as installation,
        httpx2.AsyncClient(base_url=installation.base_url, trust_env=False, timeout=60) as client,
    ):
        town = Town(installation, client)
        for secret in seeded.values():
            town.canaries.add("seeded key", secret)
        yield town


async def give_keys(town: Town, upstream: FakeProvider, provider: str) -> list[str]:
    """Provider keys, right and wrong, people's own, API keys; returns API keys."""
    canaries = town.canaries
    upstream.key = canaries.add("provider key", invented("sk"))
    await town.do(CREDENTIAL, provider=provider, name="right", secret=upstream.key)
    for number in range(30):
        secret = canaries.add("provider key", invented("sk"))
        made = await town.do(CREDENTIAL, provider=provider, name=f"k{number}", secret=secret)
        if number < 3:
            await town.do(TEST_CREDENTIAL % ERRORS, id=made["credential"]["id"])
    for number in range(20):
        secret = canaries.add("BYOK key", invented("sk"))
        await town.do(BYOK, provider=provider, name=f"own{number}", secret=secret)
    keys = []
    for number in range(30):
        made = await town.do(API_KEY, shown=False, name=f"k{number}", cacheSeconds=60)
        keys.append(canaries.add("API key", made["secret"]))
        if number < 10:
            again = await town.do(ROTATE_KEY, shown=False, id=made["apiKey"]["id"])
            keys.append(canaries.add("API key", again["secret"]))
    return keys


async def give_the_rest(town: Town, keys: list[str]) -> None:
    """Webhooks' secrets, sessions, and credentials that are nobody's."""
    canaries = town.canaries
    for number in range(10):
        url = f"https://hooks.example/{number}"
        made = await town.do(WEBHOOK, shown=False, url=url, eventTypes=["RULES_PUBLISHED"])
        id = made["webhook"]["id"]
        canaries.add("webhook secret", made["secret"])
        again = await town.do(ROTATE_WEBHOOK, shown=False, id=id)
        canaries.add("webhook secret", again["secret"])
        await town.do(TEST_WEBHOOK, id=id)
    for key in keys[:20]:
        answer = await town.client.post("/session", json={"key": key})
        cookie = answer.headers["set-cookie"].partition(";")[0]
        town.client.cookies.clear()
        canaries.add("session", cookie)
        await town.send("GET", "/session", headers={"cookie": cookie})
    for _ in range(15):
        for wrong in (apikey.generate().secret.reveal(), invented("eyJhbGciOiJub25lIn0.e30.")):
            canaries.add("unknown token", wrong)
            headers = {"authorization": f"Bearer {wrong}"}
            await town.send("POST", "/graphql", json={"query": "{ __typename }"}, headers=headers)
            await town.send("GET", "/v1/models", headers=headers)
            await town.send("GET", f"/graphql?token={wrong}")


async def ask_models(town: Town, keys: list[str]) -> None:
    """Prompts, answered and not, whole and streamed, right and wrong."""
    for number in range(48):
        prompt = town.canaries.add("prompt", invented("prompt"))
        model = f"local/{MODELS[number % len(MODELS)]}"
        turn = {"role": "user", "content": prompt}
        body: dict[str, Any] = {"model": model, "messages": [turn], "stream": number % 2 == 1}
        body |= WRONG[number % len(WRONG)](prompt)
        headers = {"authorization": f"Bearer {keys[number % 10 * 2 + 1]}"}
        if number % 3 == 0:
            headers["idempotency-key"] = str(number)
        path = "/v1/messages" if number % 5 == 4 else "/v1/chat/completions"
        try:
            await town.send("POST", path, json=body, headers=headers)
        except httpx2.RemoteProtocolError:
            assert "cut" in model
        await town.do(COMPLETE, model=model, messages=[turn])
        await town.ask(f"{{ node(id: {json.dumps(prompt)}) {{ id }} {prompt} }}")


async def fail_inside(town: Town, database: asyncpg.Connection, provider: str) -> None:
    """Statements that cannot be, with secrets among their values."""
    tables = ("credentials", "api_keys", "webhooks", "llm_usage")
    there = [name for name in await names_of(database) if name.endswith(tables)]
    for name in there:
        await database.execute(f"ALTER TABLE {name} RENAME TO away")
        prompt = town.canaries.add("prompt", invented("prompt"))
        secret = town.canaries.add("provider key", invented("sk"))
        await town.ask(CREDENTIAL, i={"provider": provider, "name": "x", "secret": secret})
        await town.ask(CREDENTIAL, i={"provider": provider, "name": 5, "secret": [secret]})
        await town.ask(BYOK, i={"provider": provider, "name": "x", "secret": secret})
        await town.ask(COMPLETE, i={"model": "local/fake", "messages": prompt})
        await town.ask(READ)
        await database.execute(f"ALTER TABLE public.away RENAME TO {name.partition('.')[2]}")


async def read_everything(town: Town) -> None:
    """What GraphQL, the exports and the pages show to the administrator."""
    for document in (READ, USAGE, AUDIT):
        assert "errors" not in await town.ask(document)
    walker = Walker(build_schema()._schema, town.ids, seed=7)
    for _ in range(60):
        await town.ask(walker.document())
    links = (await town.ask(EXPORTS))["data"]
    for link in links.values():
        answer = await town.client.get(link["url"])
        assert answer.status_code == 200
        town.canaries.look("exports", answer.content)
    for path in ("/metrics", "/livez", "/readyz", "/", "/graphql", "/session/methods", "/nowhere"):
        await town.send("GET", path, headers={"accept": "text/html"})


async def dump(town: Town, database: asyncpg.Connection, folder: Path) -> bytes:
    """What pg_dump writes; looked at like what COPY gives."""
    await copy_out(database, town.canaries.look)
    dumped = await asyncio.to_thread(pg_dump, folder)
    town.canaries.look("dump", dumped)
    return dumped


async def test_no_secret_is_met_in_what_is_answered_logged_stored_or_exported(
    folder: Path,
) -> None:
    async with FakeProvider() as upstream, town_in(folder, upstream) as town:
        provider = await add_models(town.installation, upstream, *MODELS)
        shown: Any = {"slug": "planted", "type": "CUSTOM", "baseUrl": "https://planted.example"}
        await town.do(CREATE_PROVIDER % ERRORS, name=PLANTED, **shown)
        keys = await give_keys(town, upstream, provider)
        await ask_models(town, keys)
        await give_the_rest(town, keys)
        settings = await asyncio.to_thread(database_in, folder)
        database = await asyncpg.connect(user="fairlead", database="fairlead", **settings)
        await fail_inside(town, database, provider)
        await asyncio.sleep(2)
        await read_everything(town)
        dumped = await dump(town, database, folder)
        await database.execute("CHECKPOINT")
        await database.close()
    canaries, data = town.canaries, folder / "data"
    own = ["encryption.key", "password"]
    canaries.add("master key", (data / "encryption.key").read_text().strip())
    log = town.installation.output.read_text().replace(town.installation.key, "", 1)
    canaries.look("log", log)
    canaries.look_below("files", data, *own)
    canaries.look_below("pages", Path("gateway/static"))

    assert canaries.met == []
    assert canaries.kinds.total() >= 200, canaries.kinds
    assert "Traceback" in log
    planted = Canaries()
    planted.add("planted", PLANTED)
    planted.look_below("files", data / "postgresql" / "postgres" / "base")
    assert planted.met
    assert all(canaries.searched[place] > 1_000 for place in ("answers", "exports", "log"))
    assert all(canaries.searched[place] > 100_000 for place in ("tables", "dump"))
    assert PLANTED.encode() in dumped
    assert b"CREATE ROLE" in dumped


@pytest.mark.parametrize("form", sorted(forms(b"abcdefghijklmnopqrstuvwx")))
def test_a_planted_secret_is_found_however_it_is_written(form: bytes) -> None:
    canaries = Canaries()
    canaries.add("planted", "sk-abcdefghijklmnopqrstuvwx1234")
    noise = secrets.token_bytes(5_000)
    canaries.look("answers", noise + b'{"x": "' + form + b'"}' + noise)
    assert ("planted", "answers") in canaries.met
