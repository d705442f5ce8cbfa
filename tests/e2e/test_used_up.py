"""A key whose account is used up: it is put away and told of, others answer, and it comes back."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.installation import Installation
from tests.e2e.seeding import ask, provide, run
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND = "sk-first-0123456789abcdef", "sk-second-0123456789abcdef"
SPARE = "sk-local-0123456789abcdef"
MODEL = "fake-n4"
WATCHED = """
{ provider(slug: "shop") { credentials { nodes { id name state stateReason } } }
  webhooks { nodes { deliveries { nodes { eventType payload } } } } }
"""


async def _shop(installation: Installation, upstream: FakeProvider) -> dict[str, str]:
    """A provider with two keys, cheaper than a spare for the same model; key ids by name."""
    made = await run(
        installation,
        "createProvider",
        "... on CreateProviderPayload { provider { id } }",
        slug="shop",
        name="Shop",
        type="OPENAI",
        baseUrl=upstream.base_url,
    )
    shop, ids = made["provider"]["id"], {}
    for name, secret in (("first", FIRST), ("second", SECOND)):
        key = await run(
            installation,
            "createCredential",
            "... on CreateCredentialPayload { credential { id } }",
            provider=shop,
            secret=secret,
            name=name,
        )
        ids[name] = key["credential"]["id"]
    price = {"input": "0.10", "output": "0.40"}
    await run(installation, "createModel", provider=shop, name=MODEL, price=price)
    await provide(installation, upstream, "Spare", MODEL)
    return ids


async def _watch(installation: Installation, seen: Callable[[Any], bool]) -> Any:
    """What an administrator sees, once it is so."""
    async with asyncio.timeout(30):
        while True:
            found = await installation.graphql(WATCHED)
            keys = {key["name"]: key for key in found["provider"]["credentials"]["nodes"]}
            told = found["webhooks"]["nodes"][0]["deliveries"]["nodes"]
            if seen(keys):
                return keys, [each["eventType"] for each in told], told
            await asyncio.sleep(0.1)


async def test_a_used_up_key_is_put_away_told_of_and_back_once_it_serves(
    installation: Installation, upstream: FakeProvider
) -> None:
    await run(
        installation,
        "createWebhook",
        url="https://hooks.example/fairlead",
        eventTypes=["CREDENTIAL_DISABLED", "CREDENTIAL_RESTORED"],
    )
    ids = await _shop(installation, upstream)
    await _put_away(installation, upstream)
    await _passed_over(installation, upstream)

    refused = await _tested(installation, ids["first"])
    upstream.used_up = {SECOND}
    taken = await _tested(installation, ids["first"])
    keys, types, _ = await _watch(installation, lambda k: k["first"]["state"] == "ACTIVE")
    upstream.log.clear()
    await ask(installation, MODEL)

    assert (refused, taken) == (False, True)
    assert keys["first"]["stateReason"] is None
    assert types == ["CREDENTIAL_RESTORED", "CREDENTIAL_DISABLED", "CREDENTIAL_DISABLED"]
    assert _used(upstream) == [FIRST]


async def _put_away(installation: Installation, upstream: FakeProvider) -> None:
    """The first key is used up: nobody who asks notices, and the administrator is told."""
    upstream.used_up = {FIRST}
    answers = []
    async with asyncio.timeout(60):
        while FIRST not in _used(upstream):
            answers.append(await ask(installation, MODEL))
    keys, types, told = await _watch(installation, lambda k: k["first"]["state"] == "DISABLED")

    assert all(answers)
    assert "quota" in keys["first"]["stateReason"]
    assert keys["second"]["state"] == "ACTIVE"
    assert types == ["CREDENTIAL_DISABLED"]
    assert FIRST not in str(told)


async def _passed_over(installation: Installation, upstream: FakeProvider) -> None:
    """The second key serves alone; once it is used up too, the spare does."""
    upstream.log.clear()
    for _ in range(8):
        await ask(installation, MODEL)
    assert _used(upstream) == [SECOND] * 8

    upstream.used_up = {FIRST, SECOND}
    answers = [await ask(installation, MODEL)]
    served = _used(upstream)[-1]
    await _watch(installation, lambda k: k["second"]["state"] == "DISABLED")
    answers.append(await ask(installation, MODEL))
    assert (all(answers), served) == (True, SPARE)


def _used(upstream: FakeProvider) -> list[str]:
    """Keys that chats were asked with, probes included."""
    return [each.headers["authorization"].removeprefix("Bearer ") for each in upstream.chats]


async def _tested(installation: Installation, id: str) -> bool:
    found = await run(installation, "testCredential", "... on TestCredentialPayload { ok }", id=id)
    ok: bool = found["ok"]
    return ok
