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

    async def sign_in(self, name: str) -> dict[str, Any]:
        """Code with PKCE, as a browser does it; the token endpoint's whole answer."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": "fairlead",
            "redirect_uri": self.redirect,
            "response_type": "code",
            "scope": "openid profile email",
            "state": "s",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        flow = f"{self.issuer}/protocol/openid-connect"
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{flow}/auth", params=query)
            while not (place := _place(answer)).startswith(self.redirect):
                answer = await client.get(place)
                if answer.status_code == 200:
                    [form] = re.findall(r'action="([^"]+)"', answer.text)[:1]
                    login = {"prompt": "login", "login": name, "password": "x"}
                    answer = await client.post(urljoin(place, form), data=login)
            [code] = parse_qs(urlsplit(place).query)["code"]
            granted = await client.post(
                f"{flow}/token",
                data={
                    "grant_type": "authorization_code",
                    "client_id": "fairlead",
                    "code": code,
                    "redirect_uri": self.redirect,
                    "code_verifier": verifier,
                },
            )
        assert granted.status_code == 200, granted.text
        found: dict[str, Any] = granted.json()
        return found


def _place(answer: httpx2.Response) -> str:
    assert answer.status_code in (302, 303), answer.text
    return urljoin(str(answer.url), answer.headers["location"])


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
