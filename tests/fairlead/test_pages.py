"""The web app's files: what is cached, what is missing, and what a page may load."""

import gzip
from pathlib import Path

import pytest

from fairlead.pages import Pages
from tests.fairlead.conftest import Door

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    """A small built app."""
    (tmp_path / "index.html").write_text("the app")
    (tmp_path / "graphiql.html").write_text("graphiql")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1a2b.js").write_text("code")
    (tmp_path.parent / "outside.txt").write_text("outside")
    return Pages(tmp_path)


async def test_each_page_is_served_and_asked_for_again_next_time(door: Door) -> None:
    for path, text in (
        ("/", "the app"),
        ("/index.html", "the app"),
        ("/providers/one", "the app"),
        ("/favicon.svg", "<svg/>"),
    ):
        answer = await door.http.get(path, headers=HTML)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["cache-control"] == "no-cache"


async def test_a_browser_gets_graphiql_and_a_program_gets_405(door: Door) -> None:
    page = await door.http.get("/graphql", headers=HTML)
    program = await door.http.get("/graphql", headers={"accept": "application/json"})

    assert (page.status_code, page.text) == (200, "graphiql")
    assert "content-security-policy" in page.headers
    assert program.status_code == 405


async def test_assets_are_kept_for_ever(door: Door) -> None:
    answer = await door.http.get("/assets/app-1a2b.js")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("accepted", "is_small"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("br, gzip;q=0.0, identity", False),
    ],
)
async def test_assets_are_sent_small_to_whoever_takes_them_so(
    door: Door, tmp_path: Path, accepted: str, is_small: bool
) -> None:
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"code"))

    answer = await door.http.get("/assets/app-1a2b.js", headers={"accept-encoding": accepted})

    assert (answer.text, "content-encoding" in answer.headers) == ("code", is_small)
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone-0000.js",
        "/assets/",
        "/gone.png",
        "/v1",
        "/v1/nothing",
        "/graphql/nothing",
        "/session/nothing",
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/assets/%2e%2e/%2e%2e/outside.txt",
        "/a%00b.txt",
        "/%2fevil.example/x",
        "/" + "a" * 300 + ".txt",
    ],
)
async def test_what_is_missing_is_missing(door: Door, path: str) -> None:
    answer = await door.http.get(path, headers=HTML)

    assert answer.status_code == 404
    assert "outside" not in answer.text


async def test_pages_take_no_other_method(door: Door) -> None:
    assert (await door.http.post("/", json={})).status_code == 405
    assert (await door.http.delete("/index.html")).status_code == 405


async def test_a_page_may_load_only_what_is_ours(door: Door) -> None:
    headers = (await door.http.get("/")).headers

    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_sign_in_elsewhere_is_allowed_to_connect(tmp_path: Path) -> None:
    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await Pages(tmp_path, issuer="https://id.example")(scope, receive, send)

    assert "connect-src 'self' https://id.example;" in str(sent[0])


class TestBeforeTheBuild:
    @pytest.fixture
    def pages(self, tmp_path: Path) -> Pages:
        return Pages(tmp_path / "nothing")

    async def test_a_plain_page_says_how_to_build(self, door: Door) -> None:
        for path in ("/", "/graphql", "/providers"):
            answer = await door.http.get(path, headers=HTML)
            assert answer.status_code == 200
            assert "npm run build" in answer.text
