"""The front door on a real port, over the small schema of board.py, with real keys."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from auth import keyring
from auth.identity import Authenticator
from auth.openid import TokenVerifier
from auth.secrets import SecretBox, generate_master_key
from db.session import Database
from domain.apikey import ApiKeyRequest, add_api_key, revoke_api_key
from domain.bootstrap import administrator, bootstrap
from domain.bucket import Rate
from domain.principal import Scope
from domain.secret import Secret
from fairlead.connections import WatchedHttp
from fairlead.graphql import mount_graphql
from fairlead.openid import OpenIdSettings
from fairlead.pages import Pages, mount_pages
from fairlead.session import mount_session
from tests.fairlead.board import Board, BoardContext, build_schema
from tests.fairlead.server import OwnServer

ALLOWED_ORIGIN = "https://console.example"


@pytest.fixture
async def postgres(open_folder: Path) -> AsyncIterator[OwnServer]:
    """A server of the test's own, which it may stop."""
    server = OwnServer(open_folder / "server")
    await server.start()
    yield server
    await server.stop()


@dataclass
class Door:
    """A running server and a key of its administrator's."""

    url: str
    key: str
    board: Board
    database: Database
    authenticator: Authenticator
    http: httpx2.AsyncClient

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    async def ask(self, query: str, *, signed_in: bool = True, **more: Any) -> httpx2.Response:
        headers = self.bearer if signed_in else {}
        headers |= more.pop("headers", {})
        return await self.http.post("/graphql", json={"query": query, **more}, headers=headers)

    async def cookie(self, origin: str | None = None) -> str:
        """A session's cookie, as a request header's value; signed in from a page of `origin`."""
        headers = {} if origin is None else {"origin": origin}
        answer = await self.http.post("/session", json={"key": self.key}, headers=headers)
        assert answer.status_code == 200, answer.text
        self.http.cookies.clear()
        return answer.headers["set-cookie"].partition(";")[0]

    async def revoke(self) -> None:
        """Revoke the key, as a mutation followed by the configuration's listener does."""
        principal = await self.authenticator.principal(self.bearer)
        assert principal is not None
        assert principal.api_key_id is not None
        async with self.database.write(None) as session:
            await revoke_api_key(session, None, principal.api_key_id)
        self.authenticator.forget("apikey", principal.api_key_id)

    @asynccontextmanager
    async def socket(self, *, init: bool = True, **options: Any) -> AsyncIterator[ClientConnection]:
        url = self.url.replace("http", "ws") + "/graphql"
        options.setdefault("subprotocols", [Subprotocol("graphql-transport-ws")])
        async with connect(url, proxy=None, **options) as socket:
            if init:
                payload = {"authorization": f"Bearer {self.key}"}
                await say(socket, type="connection_init", payload=payload)
                assert await hear(socket) == {"type": "connection_ack"}
            yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> Any:
    async with asyncio.timeout(10):
        return json.loads(await socket.recv())


async def closed(socket: ClientConnection) -> int | None:
    """The close code; what is said before it does not matter."""
    async with asyncio.timeout(10):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None


async def subscribe(socket: ClientConnection, id: str, **payload: Any) -> None:
    await say(socket, type="subscribe", id=id, payload=payload)


async def add_key(database: Database, cipher: SecretBox) -> Secret:
    async with database.write(None) as session:
        await bootstrap(session)
        user_id, organization_id = await administrator(session)
        minted = await keyring.mint(session, cipher)
        wanted = ApiKeyRequest("test", frozenset(Scope))
        await add_api_key(session, minted, wanted, user_id=user_id, organization_id=organization_id)
    return minted.secret


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Its address; started and stopped by hand, because `serve` looks for signals and polls."""
    config = uvicorn.Config(app, port=0, http=WatchedHttp, log_level="error", lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.force_exit = True
    await server.shutdown()


@pytest.fixture
def rate() -> Rate:
    return Rate(capacity=20_000, per_second=2_000)


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def verifier() -> TokenVerifier | None:
    """Of an OpenID provider's tokens; none unless a test has one."""
    return None


@pytest.fixture
async def door(
    database: Database, rate: Rate, pages: Pages, verifier: TokenVerifier | None
) -> AsyncIterator[Door]:
    cipher = SecretBox([generate_master_key()])
    key = await add_key(database, cipher)
    board, authenticator = Board(), Authenticator(database, cipher, verifier=verifier)
    origins = frozenset({ALLOWED_ORIGIN})
    app = Starlette()
    mount_session(app, authenticator, database, origins, OpenIdSettings())
    mount_graphql(
        app,
        build_schema(),
        lambda principal: BoardContext(board, database, principal),
        authenticator,
        origins,
        page=pages.graphiql,
        rate=rate,
        deadline=2.0,
    )
    mount_pages(app, pages)
    async with (
        listening(app) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=20) as http,
    ):
        yield Door(url, key.reveal(), board, database, authenticator, http)
