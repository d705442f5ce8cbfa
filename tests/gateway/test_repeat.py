"""Idempotency-Key on /v1: who asks again is given the same answer and charged once."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import openai
import pytest
from sqlalchemy import select

from auth.rotation import rotate
from auth.secrets import SecretBox, generate_master_key
from db.models.answer import KeptAnswer
from db.queries.configuration import beat
from db.queries.settlement import Settlements
from db.session import Database
from domain.errors import Conflict, InProgress, InvalidInput
from domain.principal import Principal, Role, Scope
from gateway.client import LONGEST_KEPT
from gateway.repeat import Claim, Kept, Repeats
from tests.gateway.plane import Plane, identity, serving
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider
from tests.usage import usage_row

HEADERS = {"idempotency-key": "order-17"}
OURS, ANOTHER = identity("process"), identity("another process")


@pytest.fixture
async def repeats(database: Database) -> Repeats:
    async with database.write(None) as session:
        for process in (OURS, ANOTHER):
            await beat(session, process, "here", 0)
    return Repeats(database, SecretBox([generate_master_key()]), OURS)


@pytest.fixture
async def plane(fake_provider: FakeProvider, repeats: Repeats) -> AsyncIterator[Plane]:
    async with serving(fake_provider.host_port, repeats=repeats) as plane:
        provider = plane.provider("one", fake_provider.base_url)
        for name in ("fake", "fake-t300", "fake-fail503x1", "fake-n20-g20"):
            plane.model(provider, name)
        yield plane


async def _ask(plane: Plane, model: str = "one/fake", text: str = "Hello") -> Any:
    return await plane.client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": text}], extra_headers=HEADERS
    )


async def _words(plane: Plane, model: str = "one/fake") -> list[str]:
    stream = await plane.client.chat.completions.create(
        model=model, messages=HELLO, stream=True, extra_headers=HEADERS
    )
    return [part.choices[0].delta.content or "" async for part in stream if part.choices]


async def test_the_same_request_gets_the_same_answer_and_is_charged_once(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    first = await _ask(plane)
    again = await _ask(plane)

    assert again.content == first.content
    assert "x-fairlead-replayed" not in first.headers
    assert again.headers["x-fairlead-replayed"] == "true"
    for name in ("x-fairlead-request-id", "x-fairlead-provider", "x-fairlead-cost"):
        assert again.headers[name] == first.headers[name]
    assert len(fake_provider.chats) == len(plane.records.outcomes) == 1


async def test_a_stream_is_given_again_as_a_stream(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    assert await _words(plane) == await _words(plane)
    assert len(fake_provider.chats) == len(plane.records.outcomes) == 1


async def test_another_request_under_the_same_key_is_refused(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    await _ask(plane)
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await _ask(plane, text="Something else")

    assert caught.value.body["param"] == "idempotency-key"  # type: ignore[index]
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(fake_provider.chats) == 1


async def test_a_rotation_of_master_keys_leaves_the_answers_to_be_found(
    database: Database, repeats: Repeats
) -> None:
    """Promoted, sealed anew, and then without the key that kept it."""
    old, new = generate_master_key(), generate_master_key()
    lives = [SecretBox(keys) for keys in ([old], [old, new], [new, old], [new])]
    whose = Principal(identity("somebody"), Role.USER, frozenset({Scope.INFERENCE}))
    for number, cipher in enumerate(lives):
        if cipher is lives[-1]:
            async for _ in rotate(database, lives[-2]):
                pass
        kept = Repeats(database, cipher, OURS)
        found = await kept.claim(whose, "order-1", "what is asked", identity("first"))
        if number == 0:
            assert isinstance(found, Claim)
            await found.keep([], b"said", stream=False)
        else:
            assert isinstance(found, Kept)
            assert found.body == b"said"
        with pytest.raises(InvalidInput, match="another request"):
            await kept.claim(whose, "order-1", "something else", identity("other"))


async def test_another_caller_may_use_the_same_key(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    await _ask(plane)
    plane.callers.caller = Principal(
        identity("somebody else"), Role.USER, frozenset({Scope.INFERENCE})
    )
    answer = await _ask(plane)

    assert "x-fairlead-replayed" not in answer.headers
    assert len(fake_provider.chats) == 2


async def test_who_asks_again_too_early_is_told_when_and_the_sdk_waits(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    first = asyncio.create_task(_ask(plane, "one/fake-t300"))
    await fake_provider.arrived(1)
    with pytest.raises(openai.ConflictError) as caught:
        await _ask(plane, "one/fake-t300")
    patient = plane.client.with_options(max_retries=3)
    again = await patient.chat.completions.with_raw_response.create(
        model="one/fake-t300",
        messages=[{"role": "user", "content": "Hello"}],
        extra_headers=HEADERS,
    )

    assert caught.value.response.headers["retry-after"] == "1"
    assert again.content == (await first).content
    assert len(fake_provider.chats) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_whose_client_has_left_waits_for_it(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    model = "one/fake-n20-g20" if stream else "one/fake-t300"
    asking: Any = _words(plane, model) if stream else _ask(plane, model)
    call = asyncio.create_task(asking)
    await fake_provider.arrived(1)
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call
    await plane.records.settled()

    if stream:
        assert len([word for word in await _words(plane, model) if word]) == 20
    else:
        assert (await _ask(plane, model)).headers["x-fairlead-replayed"] == "true"
    assert len(fake_provider.chats) == len(plane.records.outcomes) == 1
    assert plane.records.outcomes[0].status == "OK"


async def test_a_request_that_failed_may_be_tried_again(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    with pytest.raises(openai.InternalServerError):
        await _ask(plane, "one/fake-fail503x1")
    answer = await _ask(plane, "one/fake-fail503x1")

    assert "x-fairlead-replayed" not in answer.headers


async def test_a_refused_request_leaves_its_key_free(plane: Plane) -> None:
    with pytest.raises(openai.NotFoundError):
        await _ask(plane, "one/there-is-none")
    assert (await _ask(plane)).http_response.status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_a_key_that_is_none_is_refused(plane: Plane, key: str) -> None:
    with pytest.raises(openai.UnprocessableEntityError):
        await plane.client.chat.completions.create(
            model="one/fake", messages=HELLO, extra_headers={"idempotency-key": key}
        )


async def test_without_the_database_a_key_cannot_be_honoured(
    plane: Plane, database: Database, fake_provider: FakeProvider
) -> None:
    database.prepared = False
    with pytest.raises(openai.InternalServerError) as caught:
        await _ask(plane)
    assert (caught.value.status_code, caught.value.response.headers["retry-after"]) == (503, "1")
    assert fake_provider.chats == []


async def test_what_is_kept_says_nothing(plane: Plane, database: Database) -> None:
    await _ask(plane)
    async with database.read(None) as session:
        kept = await session.scalar(select(KeptAnswer))
    assert kept is not None
    assert kept.answer is not None
    shown = repr([kept.id, kept.fingerprint, kept.answer])
    assert "word0" not in shown
    assert "order-17" not in shown


async def _claimed(repeats: Repeats, principal: Principal) -> Claim:
    claim = await repeats.claim(principal, "order-17", "chat|1", usage_row().id)
    assert isinstance(claim, Claim)
    return claim


async def test_a_key_of_a_process_that_died_is_taken_over_unless_it_was_charged(
    repeats: Repeats, database: Database, plane: Plane
) -> None:
    principal = plane.callers.caller
    box = SecretBox([generate_master_key()])
    gone = Repeats(database, box, uuid.uuid4())
    ours = Repeats(database, box, OURS)

    await _claimed(gone, principal)
    second = await _claimed(ours, principal)
    with pytest.raises(InProgress, match="being answered"):
        await _claimed(gone, principal)
    await second.release()

    charged = await _claimed(gone, principal)
    await Settlements(database).settle([usage_row(id=charged.request_id, status="OK")])
    with pytest.raises(Conflict, match="charged once"):
        await _claimed(ours, principal)


async def test_an_answer_too_long_to_be_kept_is_not_charged_again(
    repeats: Repeats, plane: Plane
) -> None:
    claim = await _claimed(repeats, plane.callers.caller)
    await claim.keep([], None, stream=True)
    with pytest.raises(Conflict, match="too long"):
        await _claimed(repeats, plane.callers.caller)
    assert LONGEST_KEPT == 2**20
