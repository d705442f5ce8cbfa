"""Who is asking."""

import strawberry

from auth.policies import Policy
from schema.context import Info
from schema.fields import query_field
from schema.node import key_or_nobody
from schema.viewer import User, Viewer


@strawberry.type
class ViewerQuery:
    @query_field(Policy.SELF, description="Who is asking.", graphql_type=Viewer)
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.caller)

    @query_field(Policy.ADMIN, description="A person, by id.", graphql_type=User | None)
    async def user(self, info: Info, id: strawberry.ID) -> User | None:
        return await info.context.load(User.fetch, key_or_nobody("User", id))
