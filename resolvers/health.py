"""What we do when asked to tell of the health of providers."""

import time
from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.principal import Principal
from schema.context import Info
from schema.fields import subscription_field
from schema.node import key_or_nobody
from schema.provider_health import MOST_MODELS, ProviderHealth


@strawberry.type
class HealthSubscription:
    @subscription_field(
        Policy.SIGNED_IN,
        description="The health of each provider the caller may see: as it is, then whenever it or"
        " its figures change, at most once a second. Who is slow hears only the newest.",
        graphql_type=ProviderHealth,
    )
    async def provider_health(
        self,
        info: Info,
        providers: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(description="Only of these; at most 100."),
        ] = None,
    ) -> AsyncIterator[ProviderHealth]:
        context = info.context
        wanted = None
        if providers is not None:
            wanted = {key_or_nobody("Provider", id) for id in providers[:MOST_MODELS]}
        async with context.health.watch() as changes:
            async for found in changes:
                if _has_ended(context.caller):
                    return
                if wanted is not None and found.provider_id not in wanted:
                    continue
                if found.enabled or context.caller.is_admin:
                    context.forget()
                    yield ProviderHealth.of(found)


def _has_ended(caller: Principal) -> bool:
    return caller.expires_at is not None and caller.expires_at <= time.time()
