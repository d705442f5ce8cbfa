"""What the data plane turns away, in OpenAI's error shape, before anything is dispatched."""

import asyncio
import json
from typing import Any

import httpx2
import openai
import pytest

from auth.session import COOKIE, HOST_COOKIE
from domain.principal import Principal, Role, Scope
from domain.ruleset import Alias
from gateway.app import Limits
from tests.gateway.plane import KEY, Plane, identity, serving
from tests.gateway.test_chat import HELLO, TOOL
from tests.provider.server import FakeProvider

HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
GOOD = {"model": "auto", "messages": HELLO}


async def _send(plane: Plane, body: bytes, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False) as client:
        return await client.post(
            f"{plane.base_url}/chat/completions", content=body, headers=HEADERS | headers
        )


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b"", None, "not JSON"),
        (b"{", None, "not JSON"),
        (b"null", None, "expected `object`"),
        (b"[" * 100_000, None, "expected `object`"),
        (b'{"model":"x","messages":[{}],"a":' + b"[" * 100_000, None, ""),
        (b'{"model":"x","messages":[{}],"a":NaN}', None, "byte 33"),
        (b'{"model":"\xff","messages":[{}]}', None, "byte 10"),
        (b'{"messages":[{"role":"user"}]}', "model", "`model` is missing."),
        (b'{"model":"","messages":[{}]}', "model", "`model`: expected `str` of length >= 1."),
        (b'{"model":7,"messages":[{}]}', "model", "`model`: expected `str`, got `int`."),
        (b'{"model":"auto"}', "messages", "`messages` is missing."),
        (b'{"model":"auto","messages":[]}', "messages", "length >= 1"),
        (b'{"model":"auto","messages":[{"content":5}]}', "messages[0].content", "got `int`"),
        (b'{"model":"auto","messages":[{}],"max_tokens":0}', "max_tokens", ">= 1"),
        (b'{"model":"auto","messages":[{}],"stream":"yes"}', "stream", "got `str`"),
    ],
)
async def test_a_malformed_body_is_told_what_is_wrong_and_where(
    plane: Plane, fake_provider: FakeProvider, body: bytes, param: str | None, words: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")

    answer = await _send(plane, body)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert words in error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert plane.records.intents == []
    assert fake_provider.log == []


@pytest.mark.parametrize("key", [None, "fl_wrong"])
async def test_an_unknown_key_is_refused_whatever_it_asks(plane: Plane, key: str | None) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        answer = await client.post(f"{plane.base_url}/chat/completions", headers=headers, json={})
        models = await client.get(f"{plane.base_url}/models", headers=headers)

    for refused in (answer, models):
        assert refused.status_code == 401
        assert refused.json()["error"]["type"] == "authentication_error"
        assert refused.json()["error"]["code"] == "invalid_api_key"


async def test_the_sdk_names_an_unknown_key_an_authentication_error(plane: Plane) -> None:
    client = openai.AsyncOpenAI(base_url=plane.base_url, api_key="fl_wrong")

    with pytest.raises(openai.AuthenticationError):
        await client.chat.completions.create(model="auto", messages=HELLO)

    await client.close()


async def test_a_key_without_the_scope_is_forbidden(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    plane.callers.caller = Principal(identity("user"), Role.ADMIN, frozenset({Scope.READ}))

    with pytest.raises(openai.PermissionDeniedError) as caught:
        await plane.client.chat.completions.create(model="auto", messages=HELLO)

    assert "`inference`" in caught.value.message
    assert fake_provider.log == []


async def test_an_unknown_model_comes_with_names_like_it(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "gpt-4o-mini")
    plane.rules(aliases={"smart": Alias(("one/gpt-4o-mini",))})

    with pytest.raises(openai.NotFoundError) as caught:
        await plane.client.chat.completions.create(model="gpt-4-mini", messages=HELLO)

    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"
    assert "Did you mean" in caught.value.message
    assert "`gpt-4o-mini`" in caught.value.message
    assert plane.records.intents == []


async def test_names_the_caller_may_not_use_are_not_suggested(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "secret-model")
    plane.callers.caller = Principal(
        identity("user"),
        Role.USER,
        frozenset({Scope.INFERENCE}),
        allowed_models=frozenset({"one/other"}),
    )

    for name in ("secret-mode", "one/secret-model"):
        with pytest.raises(openai.NotFoundError) as caught:
            await plane.client.chat.completions.create(model=name, messages=HELLO)
        assert caught.value.message.endswith(f"There is no model `{name}` here.")


async def test_when_nothing_is_eligible_the_reasons_are_said(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    asked: Any = {"model": "auto", "messages": HELLO, "tools": [TOOL]}

    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await plane.client.chat.completions.create(**asked)

    assert caught.value.code == "nothing_eligible"
    assert "1 without a capability that the request needs" in caught.value.message
    assert plane.records.intents == []


async def test_images_need_a_model_that_sees(plane: Plane, fake_provider: FakeProvider) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "blind")
    image: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

    with pytest.raises(openai.UnprocessableEntityError):
        await plane.client.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": [image]}]
        )

    assert fake_provider.log == []


async def test_nothing_is_dispatched_that_cannot_be_recorded(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    plane.records.away = True

    with pytest.raises(openai.InternalServerError) as caught:
        await plane.client.chat.completions.create(model="auto", messages=HELLO)

    assert caught.value.status_code == 503
    assert caught.value.code == "unavailable"
    assert caught.value.response.headers["retry-after"] == "1"
    assert "x-should-retry" not in caught.value.response.headers
    assert fake_provider.log == []


async def test_a_key_sealed_for_another_address_is_not_sent(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url, keys=("sk-one",))
    plane.model(one, "fake")
    credentials = plane.configuration.snapshot.credentials[one.id]
    moved = plane.provider("one", second_provider.base_url)
    plane.model(moved, "fake")
    plane.configuration.snapshot.credentials[one.id] = credentials

    with pytest.raises(openai.InternalServerError) as caught:
        await plane.client.chat.completions.create(model="one/fake", messages=HELLO)

    assert caught.value.status_code == 502
    assert second_provider.log == []


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/nowhere", 404, None),
        ("GET", "", 404, None),
        ("GET", "/chat/completions", 405, "POST"),
        ("DELETE", "/models", 405, "GET"),
        ("POST", "/models/one/fake", 405, "GET"),
    ],
)
async def test_other_paths_and_methods_answer_in_the_same_shape(
    plane: Plane, method: str, path: str, status: int, allow: str | None
) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, plane.base_url + path, headers=HEADERS)

    assert answer.status_code == status
    assert answer.headers.get("allow") == allow
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_past_the_limit_is_refused(
    fake_provider: FakeProvider, announced: bool
) -> None:
    async with serving(fake_provider.host_port, limits=Limits(body=1000)) as plane:
        plane.model(plane.provider("one", fake_provider.base_url), "fake")
        fits = json.dumps(GOOD).encode().ljust(1000)

        async def parts() -> Any:
            yield fits
            yield b" "

        assert (await _send(plane, fits)).status_code == 200
        too_much: Any = fits + b" " if announced else parts()
        refused = await _send(plane, too_much)

        assert refused.status_code == 413
        assert refused.json()["error"]["code"] == "request_too_large"
        assert len(fake_provider.chats) == 1


