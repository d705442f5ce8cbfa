"""Tokens of somebody who knows everything that is public: none is taken."""

import hmac
import json
import math
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc.jwk import OctKey

from domain.errors import Unauthenticated
from tests.auth.installation import NOW, Clock
from tests.auth.provider import EC, RSA, STRANGER, Provider, claims, token
from tests.auth.test_openid import STRONG


def raw(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: Any) -> str:
    return raw(json.dumps(value).encode())


PUBLIC = RSA.as_pem(private=False)


BITS = (256, 384, 512)


def by_public_key(signed: str, bits: int) -> str:
    """Signed with the public key as if it were a secret."""
    return f"{signed}.{raw(hmac.digest(PUBLIC, signed.encode(), f'sha{bits}'))}"


def signed_wrongly() -> list[str]:
    """An administrator's claims under no signature, a stranger's, or one by the wrong key."""
    good = claims(NOW, **STRONG)
    body = segment(good)
    own = {"jwk": STRANGER.as_dict(private=False), "jku": "https://evil.example/jwks"}
    return [
        *(
            f"{segment({'alg': alg, 'typ': 'JWT', 'kid': 'rsa'})}.{body}."
            for alg in ("none", "None", "NONE", "nOnE", "", "RS256", "HS256")
        ),
        f"{segment({'alg': 'none'})}.{body}.",
        f"{segment({'typ': 'JWT', 'kid': 'rsa'})}.{body}.AAAA",
        *(by_public_key(f"{segment({'alg': f'HS{n}', 'kid': 'rsa'})}.{body}", n) for n in BITS),
        token(good, OctKey.generate_key(256), "HS256", kid="ec"),
        token(good, STRANGER),
        token(good, STRANGER, jwk=own["jwk"]),
        token(good, STRANGER, jku=own["jku"]),
        token(good, STRANGER, x5u=own["jku"]),
        token(good, STRANGER, x5c=["AAAA"]),
        token(good, STRANGER, kid="../../../dev/null"),
        token(good, STRANGER, kid="' OR 1=1 --"),
        token(good, STRANGER, kid=None),
        *(token(good, crit=value, x=1) for value in (["x"], ["exp"], [])),
        token(good, b64=False),
        token(good, jku=own["jku"]),
        token(good, jwk=RSA.as_dict(private=False)),
        token(good, zip="DEF"),
        token(good, kid=["rsa"]),
        token(good, kid={"rsa": 1}),
        token(good, EC, "ES256", kid="rsa"),
        token(good, RSA, "RS256", kid="ec"),
        token(good, RSA, "RS256", kid="ed"),
    ]


def tampered() -> list[str]:
    """A genuine token with parts of other ones, and what is none at all."""
    good = claims(NOW, **STRONG)
    body, signed = segment(good), token(claims(NOW))
    head, _, rest = signed.partition(".")
    tail = rest.partition(".")[2]
    return [
        f"{head}.{body}.{tail}",
        f"{head}.{rest.partition('.')[0]}.{tail[:-4]}AAAA",
        f"{head}.{rest.partition('.')[0]}.",
        f"{signed}.",
        f".{signed}",
        f"{signed}.{tail}.x",
        "..",
        "a.b.c",
        "",
        ".",
        f"{segment([])}.{body}.{tail}",
        f"{segment(None)}.{body}.{tail}",
        signed.replace(".", ". "),
        f"{signed}\n",
        signed + "é",
        "ey" + "a" * 20_000 + ".b.c",
        token({**good, "sub": "x" * 17_000}),
    ]


FORGED = [*signed_wrongly(), *tampered()]


@pytest.mark.parametrize("number", range(len(FORGED)))
async def test_nobody_forges_a_token(number: int) -> None:
    text = FORGED[number]
    provider = Provider()
    with pytest.raises(Unauthenticated):
        await provider.verifier(Clock(NOW)).verify(text)
    assert all("evil" not in url for url in provider.asked)


async def test_a_name_that_is_no_number_is_no_moment() -> None:
    for value in ("NaN", "Infinity", "-Infinity", "1e400"):
        text = json.dumps(claims(NOW)).replace(str(int(NOW) + 300), value)
        assert math.isfinite(NOW)
        head = segment({"alg": "RS256", "kid": "rsa", "typ": "JWT"})
        with pytest.raises(Unauthenticated):
            await Provider().verifier(Clock(NOW)).verify(f"{head}.{raw(text.encode())}.AAAA")
