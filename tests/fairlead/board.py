"""A schema small enough to see through, served by the real front door with real keys."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import strawberry
from sqlalchemy import text

from auth.policies import Policy
from db.session import Database
from domain.errors import Unavailable
from domain.principal import Principal
from domain.secret import Secret
from resolvers.errors import HANDLERS
from schema.context import Context
from schema.errors import Error, NotFoundError
from schema.fields import mutation_field, object_type, query_field, subscription_field
from schema.scalars import JSON, SCALARS
from schema.several import Several, Together

CANARY = "canary-7d1f"
"""Must never reach a caller."""


@dataclass
class Board:
    """What the resolvers did, and the events they are to tell."""

    written: list[str] = field(default_factory=list)
    ticks: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)


class BoardContext(Context):
    def __init__(self, board: Board, database: Database, principal: Principal | None) -> None:
        self.board = board
        self.database = database
        self.principal = principal


Info = strawberry.Info[BoardContext, None]


@object_type(Policy.PUBLIC, description="A note.")
class Note:
    text: str


WriteResult = Annotated[Note | NotFoundError, strawberry.union("WriteResult")]


@strawberry.input
class NoteInput:
    text: str
    secret: Secret | None = None


@strawberry.type
class Query:
    @query_field(Policy.PUBLIC, description="Echo.", graphql_type=str)
    async def echo(self, text: str) -> str:
        return text

    @query_field(Policy.SIGNED_IN, description="Role.", graphql_type=str)
    async def mine(self, info: Info) -> str:
        return info.context.caller.role

    @query_field(Policy.ADMIN, description="Admins only.", graphql_type=str)
    async def vault(self) -> str:
        return CANARY

    @query_field(Policy.PUBLIC, description="Fails.", graphql_type=str)
    async def broken(self) -> str:
        raise RuntimeError(CANARY)

    @query_field(Policy.PUBLIC, description="Fails as expected.", graphql_type=str)
    async def away(self) -> str:
        raise Unavailable("The database is away.")

    @query_field(Policy.PUBLIC, description="No server.", graphql_type=str)
    async def refused(self) -> str:
        raise ConnectionRefusedError(CANARY)

    @query_field(Policy.PUBLIC, description="Too slow a statement.", graphql_type=str)
    async def slow(self, info: Info) -> str:
        async with info.context.read() as session:
            await session.execute(text("SET LOCAL statement_timeout = 10"))
            await session.execute(text("SELECT pg_sleep(10)"))
        return ""

    @query_field(Policy.PUBLIC, description="Never ends.", graphql_type=str)
    async def endless(self) -> str:
        await asyncio.Event().wait()
        return ""

    @query_field(Policy.PUBLIC, description="Not JSON.", graphql_type=JSON)
    async def unspeakable(self) -> object:
        return {"value": {CANARY}}

    @query_field(Policy.PUBLIC, description="Notes.", graphql_type=list[Note], size=20)
    async def notes(self, first: int | None = None) -> list[Note]:
        return [Note(text="note")] * (first or 0)


@strawberry.type
class Mutation:
    @mutation_field(Policy.PUBLIC, description="Write.", graphql_type=WriteResult)
    async def write(self, info: Info, input: NoteInput) -> Note:
        info.context.board.written.append(input.text)
        return Note(text=input.text)


@strawberry.type
class Subscription:
    @subscription_field(Policy.SIGNED_IN, description="Ticks.", graphql_type=int)
    async def ticks(self, info: Info) -> AsyncIterator[int]:
        board = info.context.board
        board.listening.set()
        try:
            while (tick := await board.ticks.get()) >= 0:
                if tick == 13:
                    raise RuntimeError(CANARY)
                yield tick
        finally:
            board.left.set()

    @subscription_field(Policy.SIGNED_IN, description="Ticks together.", graphql_type=int)
    async def bursts(self, info: Info) -> AsyncIterator[int]:
        return Several(_bursts(info.context.board))

    @subscription_field(Policy.ADMIN, description="Admins only.", graphql_type=int)
    async def secret_ticks(self) -> AsyncIterator[int]:
        yield 1


async def _bursts(board: Board) -> AsyncGenerator[Together[int], None]:
    """As many ticks together as each number of the queue says."""
    board.listening.set()
    try:
        while (size := await board.ticks.get()) >= 0:
            yield Together(partial(list, range(size)))
    finally:
        board.left.set()


def build_schema() -> strawberry.Schema:
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Error],
        exception_handlers=list(HANDLERS),
        config=strawberry.schema.config.StrawberryConfig(scalar_map=SCALARS),
    )
