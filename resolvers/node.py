"""Finds any object again by its global id."""

import asyncio
from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.errors import InvalidInput
from schema.context import Info
from schema.fields import query_field
from schema.node import Node, find_node
from schema.pagination import MAX_SIZE


@strawberry.type
class NodeQuery:
    @query_field(
        Policy.SIGNED_IN,
        description="Null alike for an id that nothing has and for what is not yours to see.",
        graphql_type=Node | None,
    )
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        return await find_node(info, id)

    @query_field(
        Policy.SIGNED_IN,
        description="Several at once, in the order of `ids`; null as in `node`.",
        graphql_type=list[Node | None],
        size=MAX_SIZE,
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100.")],
    ) -> list[Node | None]:
        if len(ids) > MAX_SIZE:
            raise InvalidInput("ids", f"At most {MAX_SIZE} at once.")
        return await asyncio.gather(*(find_node(info, id) for id in ids))
