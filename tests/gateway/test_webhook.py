"""Deliveries on real sockets: signed, once, at each receiver's own pace, over several replicas."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from db.keyset import Row
from db.models.webhook import Webhook, WebhookDelivery
from db.queries.audit import entries_after
from db.session import Database
from domain.delivery import GIVEN_UP_AFTER, RETRIES, Attempt, fate
from domain.event import EventType, emit
from domain.webhook import (
    new_secret,
    rotate_secret,
    update_webhook,
)
from domain.webhook import test_webhook as send_test
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.webhook import AT_ONCE
from tests.gateway.outbox import ADMIN, RULES, Outbox
from tests.gateway.receiver import Receiver, Rerouted


@pytest.fixture
async def outbox(database: Database, database_url: str) -> AsyncIterator[Outbox]:
    async with AsyncExitStack() as stack:
        yield Outbox(database, database_url, stack)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@asynccontextmanager
async def second() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


def ended(rows: Sequence[Row]) -> bool:
    return all(row.state != "PENDING" for row in rows)


def tried(rows: Sequence[Row]) -> bool:
    return all(row.attempts for row in rows)


async def test_arrives_signed_as_standard_webhooks_wants_it(
    outbox: Outbox, receiver: Receiver
) -> None:
    secret = new_secret()
    await outbox.webhook("https://one.example/hooks?token=x", secret)
    await outbox.happen()
    await outbox.deliverer(Rerouted(one=receiver))

    [received] = await receiver.got(1)
    [row] = await outbox.until(ended)
    said = Verifier(secret.reveal()).verify(received.body, received.headers)
    assert (said["type"], said["data"]) == ("rules.published", {"n": 0})
    assert received.headers["webhook-id"] == f"evt_{row.event_id.hex}"
    assert received.body.decode() == row.body
    assert (row.state, row.attempts[0]["status"], row.attempts[0]["error"]) == (
        "DELIVERED",
        204,
        None,
    )
    assert row.attempts[0]["latency_ms"] >= 0
    with pytest.raises(WebhookVerificationError):
        Verifier(new_secret().reveal()).verify(received.body, received.headers)


async def test_both_secrets_sign_until_the_overlap_ends(outbox: Outbox, receiver: Receiver) -> None:
    old, new = new_secret(), new_secret()
    id = await outbox.webhook("https://one.example/", old)
    await outbox.deliverer(Rerouted(one=receiver))
    async with outbox.database.write(ADMIN) as session:
        await rotate_secret(session, outbox.cipher, ADMIN, id, new, timedelta(hours=1))
    await outbox.happen()
    both = (await receiver.got(1))[0]
    await outbox.run(text("UPDATE webhook_secrets SET expires_at = now() WHERE expires_at > now()"))
    await outbox.happen()
    one = (await receiver.got(2))[1]

    for secret in (old, new):
        Verifier(secret.reveal()).verify(both.body, both.headers)
    Verifier(new.reveal()).verify(one.body, one.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(old.reveal()).verify(one.body, one.headers)


async def test_a_failed_attempt_is_told_and_tried_again_with_the_same_id(
    outbox: Outbox, receiver: Receiver
) -> None:
    id = await outbox.webhook("https://one.example/")
    receiver.status = 500
    await outbox.happen()
    deliverer = await outbox.deliverer(Rerouted(one=receiver))
    [row] = await outbox.until(tried)
    failing = (await outbox.hook(id)).failing_since
    receiver.status = 200
    await outbox.run(update(WebhookDelivery).values(due_at=datetime.now(UTC)))
    deliverer.wake()

    [done] = await outbox.until(ended)
    wait = (row.due_at - datetime.now(UTC)).total_seconds()
    assert (row.state, row.attempts[0]["error"]) == ("PENDING", "It answered with status 500.")
    assert 2 < wait < RETRIES[0].total_seconds() * 1.05
    assert failing is not None
    assert [each["status"] for each in done.attempts] == [500, 200]
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    assert (await outbox.hook(id)).failing_since is None


async def test_a_receiver_that_never_answers_delays_nobody(
    outbox: Outbox, receiver: Receiver
) -> None:
    """Forty deliveries are due to each; the silent receiver holds eight sockets, the other none."""
    async with second() as silent:
        silent.open.clear()
        dead = await outbox.webhook("https://silent.example/")
        await outbox.webhook("https://quick.example/")
        await outbox.happen(40)
        await outbox.deliverer(Rerouted(silent=silent, quick=receiver), within=1.0, grace=0.0)

        await receiver.got(40)
        rows = await outbox.until(lambda rows: sum(bool(row.attempts) for row in rows) >= 40 + 8)
        failed = [row for row in rows if row.webhook_id == dead and row.attempts]

        assert silent.most_waiting <= AT_ONCE
        assert failed[0].attempts[0]["error"] == "No answer within 1 seconds."
        before = len(silent.received)
        await silent.got(before + 1)
        assert len(silent.received) == before + 1, "one at a time while it fails"


async def test_several_replicas_send_each_delivery_once(outbox: Outbox, receiver: Receiver) -> None:
    await outbox.webhook("https://one.example/")
    for _ in range(3):
        await outbox.deliverer(Rerouted(one=receiver))
    for _ in range(6):
        await outbox.happen(20)

    rows = await outbox.until(lambda rows: len(rows) == 120 and ended(rows))
    ids = [each.headers["webhook-id"] for each in receiver.received]
    assert len(ids) == len(set(ids)) == 120
    assert {row.started for row in rows} == {1}


async def test_what_a_dead_process_had_taken_is_sent_by_another(
    outbox: Outbox, receiver: Receiver
) -> None:
    await outbox.webhook("https://one.example/")
    receiver.open.clear()
    await outbox.happen()
    first = await outbox.deliverer(Rerouted(one=receiver), grace=0.0)
    await receiver.got(1)
    await first.stop()
    receiver.open.set()
    await outbox.deliverer(Rerouted(one=receiver))
    await asyncio.sleep(0.3)
    held = len(receiver.received)
    await outbox.run(update(WebhookDelivery).values(due_at=datetime.now(UTC)))

    [row] = await outbox.until(ended)
    assert held == 1, "nobody else takes it while the lease runs"
    assert (row.state, row.started, len(row.attempts)) == ("DELIVERED", 2, 1)
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1


async def test_the_guard_lets_no_webhook_into_a_private_network(
    outbox: Outbox, receiver: Receiver
) -> None:
    """Not even where the operator lists the host for providers."""
    await outbox.webhook(f"https://{receiver.host_port}/")
    await outbox.webhook("https://169.254.169.254/latest")
    await outbox.webhook("https://localhost/")
    await outbox.happen()
    await outbox.deliverer(HttpClient(AddressGuard([receiver.host_port])))

    rows = await outbox.until(tried)
    assert all(row.attempts[0]["error"].endswith("is not a public address.") for row in rows)
    assert [row.attempts[0]["status"] for row in rows] == [None] * 3
    assert receiver.received == []


async def test_a_redirect_is_a_failure_and_is_not_followed(
    outbox: Outbox, receiver: Receiver
) -> None:
    async with second() as other:
        await outbox.webhook("https://one.example/")
        receiver.status = 307
        receiver.headers = f"location: http://{other.host_port}/\r\n"
        await outbox.happen()
        await outbox.deliverer(Rerouted(one=receiver, other=other))

        [row] = await outbox.until(tried)
        assert row.attempts[0]["error"] == "It answered with status 307."
        assert other.received == []


async def test_one_that_says_it_is_gone_is_switched_off_and_the_log_says_so(
    outbox: Outbox, receiver: Receiver
) -> None:
    id = await outbox.webhook("https://one.example/")
    receiver.status = 410
    await outbox.happen()
    await outbox.deliverer(Rerouted(one=receiver))
    await outbox.until(ended)

    hook = await outbox.hook(id)
    async with outbox.database.read(None) as session:
        last = (await entries_after(session, 0, 100))[-1]
    assert (hook.enabled, hook.disabled_reason) == (
        False,
        "The receiver says that it is gone (410).",
    )
    assert (last.action, last.object_type, last.object_id) == ("DISABLE", "WEBHOOK", id)
    assert last.user_id is None


async def test_one_that_failed_for_days_is_switched_off_and_begins_anew_when_switched_on(
    outbox: Outbox, receiver: Receiver
) -> None:
    id = await outbox.webhook("https://one.example/")
    await outbox.run(update(Webhook).values(failing_since=datetime.now(UTC) - GIVEN_UP_AFTER))
    receiver.status = 503
    await outbox.happen()
    await outbox.deliverer(Rerouted(one=receiver))
    await outbox.until(tried)
    off = await outbox.hook(id)
    receiver.status = 200
    async with outbox.database.write(ADMIN) as session:
        await update_webhook(session, ADMIN, id, None, {"enabled": True})
    await outbox.run(update(WebhookDelivery).values(due_at=datetime.now(UTC)))

    [row] = await outbox.until(ended)
    on = await outbox.hook(id)
    assert off.enabled is False
    assert str(off.disabled_reason).startswith("Every delivery failed for 3 days")
    assert (on.enabled, on.disabled_reason, on.failing_since) == (True, None, None)
    assert row.state == "DELIVERED"


async def test_nothing_is_told_of_what_did_not_happen_or_to_one_switched_off(
    outbox: Outbox, receiver: Receiver
) -> None:
    id = await outbox.webhook("https://one.example/")
    with suppress(RuntimeError):
        async with outbox.database.write(None) as session:
            await emit(session, RULES, {})
            raise RuntimeError("what it tells of did not happen")
    async with outbox.database.write(None) as session:
        await emit(session, EventType.PRICE_CHANGED, {})
    async with outbox.database.write(ADMIN) as session:
        await update_webhook(session, ADMIN, id, None, {"enabled": False})
    await outbox.happen()

    assert await outbox.deliveries() == []


async def test_a_test_is_tried_once_and_says_nothing_of_the_receivers_state(
    outbox: Outbox, receiver: Receiver
) -> None:
    id = await outbox.webhook("https://one.example/")
    receiver.status = 500
    async with outbox.database.write(ADMIN) as session:
        await send_test(session, ADMIN, id)
    await outbox.deliverer(Rerouted(one=receiver))

    [row] = await outbox.until(ended)
    assert (row.state, row.event_type, len(row.attempts)) == ("FAILED", "webhook.test", 1)
    assert (await outbox.hook(id)).failing_since is None


def failed(**more: Any) -> Attempt:
    return Attempt(datetime.now(UTC), 1, error="It answered.", **more)


def test_waits_grow_end_and_follow_what_the_receiver_asks_for() -> None:
    waits = [fate("x", n + 1, failed(), 0.5)[1] for n in range(len(RETRIES))]

    assert waits == list(RETRIES)
    assert fate("x", len(RETRIES) + 1, failed(), 0.5)[0] == "FAILED"
    assert fate("x", 1, failed(status=429, wait=90.0), 0.5) == ("PENDING", timedelta(seconds=90))
    assert fate("x", 1, failed(wait=1e9), 0.5)[1] == timedelta(days=1)
    assert fate("x", 1, failed(), 0.0)[1] < fate("x", 1, failed(), 1.0)[1]
