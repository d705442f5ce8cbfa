"""An OpenID provider's keys and tokens, in Keycloak's shape, without a server."""

import json
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from auth.jwks import ProviderKeys
from auth.openid import OpenIdRules, TokenVerifier
from domain.errors import Unavailable
from tests.auth.installation import Clock

ISSUER = "https://id.example/realms/fairlead"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
JWKS = f"{ISSUER}/protocol/openid-connect/certs"
RULES = OpenIdRules(
    issuer=ISSUER,
    audience="fairlead",
    client_id="fairlead",
    organization_prefix="/organizations/",
)
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})


class Provider:
    """Serves a key set; may be away. Counts what it is asked."""

    def __init__(self, *keys: RSAKey | ECKey | OKPKey | OctKey) -> None:
        self.keys = list(keys or (RSA, EC, ED))
        self.asked: list[str] = []
        self.is_away = False
        self.issuer = ISSUER
        self.jwks = JWKS

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if self.is_away:
            raise Unavailable("away")
        if url == DISCOVERY:
            return json.dumps({"issuer": self.issuer, "jwks_uri": self.jwks}).encode()
        assert url == JWKS
        shown = [key.as_dict(private=isinstance(key, OctKey)) for key in self.keys]
        return json.dumps({"keys": [{**key, "use": "sig"} for key in shown]}).encode()

    def verifier(self, clock: Clock, rules: OpenIdRules = RULES) -> TokenVerifier:
        keys = ProviderKeys(ISSUER, DISCOVERY, self, clock)
        return TokenVerifier(rules, keys, clock)


def claims(now: float | None = None, **changed: Any) -> dict[str, Any]:
    """Those of a good access token; a change to None leaves the claim out."""
    at = int(time.time() if now is None else now)
    good = {
        "exp": at + 300,
        "iat": at,
        "jti": str(uuid.uuid4()),
        "iss": ISSUER,
        "aud": ["fairlead", "account"],
        "sub": "b5f1c8d2-0000-4000-8000-000000000001",
        "typ": "Bearer",
        "azp": "fairlead",
        "scope": "openid profile email",
        "realm_access": {"roles": ["offline_access"]},
        "resource_access": {"fairlead": {"roles": []}},
        "groups": [],
        "name": "Ada Lovelace",
        "preferred_username": "ada",
        "email": "ada@example.com",
    }
    found = {**good, **changed}
    return {name: value for name, value in found.items() if value is not None}


def token(
    payload: Mapping[str, Any],
    key: RSAKey | ECKey | OKPKey | OctKey = RSA,
    alg: str = "RS256",
    **header: Any,
) -> str:
    """Signed; a header of None is left out."""
    full = {"alg": alg, "typ": "JWT", "kid": key.kid, **header}
    shown = {name: value for name, value in full.items() if value is not None}
    signed = f"{_segment(shown)}.{_segment(dict(payload))}"
    # Past the library's own checks: it would refuse to write what an attacker writes.
    signature = JWSRegistry.algorithms[alg].sign(signed.encode(), key)
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _segment(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
