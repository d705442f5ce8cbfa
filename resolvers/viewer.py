"""Who is asking."""

import strawberry

from auth.policies import Policy
from schema.context import Info
from schema.fields import query_field
from schema.viewer import Viewer


@strawberry.type
class ViewerQuery:
    @query_field(Policy.SELF, description="Who is asking.", graphql_type=Viewer)
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.caller)
