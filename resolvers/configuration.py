"""What we do when asked whether a change has arrived."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.errors import InvalidInput
from domain.principal import has_ended
from domain.progress import standing_of
from schema.configuration import ConfigApplied, ConfigStatus
from schema.context import Info
from schema.fields import query_field, subscription_field
from schema.scalars import BigInt


@strawberry.type
class ConfigurationQuery:
    @query_field(
        Policy.ADMIN,
        description="Which processes run, and whether each has applied the newest change.",
        graphql_type=ConfigStatus,
    )
    async def config_status(self, info: Info) -> ConfigStatus:
        async with info.context.read() as session:
            standing = await standing_of(session)
        return ConfigStatus.of(info.context.configuration.snapshot, standing)


@strawberry.type
class ConfigurationSubscription:
    @subscription_field(
        Policy.SELF,
        description="How many of the running processes have applied a change, now and whenever"
        " that changes. About one change it ends when all have; without `number` it is about the"
        " newest, and goes on.",
        graphql_type=ConfigApplied,
    )
    async def config_applied(
        self,
        info: Info,
        number: Annotated[
            BigInt | None,
            strawberry.argument(description="`changeNumber` of what was published."),
        ] = None,
    ) -> AsyncIterator[ConfigApplied]:
        if number is not None and number < 1:
            raise InvalidInput("number", "At least 1.")
        context, told = info.context, None
        async with aclosing(context.configuration.follow()) as standings:
            async for standing in standings:
                if has_ended(context.caller):
                    return
                event = ConfigApplied.of(standing, number or standing.latest)
                state = (event.number, event.applied, event.running)
                if state != told:
                    told = state
                    yield event
                if number is not None and event.is_everywhere:
                    return
