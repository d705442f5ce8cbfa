"""Configures the demonstration: over GraphQL where there is a way, else in the database itself."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
from sqlalchemy import select, update

from auth.keyring import mint
from db.models.model import Model, Price
from db.models.provider import Provider
from db.models.usage import UsageLog
from db.models.user import Membership, User
from db.queries.configuration import record_change
from db.session import AsyncSession
from domain.apikey import ApiKeyRequest, add_api_key
from domain.bootstrap import administrator
from domain.ports import Cipher
from domain.principal import Scope
from domain.secret import Secret
from schema.node import global_id
from tests.demo.past import Asker
from tests.demo.scene import ALIASES, ISSUER, PEOPLE, SLUG, TOOLS, UPSTREAMS, Served, Upstream

_MUTATION = """mutation ($input: {input}!) {{
  {name}(input: $input) {{ __typename ... on Error {{ message }} {selection} }}
}}"""
_PICO = 1_000_000
_TOP_UPS = ("120", "80", "45", "60", "25")


class Installation:
    """A running server, changed as an administrator."""

    def __init__(self, base_url: str, key: Secret) -> None:
        headers = {"authorization": f"Bearer {key.reveal()}"}
        self._client = httpx2.AsyncClient(
            base_url=base_url, headers=headers, timeout=60, trust_env=False
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def run(self, name: str, selection: str = "", /, **input: Any) -> Any:
        """One mutation. Raises RuntimeError with the server's words."""
        typed = f"{name[0].upper()}{name[1:]}"
        text = _MUTATION.format(input=f"{typed}Input", name=name, selection=selection)
        body = {"query": text, "variables": {"input": input}}
        answer = (await self._client.post("/graphql", json=body)).json()
        result = (answer.get("data") or {}).get(name) or {}
        if not str(result.get("__typename")).endswith("Payload"):
            raise RuntimeError(f"{name}: {result.get('message') or answer.get('errors')}")
        return result

    async def save_own_key(self, slug: str) -> None:
        """A key of the caller's own at the provider of that slug."""
        query = "query ($slug: String!) { provider(slug: $slug) { id } }"
        body = {"query": query, "variables": {"slug": slug}}
        answer = (await self._client.post("/graphql", json=body)).json()
        provider = answer["data"]["provider"]["id"]
        secret = "sk-own-0123456789abcdef"
        await self.run("saveByokKey", provider=provider, name="my own", secret=secret)


async def top_up(installation: Installation, people: list[Asker]) -> None:
    """Something in each person's wallet, and in its ledger."""
    for person, amount in zip(people, _TOP_UPS, strict=True):
        wallet = global_id("User", person.user_id)
        await installation.run(
            "creditWallet",
            wallet=wallet,
            amount=amount,
            reason="The demonstration's budget",
            idempotencyKey=f"demo-{person.user_id}",
        )


async def is_demo(session: AsyncSession) -> bool:
    marked = select(Provider.id).where(Provider.slug.startswith(SLUG)).limit(1)
    return await session.scalar(marked) is not None


async def has_usage(session: AsyncSession) -> bool:
    return await session.scalar(select(UsageLog.id).limit(1)) is not None


async def configure(installation: Installation, ports: list[int]) -> None:
    """Providers, their keys and models, and the rules."""
    for upstream, port in zip(UPSTREAMS, ports, strict=True):
        await _provide(installation, upstream, port)
    await installation.run(
        "setRoutingRules",
        strategy="BALANCED",
        aliases=ALIASES,
        note="The demonstration's aliases",
    )


async def _provide(installation: Installation, upstream: Upstream, port: int) -> None:
    made = await installation.run(
        "createProvider",
        "... on CreateProviderPayload { provider { id } }",
        slug=upstream.slug,
        name=upstream.name,
        type="CUSTOM",
        baseUrl=f"http://127.0.0.1:{port}/v1",
        priority=upstream.priority,
    )
    id = made["provider"]["id"]
    secret = f"sk-{upstream.slug}-0123456789abcdef"
    await installation.run("createCredential", provider=id, secret=secret, name="main")
    for each in upstream.models:
        await installation.run("createModel", provider=id, **_input(each))


def _input(served: Served) -> dict[str, Any]:
    cached = str(Decimal(served.input) / 4)
    return {
        "name": served.name,
        "displayName": served.display,
        "contextLength": served.context,
        "maxOutputTokens": 8192,
        "capabilities": list(TOOLS),
        "quality": served.quality,
        "qualitySource": "demonstration",
        "price": {"input": served.input, "output": served.output, "cachedInput": cached},
    }


async def date_back(session: AsyncSession, days: int) -> None:
    """The demonstration's prices as if they had been there all along, and dearer before."""
    start = datetime.now(UTC) - timedelta(days=days + 2)
    change = datetime.now(UTC) - timedelta(days=60)
    found = await session.execute(
        select(Model.id, Model.name).join(Provider).where(Provider.slug.startswith(SLUG))
    )
    models = {name: id for id, name in found}
    for served in (each for upstream in UPSTREAMS for each in upstream.models):
        model_id = models[served.name]
        since = change if served.was else start
        await session.execute(
            update(Price).where(Price.model_id == model_id).values(valid_from=since)
        )
        if served.was:
            session.add(_earlier(model_id, served, start))
    await session.flush()
    await record_change(session, "model", None)


def _earlier(model_id: uuid.UUID, served: Served, start: datetime) -> Price:
    input, output = int(Decimal(served.was or served.input) * _PICO), Decimal(served.output)
    return Price(
        model_id=model_id,
        valid_from=start,
        input=input,
        output=int(output * _PICO * 5 / 4),
        cached_input=input // 4,
        source="ADMIN",
    )


async def invite(session: AsyncSession, cipher: Cipher) -> list[tuple[Asker, Secret]]:
    """The demonstration's people, in the built-in organisation, each with a new key."""
    _, organization_id = await administrator(session)
    found = []
    for person in PEOPLE:
        user_id = await _person(session, person.name, organization_id)
        minted = await mint(session, cipher)
        wanted = ApiKeyRequest(name=person.key, scopes=frozenset(Scope))
        row = await add_api_key(
            session, minted, wanted, user_id=user_id, organization_id=organization_id
        )
        found.append((Asker(user_id, organization_id, row.id, person.weight), minted.secret))
    return found


async def _person(session: AsyncSession, name: str, organization_id: uuid.UUID | None) -> uuid.UUID:
    known = select(User.id).where(User.issuer == ISSUER, User.subject == name)
    if (id := await session.scalar(known)) is not None:
        return id
    user = User(issuer=ISSUER, subject=name, name=name, role="USER")
    session.add(user)
    await session.flush()
    if organization_id is not None:
        joined = Membership(user_id=user.id, organization_id=organization_id)
        joined.role, joined.origin = "MEMBER", "MANUAL"
        session.add(joined)
    return user.id