async def test_a_body_that_does_not_come_in_time_is_refused(fake_provider: FakeProvider) -> None:
    async with serving(fake_provider.host_port, limits=Limits(receive=0.1)) as plane:
        host, port = plane.base_url.removeprefix("http://").removesuffix("/v1").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n"
            + f"authorization: Bearer {KEY}\r\n\r\n{{".encode()
        )
        answer = await reader.read()
        writer.close()

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in answer


async def test_a_compressed_body_is_refused(plane: Plane) -> None:
    answer = await _send(plane, b"\x1f\x8b", **{"content-encoding": "gzip"})

    assert answer.status_code == 400
    assert "compression" in answer.json()["error"]["message"]


@pytest.mark.parametrize("origin", [None, "null", "http://127.0.0.1:1", "https://evil.example"])
async def test_another_sites_page_cannot_spend_with_a_browsers_session(
    plane: Plane, fake_provider: FakeProvider, origin: str | None
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-n3")
    page = {"cookie": f"{COOKIE}=x; {HOST_COOKIE}=x", "content-type": "text/plain"}

    async with httpx2.AsyncClient(trust_env=False) as client:
        url = f"{plane.base_url}/chat/completions"
        foreign = await client.post(
            url, json=GOOD, headers=page if origin is None else page | {"origin": origin}
        )
        own = await client.post(
            url, json=GOOD, headers=page | {"origin": plane.base_url.removesuffix("/v1")}
        )

    assert foreign.status_code == 403
    # Asked who they are, which this plane's callers have no cookie for.
    assert own.status_code == 401
    assert fake_provider.chats == []
    assert plane.records.intents == []
