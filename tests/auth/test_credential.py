"""One request carries one credential."""

import pytest

from auth.credential import Presented, presented
from domain.errors import MalformedRequest, Unauthenticated

COOKIE = "fairlead_session=token"
HOST = "__Host-fairlead_session=own"
OVER_TLS = {"origin": "https://fairlead.example"}
BY_PROXY = {"x-forwarded-proto": "https"}
OVER_HTTP = {"origin": "http://fairlead.example"}


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, None),
        ({"cookie": "theme=dark"}, None),
        ({"cookie": "fairlead_session="}, None),
        ({"authorization": "Bearer k1"}, Presented(api_key="k1")),
        ({"authorization": "bearer  k1 "}, Presented(api_key="k1")),
        ({"x-api-key": "k1"}, Presented(api_key="k1")),
        ({"authorization": "Bearer k1", "x-api-key": "k1"}, Presented(api_key="k1")),
        ({"cookie": COOKIE}, Presented(session="token")),
        ({"cookie": f"theme=dark; {COOKIE}"}, Presented(session="token")),
        ({"cookie": "theme=dark", "x-api-key": "k1"}, Presented(api_key="k1")),
        ({"cookie": "not_fairlead_session=token; a=fairlead_session=token"}, None),
        ({"authorization": "Bearer k1, Bearer k1"}, Presented(api_key="k1")),
        ({"cookie": f"{COOKIE}; {COOKIE}"}, Presented(session="token")),
        ({"cookie": HOST}, Presented(session="own")),
        ({"cookie": f"{COOKIE}; {HOST}"}, Presented(session="own")),
        ({"cookie": f"{HOST};{COOKIE}", **OVER_TLS}, Presented(session="own")),
        ({"cookie": f"{HOST};{COOKIE}", **OVER_HTTP}, Presented(session="token")),
    ],
)
def test_finds_the_credential_in_whichever_header(
    headers: dict[str, str], found: Presented | None
) -> None:
    assert presented(headers) == found


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer k1", "x-api-key": "k2"},
        {"authorization": "Bearer k1, Bearer k2"},
        {"x-api-key": "k1, k2"},
        {"cookie": f"{COOKIE}; fairlead_session=another"},
        {"cookie": f"{HOST}; __Host-fairlead_session=another"},
        {"authorization": "Bearer k1", "cookie": COOKIE},
        {"x-api-key": "k1", "cookie": COOKIE},
    ],
)
def test_refuses_two_different_credentials(headers: dict[str, str]) -> None:
    with pytest.raises(MalformedRequest):
        presented(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": COOKIE, **OVER_TLS},
        {"cookie": COOKIE, **BY_PROXY},
        {"cookie": COOKIE, **BY_PROXY, "origin": "null"},
        {"cookie": HOST, **OVER_HTTP},
        {"cookie": HOST, **BY_PROXY, **OVER_HTTP},
        {"cookie": f"a=b,{HOST}"},
        {"cookie": f"a=b, {HOST}"},
        {"cookie": f"a=b\xa0;\x85{HOST}"},
        {"cookie": f"\x0b{HOST}"},
        {"cookie": f"={HOST}"},
        {"cookie": f"x{HOST}"},
        {"cookie": "__host-fairlead_session=own", **OVER_TLS},
        {"cookie": "__Host-fairlead_session =own"},
    ],
)
def test_a_cookie_that_a_neighbours_page_can_plant_is_none(headers: dict[str, str]) -> None:
    """Of a host beside ours, over TLS: browsers let it set any cookie but those of `__Host-`.

    Nor is one of ours that a page over plain HTTP makes a browser send.
    """
    assert presented(headers) is None


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic k1", "k1", "Bearer\tk1", ",", "Bearer k1, Basic k1"]
)
def test_refuses_an_authorization_that_is_no_bearer(header: str) -> None:
    with pytest.raises(Unauthenticated):
        presented({"authorization": header, "x-api-key": "k1"})
