"""What we do when asked about Fairlead's own API keys."""

from functools import partial

import strawberry

from auth.keyring import mint
from auth.policies import Policy
from db.queries.apikey import api_key_by_id
from domain.apikey import ApiKeyRequest, create_api_key, rename_api_key, revoke_api_key
from domain.idempotency import once
from schema.apikey import (
    API_KEYS,
    ApiKey,
    ApiKeyFilter,
    ApiKeyOrder,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    CreateApiKeyResult,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    RevokeApiKeyResult,
    UpdateApiKeyInput,
    UpdateApiKeyPayload,
    UpdateApiKeyResult,
    keys_asked,
)
from schema.context import Info
from schema.fields import mutation_field, query_field
from schema.idempotency import key_of_input
from schema.node import key_of
from schema.pagination import After, Before, Connection, First, Last, PageArguments


@strawberry.type
class ApiKeyQuery:
    @query_field(
        Policy.SELF,
        description="The caller's own keys, newest first; administrators may see others'.",
        graphql_type=Connection[ApiKey],
        size=20,
    )
    async def api_keys(
        self,
        info: Info,
        filter: ApiKeyFilter | None = None,
        order_by: ApiKeyOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ApiKey]:
        asked = keys_asked(info.context, filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return await API_KEYS.whole(info.context, asked, arguments)


@strawberry.type
class ApiKeyMutation:
    @mutation_field(
        Policy.SELF,
        description="Make a key of the caller's own. Its text is in the answer and nowhere else.",
        graphql_type=CreateApiKeyResult,
    )
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:
        allowed = None if input.allowed_models is None else tuple(input.allowed_models)
        wanted = ApiKeyRequest(input.name, frozenset(input.scopes), allowed, input.expires_at)
        key, caller = key_of_input(info, input), info.context.caller
        async with info.context.change() as session:
            minted = await mint(session, info.context.cipher)
            row, is_new = await once(
                session,
                key,
                partial(create_api_key, session, caller, minted, wanted),
                partial(api_key_by_id, session, caller=caller),
            )
        secret = minted.secret.reveal() if is_new else None
        return CreateApiKeyPayload(api_key=ApiKey.of(row), secret=secret)

    @mutation_field(Policy.SELF, description="Rename a key.", graphql_type=UpdateApiKeyResult)
    async def update_api_key(self, info: Info, input: UpdateApiKeyInput) -> UpdateApiKeyPayload:
        id = key_of("ApiKey", input.id)
        async with info.context.change() as session:
            row = await rename_api_key(session, info.context.caller, id, input.name)
        return UpdateApiKeyPayload(api_key=ApiKey.of(row))

    @mutation_field(
        Policy.SELF,
        description="Take a key out of use for good.",
        graphql_type=RevokeApiKeyResult,
    )
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload:
        id = key_of("ApiKey", input.id)
        async with info.context.change() as session:
            row = await revoke_api_key(session, info.context.caller, id)
        return RevokeApiKeyPayload(api_key=ApiKey.of(row))
