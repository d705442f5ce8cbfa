"""What we do when people bring their own provider keys."""

from functools import partial

import strawberry

from auth.policies import Policy
from db.queries.credential import credential_by_id, testable_credential
from domain.audit import AuditObject
from domain.byok import delete_key, save_key, update_key
from domain.configuration import provider_of
from domain.errors import NotFound
from domain.idempotency import once
from domain.probing import settle_test, subject
from domain.reach import reach_of
from domain.snapshot import CredentialState
from schema.byok import (
    DeleteByokKeyInput,
    DeleteByokKeyPayload,
    DeleteByokKeyResult,
    SaveByokKeyInput,
    SaveByokKeyPayload,
    SaveByokKeyResult,
    TestCredentialInput,
    TestCredentialPayload,
    TestCredentialResult,
    UpdateByokKeyInput,
    UpdateByokKeyPayload,
    UpdateByokKeyResult,
)
from schema.context import Info
from schema.credential import Credential
from schema.fields import mutation_field
from schema.idempotency import key_of_input
from schema.inputs import given
from schema.node import global_id, key_of


@strawberry.type
class ByokMutation:
    @mutation_field(
        Policy.SELF,
        description="Store a key of one's own at a provider; it is tested at once, in the"
        " background. At most 10 at each provider.",
        graphql_type=SaveByokKeyResult,
    )
    async def save_byok_key(self, info: Info, input: SaveByokKeyInput) -> SaveByokKeyPayload:
        provider_id, caller = key_of("Provider", input.provider), info.context.caller
        organization_id = (
            None if input.organization is None else key_of("Organization", input.organization)
        )
        values = {
            "name": input.name,
            "policy": input.policy,
            "spend_per_month": input.system_spend_per_month,
        }
        key, cipher = key_of_input(info, input), info.context.cipher
        async with info.context.change() as session:
            make = partial(
                save_key,
                session,
                cipher,
                caller,
                organization_id,
                provider_id,
                input.secret,
                values,
            )
            again = partial(credential_by_id, session, reach=reach_of(caller))
            row, is_new = await once(session, key, make, again)
        if is_new:
            info.context.probe_later(row.provider_id, row.id)
        return SaveByokKeyPayload(credential=Credential.of(row))

    @mutation_field(
        Policy.SELF,
        description="Change an own key, or give its secret anew.",
        graphql_type=UpdateByokKeyResult,
    )
    async def update_byok_key(self, info: Info, input: UpdateByokKeyInput) -> UpdateByokKeyPayload:
        id, cipher, caller = (
            key_of("Credential", input.id),
            info.context.cipher,
            info.context.caller,
        )
        secret = None if input.secret is None else input.secret.value
        values = given(input, "name", "policy")
        if input.system_spend_per_month is not None:
            values["spend_per_month"] = input.system_spend_per_month.value
        if input.enabled is not None:
            on = input.enabled.value
            values["state"] = CredentialState.ACTIVE if on else CredentialState.DISABLED
            values["state_reason"] = None if on else "Switched off by its owner."
        async with info.context.change() as session:
            row = await update_key(
                session, cipher, caller, id, input.expected_version, secret, values
            )
        if row.state == CredentialState.ACTIVE and (secret is not None or input.enabled):
            info.context.probe_later(row.provider_id, row.id)
        return UpdateByokKeyPayload(credential=Credential.of(row))

    @mutation_field(Policy.SELF, description="Delete an own key.", graphql_type=DeleteByokKeyResult)
    async def delete_byok_key(self, info: Info, input: DeleteByokKeyInput) -> DeleteByokKeyPayload:
        id = key_of("Credential", input.id)
        async with info.context.change() as session:
            await delete_key(session, info.context.caller, id)
        return DeleteByokKeyPayload(deleted_id=global_id("Credential", id))

    @mutation_field(
        Policy.SELF,
        description="Call the provider with a key and tell what came back: one's own, or for"
        " administrators a system key. One that it refuses (401, 403) becomes DISABLED.",
        graphql_type=TestCredentialResult,
    )
    async def test_credential(
        self, info: Info, input: TestCredentialInput
    ) -> TestCredentialPayload:
        id, reach = key_of("Credential", input.id), reach_of(info.context.caller)
        async with info.context.read() as session:
            row = await testable_credential(session, id, reach)
            if row is None:
                raise NotFound("There is no such credential.")
            tested = await subject(session, info.context.cipher, row.provider_id, id)
        found = await info.context.probe.test(
            provider_of(tested.provider),
            tested.key,
            tested.model,
            thorough=tested.was_refused,
        )
        async with info.context.change() as session:
            await settle_test(session, tested, found, asked_for=AuditObject.CREDENTIAL)
            row = await testable_credential(session, id, reach)
        if row is None:
            raise NotFound("There is no such credential.")
        return TestCredentialPayload(
            credential=Credential.of(row),
            ok=found.ok,
            latency_ms=found.latency_ms,
            http_status=found.http_status,
            error=found.error,
            model_count=len(found.models),
        )
