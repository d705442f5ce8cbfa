"""What we do when asked whether a change has arrived."""

import strawberry

from auth.policies import Policy
from db.queries.configuration import latest_change, processes
from schema.configuration import ConfigStatus
from schema.context import Info
from schema.fields import query_field


@strawberry.type
class ConfigurationQuery:
    @query_field(
        Policy.ADMIN,
        description="Which processes run, and whether each has applied the newest change.",
        graphql_type=ConfigStatus,
    )
    async def config_status(self, info: Info) -> ConfigStatus:
        async with info.context.read() as session:
            latest, rows = await latest_change(session), await processes(session)
        return ConfigStatus.of(info.context.configuration.snapshot, latest, rows)
