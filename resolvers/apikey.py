"""What we do when asked about Fairlead's own API keys."""

import uuid
from functools import partial

import strawberry

from auth.keyring import mint
from auth.policies import Policy
from db.keyset import Row
from db.queries.apikey import api_key_by_id
from db.session import AsyncSession
from domain.apikey import (
    ApiKeyRequest,
    MintedKey,
    create_api_key,
    issue_api_key,
    key_to_rotate,
    revoke_api_key,
    rotate_api_key,
    update_api_key,
)
from domain.idempotency import once
from domain.reach import reach_of
from schema.apikey import API_KEYS, ApiKey, ApiKeyFilter, ApiKeyOrder, keys_asked
from schema.apikey_change import (
    CreateApiKeyInput,
    CreateApiKeyPayload,
    CreateApiKeyResult,
    IssueApiKeyInput,
    IssueApiKeyPayload,
    IssueApiKeyResult,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    RevokeApiKeyResult,
    RotateApiKeyInput,
    RotateApiKeyPayload,
    RotateApiKeyResult,
    UpdateApiKeyInput,
    UpdateApiKeyPayload,
    UpdateApiKeyResult,
)
from schema.context import Context, Info
from schema.fields import mutation_field, query_field
from schema.idempotency import key_of_input
from schema.inputs import given
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
        key, caller, wanted = key_of_input(info, input), info.context.caller, _wanted(input)
        where = _organization(input.organization)
        async with info.context.change() as session:
            minted = await mint(session, info.context.cipher)
            row, is_new = await once(
                session,
                key,
                partial(create_api_key, session, caller, minted, wanted, where),
                partial(api_key_by_id, session, reach=reach_of(caller)),
            )
        secret = minted.secret.reveal() if is_new else None
        return CreateApiKeyPayload(api_key=ApiKey.of(row), secret=secret)

    @mutation_field(
        Policy.ADMIN,
        description="Make a key for somebody else; it acts as that person.",
        graphql_type=IssueApiKeyResult,
    )
    async def issue_api_key(self, info: Info, input: IssueApiKeyInput) -> IssueApiKeyPayload:
        key, caller, wanted = key_of_input(info, input), info.context.caller, _wanted(input)
        user, where = key_of("User", input.user), _organization(input.organization)
        async with info.context.change() as session:
            minted = await mint(session, info.context.cipher)
            row, is_new = await once(
                session,
                key,
                partial(issue_api_key, session, caller, minted, wanted, user, where),
                partial(api_key_by_id, session, reach=reach_of(caller)),
            )
        secret = minted.secret.reveal() if is_new else None
        return IssueApiKeyPayload(api_key=ApiKey.of(row), secret=secret)

    @mutation_field(
        Policy.SELF,
        description="Change what a key is called and what it may do.",
        graphql_type=UpdateApiKeyResult,
    )
    async def update_api_key(self, info: Info, input: UpdateApiKeyInput) -> UpdateApiKeyPayload:
        id = key_of("ApiKey", input.id)
        patch = given(input, "name", "scopes", "allowed_models", "expires_at", "cache_seconds")
        async with info.context.change() as session:
            row = await update_api_key(session, info.context.caller, id, patch)
        return UpdateApiKeyPayload(api_key=ApiKey.of(row))

    @mutation_field(
        Policy.SELF,
        description="Give a key another text: the new one is in the answer and nowhere else, the"
        " one before goes on for a while.",
        graphql_type=RotateApiKeyResult,
    )
    async def rotate_api_key(self, info: Info, input: RotateApiKeyInput) -> RotateApiKeyPayload:
        id, key = key_of("ApiKey", input.id), key_of_input(info, input)
        made: list[MintedKey] = []
        async with info.context.change() as session:
            row, _ = await once(
                session,
                key,
                partial(_rotate, session, info.context, id, input.overlap_seconds, made),
                partial(api_key_by_id, session, reach=reach_of(info.context.caller)),
            )
        secret = made[0].secret.reveal() if made else None
        return RotateApiKeyPayload(api_key=ApiKey.of(row), secret=secret)

    @mutation_field(
        Policy.SELF,
        description="Take a key out of use for good: one's own, or one for the organisation one"
        " governs.",
        graphql_type=RevokeApiKeyResult,
    )
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload:
        id = key_of("ApiKey", input.id)
        async with info.context.change() as session:
            row = await revoke_api_key(session, info.context.caller, id)
        return RevokeApiKeyPayload(api_key=ApiKey.of(row))


async def _rotate(
    session: AsyncSession, context: Context, id: uuid.UUID, overlap: int, made: list[MintedKey]
) -> Row:
    """Rotate a key; its new text is added to `made`."""
    before = await key_to_rotate(session, context.caller, id)
    minted = await mint(session, context.cipher, before.public_id)
    row = await rotate_api_key(session, before, minted, overlap)
    made.append(minted)
    return row


def _wanted(input: CreateApiKeyInput | IssueApiKeyInput) -> ApiKeyRequest:
    allowed = None if input.allowed_models is None else tuple(input.allowed_models)
    return ApiKeyRequest(
        input.name, frozenset(input.scopes), allowed, input.expires_at, input.cache_seconds
    )


def _organization(id: strawberry.ID | None) -> uuid.UUID | None:
    return None if id is None else key_of("Organization", id)
