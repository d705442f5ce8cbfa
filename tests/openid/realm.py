"""A running OpenID provider: people sign in with it by browser, or here by requests."""

import asyncio
import base64
import hashlib
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

from tests.e2e.installation import free_port

_HERE = Path(__file__).parent
_LIBRARY = _HERE.parents[1] / "frontend/node_modules/oidc-provider/lib/index.js"


@dataclass(frozen=True)
class Realm:
    """`redirect` is the only address it sends people back to."""

    base_url: str
    redirect: str
    process: asyncio.subprocess.Process

    async def stop(self) -> None:
        """From now on nobody answers."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()

    @property
    def issuer(self) -> str:
        return f"{self.base_url}/realms/fairlead"

    async def set(
        self,
        name: str,
        roles: Sequence[str] = (),
        groups: Sequence[str] = (),
        *,
        blocked: bool = False,
    ) -> None:
        """Roles and groups that this person's next tokens have; blocked they get none."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            person = {"roles": list(roles), "groups": list(groups), "blocked": blocked}
            await client.put(f"{self.base_url}/people/{name}", json=person)

    @property
    def flow(self) -> str:
        return f"{self.issuer}/protocol/openid-connect"

    async def sign_in(self, name: str) -> dict[str, Any]:
        """Code with PKCE, as a browser does it; the token endpoint's whole answer."""
        verifier = secrets.token_urlsafe(32)
        place = await self.authorized(name, code_challenge=challenge_of(verifier))
        [code] = parse_qs(urlsplit(place).query)["code"]
        granted = await self.exchanged(code, verifier)
        assert granted.status_code == 200, granted.text
        found: dict[str, Any] = granted.json()
        return found

    async def authorized(self, name: str, **changed: str | None) -> str:
        """The address that this person is sent back to, or where the provider keeps them.

        A change to None leaves a parameter out.
        """
        query = {
            "client_id": "fairlead",
            "redirect_uri": self.redirect,
            "response_type": "code",
            "scope": "openid profile email",
            "state": "s",
            "code_challenge_method": "S256",
            **changed,
        }
        given = {key: value for key, value in query.items() if value is not None}
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.flow}/auth", params=given)
            while answer.status_code in (200, 302, 303):
                if answer.status_code == 200:
                    [form] = re.findall(r'action="([^"]+)"', answer.text)[:1]
                    login = {"prompt": "login", "login": name, "password": "x"}
                    answer = await client.post(urljoin(str(answer.url), form), data=login)
                    continue
                place = urljoin(str(answer.url), answer.headers["location"])
                if not place.startswith(self.base_url):
                    return place
                answer = await client.get(place)
        return str(answer.url)

    async def exchanged(self, code: str, verifier: str | None, **changed: str) -> httpx2.Response:
        """What the token endpoint makes of a code."""
        form = {"grant_type": "authorization_code", "redirect_uri": self.redirect, "code": code}
        form |= {} if verifier is None else {"code_verifier": verifier}
        return await self._token({**form, **changed})

    async def refreshed(self, token: str) -> httpx2.Response:
        """What the token endpoint makes of a refresh token."""
        return await self._token({"grant_type": "refresh_token", "refresh_token": token})

    async def _token(self, form: dict[str, str]) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False) as client:
            return await client.post(f"{self.flow}/token", data={"client_id": "fairlead", **form})


def challenge_of(verifier: str) -> str:
    """PKCE's S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@asynccontextmanager
async def running_realm(redirect: str, *, token_seconds: int = 300) -> AsyncIterator[Realm]:
    """For the length of the block; in memory."""
    node, port = shutil.which("node"), free_port()
    assert node is not None, "the web app's own tools need Node"
    arguments = (_HERE / "provider.mjs", _LIBRARY, port, redirect, token_seconds)
    process = await asyncio.create_subprocess_exec(
        node,
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    realm = Realm(f"http://127.0.0.1:{port}", redirect, process)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while b"ready" not in (line := await process.stdout.readline()):
                assert line, "the provider ended"
        yield realm
    finally:
        await realm.stop()
