"""What we do when asked about provider keys."""

from functools import partial

import strawberry

from auth.policies import Policy
from db.queries.credential import credential_by_id
from domain.credential import create_credential, delete_credential, update_credential
from domain.idempotency import once
from domain.reach import reach_of
from domain.snapshot import CredentialState
from schema.context import Info
from schema.credential import (
    CreateCredentialInput,
    CreateCredentialPayload,
    CreateCredentialResult,
    Credential,
    DeleteCredentialInput,
    DeleteCredentialPayload,
    DeleteCredentialResult,
    UpdateCredentialInput,
    UpdateCredentialPayload,
    UpdateCredentialResult,
)
from schema.fields import mutation_field
from schema.idempotency import key_of_input
from schema.inputs import given
from schema.node import global_id, key_of


@strawberry.type
class CredentialMutation:
    @mutation_field(
        Policy.ADMIN,
        description="Store a system key at a provider; it is tested at once, in the background.",
        graphql_type=CreateCredentialResult,
    )
    async def create_credential(
        self, info: Info, input: CreateCredentialInput
    ) -> CreateCredentialPayload:
        provider_id, cipher = key_of("Provider", input.provider), info.context.cipher
        values = {"name": input.name, "weight": input.weight}
        key, reach = key_of_input(info, input), reach_of(info.context.caller)
        async with info.context.change() as session:
            row, is_new = await once(
                session,
                key,
                partial(create_credential, session, cipher, provider_id, input.secret, values),
                partial(credential_by_id, session, reach=reach),
            )
        if is_new:
            info.context.probe_later(row.provider_id, row.id)
        return CreateCredentialPayload(credential=Credential.of(row))

    @mutation_field(
        Policy.ADMIN,
        description="Change a system key, or give its secret anew.",
        graphql_type=UpdateCredentialResult,
    )
    async def update_credential(
        self, info: Info, input: UpdateCredentialInput
    ) -> UpdateCredentialPayload:
        id, cipher = key_of("Credential", input.id), info.context.cipher
        secret = None if input.secret is None else input.secret.value
        values = given(input, "name", "weight")
        if input.enabled is not None:
            on = input.enabled.value
            values["state"] = CredentialState.ACTIVE if on else CredentialState.DISABLED
            values["state_reason"] = None if on else "Switched off by an administrator."
        async with info.context.change() as session:
            row = await update_credential(
                session, cipher, id, input.expected_version, secret, values
            )
        if secret is not None:
            info.context.probe_later(row.provider_id, row.id)
        return UpdateCredentialPayload(credential=Credential.of(row))

    @mutation_field(
        Policy.ADMIN, description="Delete a system key.", graphql_type=DeleteCredentialResult
    )
    async def delete_credential(
        self, info: Info, input: DeleteCredentialInput
    ) -> DeleteCredentialPayload:
        id = key_of("Credential", input.id)
        async with info.context.change() as session:
            await delete_credential(session, id)
        return DeleteCredentialPayload(deleted_id=global_id("Credential", id))
