"""What we do when asked what a provider serves."""

from datetime import UTC, datetime

import strawberry

from auth.policies import Policy
from db.queries.provider import provider_by_id
from domain.audit import AuditObject
from domain.configuration import provider_of
from domain.discovery import apply_discovery, difference
from domain.errors import ProviderError
from domain.listprice import SOURCE
from domain.probing import settle_test, subject
from domain.refresh import refresh
from schema.context import Info
from schema.discovery import (
    MOST_SHOWN,
    ApplyDiscoveryInput,
    ApplyDiscoveryPayload,
    ApplyDiscoveryResult,
    DiscoveredChange,
    DiscoverModelsInput,
    DiscoverModelsPayload,
    DiscoverModelsResult,
    RefreshCatalogueInput,
    RefreshCataloguePayload,
    RefreshCatalogueResult,
)
from schema.fields import mutation_field
from schema.model import Model
from schema.node import key_of
from schema.provider import Provider


@strawberry.type
class DiscoveryMutation:
    @mutation_field(
        Policy.ADMIN,
        description="Ask a provider what it serves, and tell what is new, gone or re-priced here;"
        " models stay as they are. A mutation, because the call is made with a stored key, counts"
        " as a test of it (`testProvider`) and is written down.",
        graphql_type=DiscoverModelsResult,
    )
    async def discover_models(
        self, info: Info, input: DiscoverModelsInput
    ) -> DiscoverModelsPayload:
        id = key_of("Provider", input.provider)
        async with info.context.read() as session:
            asked = await subject(session, info.context.cipher, id)
        found = await info.context.probe.discover(provider_of(asked.provider), asked.key)
        async with info.context.change() as session:
            await settle_test(session, asked, found.result, asked_for=AuditObject.PROVIDER)
        if not found.result.ok:
            raise ProviderError(
                found.result.error or "It did not answer.",
                provider=asked.provider.slug,
                upstream_status=found.result.http_status,
            )
        async with info.context.read() as session:
            changes = await difference(session, id, found.models, datetime.now(UTC))
        return DiscoverModelsPayload(
            provider=Provider.of(asked.provider),
            listed_count=len(found.models),
            changes=[DiscoveredChange.of(each) for each in changes[:MOST_SHOWN]],
            change_count=len(changes),
        )

    @mutation_field(
        Policy.ADMIN,
        description="Compare a provider with the packaged catalogue, an open data package of list"
        " prices: tell which models are new and which prices are others there. Nothing is called"
        " and models stay as they are; a newer release of Fairlead brings a newer catalogue.",
        graphql_type=RefreshCatalogueResult,
    )
    async def refresh_catalogue(
        self, info: Info, input: RefreshCatalogueInput
    ) -> RefreshCataloguePayload:
        id = key_of("Provider", input.provider)
        async with info.context.change() as session:
            changes = await refresh(session, id, datetime.now(UTC))
            row = await provider_by_id(session, id)
        return RefreshCataloguePayload(
            provider=Provider.of(row),
            source=SOURCE,
            changes=[DiscoveredChange.of(each) for each in changes[:MOST_SHOWN]],
            change_count=len(changes),
        )

    @mutation_field(
        Policy.ADMIN,
        description="Make chosen changes of `discoverModels` or `refreshCatalogue`: NEW models"
        " are added, GONE ones switched off, REPRICED ones priced from now on.",
        graphql_type=ApplyDiscoveryResult,
    )
    async def apply_discovery(
        self, info: Info, input: ApplyDiscoveryInput
    ) -> ApplyDiscoveryPayload:
        id, chosen = key_of("Provider", input.provider), [each.chosen() for each in input.entries]
        async with info.context.change() as session:
            rows = await apply_discovery(session, id, chosen, datetime.now(UTC))
        return ApplyDiscoveryPayload(models=[Model.of(row) for row in rows])
