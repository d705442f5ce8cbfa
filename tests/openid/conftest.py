"""An installation whose people sign in with a running OpenID provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import browser
from tests.e2e.installation import Installation, free_port, running
from tests.openid.realm import Realm, running_realm

__all__ = ["browser"]


@dataclass(frozen=True)
class House:
    installation: Installation
    realm: Realm


@asynccontextmanager
async def house(folder: Path, *, token_seconds: int = 300) -> AsyncIterator[House]:
    """Both, each knowing the other's address."""
    port = free_port()
    async with (
        running_realm(f"http://127.0.0.1:{port}/", token_seconds=token_seconds) as realm,
        running(
            folder,
            PORT=str(port),
            FAIRLEAD_OPENID_ISSUER=realm.issuer,
            FAIRLEAD_OPENID_ORGANIZATION_PREFIX="/organizations/",
        ) as installation,
    ):
        yield House(installation, realm)
