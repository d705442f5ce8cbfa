"""No other site's page can make a browser act for its user here."""

import orjson
import pytest

from tests.fairlead.conftest import ALLOWED_ORIGIN, Door

WRITE = 'mutation { write(input: {text: "x"}) { ... on Note { text } } }'
JSON_BODY = {"content-type": "application/json"}

OTHER_TYPES = [
    None,
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "x-application/json",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; x=y",
    "application/graphql",
    "text/plain; application/json",
]


@pytest.mark.parametrize("by", ["key", "cookie"])
async def test_other_content_types_run_nothing(door: Door, by: str) -> None:
    caller = {"cookie": await door.cookie(), "origin": door.url} if by == "cookie" else door.bearer
    body = orjson.dumps({"query": WRITE})
    for content_type in OTHER_TYPES:
        headers = caller if content_type is None else caller | {"content-type": content_type}
        answer = await door.http.post("/graphql", content=body, headers=headers)
        assert answer.status_code == 415, content_type
    assert door.board.written == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_run_nothing(door: Door, method: str) -> None:
    headers = JSON_BODY | door.bearer
    body = orjson.dumps({"query": WRITE})
    answer = await door.http.request(
        method, "/graphql", params={"query": WRITE}, content=body, headers=headers
    )

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "access-control-allow-origin" not in answer.headers
    assert door.board.written == []


@pytest.mark.parametrize(
    ("origin", "fetch_site", "status"),
    [
        ("self", None, 200),
        (ALLOWED_ORIGIN, "cross-site", 200),
        (None, "same-origin", 200),
        (None, None, 403),
        (None, "cross-site", 403),
        (None, "same-site", 403),
        (None, "none", 403),
        ("null", None, 403),
        ("https://evil.example", None, 403),
        ("https://evil.example", "same-origin", 403),
        ("http://127.0.0.1", None, 403),
        ("http://127.0.0.1:1", None, 403),
        ("https://console.example.evil.example", None, 403),
        ("file://", None, 403),
        ("", None, 403),
        ("http://[", None, 403),
    ],
)
async def test_a_cookie_counts_only_from_our_own_pages(
    door: Door, origin: str | None, fetch_site: str | None, status: int
) -> None:
    headers = {"cookie": await door.cookie(origin if origin == ALLOWED_ORIGIN else None)}
    if origin is not None:
        headers["origin"] = door.url if origin == "self" else origin
    if fetch_site is not None:
        headers["sec-fetch-site"] = fetch_site
    answer = await door.ask(WRITE, signed_in=False, headers=headers)

    assert answer.status_code == status
    assert door.board.written == (["x"] if status == 200 else [])


async def test_a_foreign_page_is_refused_whatever_it_holds(door: Door) -> None:
    answer = await door.ask(WRITE, headers={"origin": "https://evil.example"})

    assert answer.status_code == 403
    assert door.board.written == []
