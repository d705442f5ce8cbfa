"""What we do when asked how long single requests are kept."""

import strawberry

from auth.policies import Policy
from domain.retention import change_retention, retention
from schema.context import Info
from schema.fields import mutation_field, query_field
from schema.retention import (
    SetUsageRetentionInput,
    SetUsageRetentionPayload,
    SetUsageRetentionResult,
    UsageRetention,
)


@strawberry.type
class RetentionQuery:
    @query_field(
        Policy.ADMIN,
        description="How long single requests are kept.",
        graphql_type=UsageRetention,
    )
    async def usage_retention(self, info: Info) -> UsageRetention:
        async with info.context.read() as session:
            return UsageRetention.of(*await retention(session))


@strawberry.type
class RetentionMutation:
    @mutation_field(
        Policy.ADMIN,
        description="Say how long single requests are kept. What is dropped cannot be had back.",
        graphql_type=SetUsageRetentionResult,
    )
    async def set_usage_retention(
        self, info: Info, input: SetUsageRetentionInput
    ) -> SetUsageRetentionPayload:
        async with info.context.change() as session:
            found = await change_retention(session, input.days, input.expected_version)
        return SetUsageRetentionPayload(usage_retention=UsageRetention.of(*found))
