"""One upstream call of a request."""

import uuid
from collections.abc import Awaitable
from typing import Self

import strawberry

from auth.policies import Policy
from domain.rule_checks import MOST_ATTEMPTS
from domain.usage import Attempt
from schema.context import Info
from schema.enums import KeyOwner
from schema.fields import attribute, edge, object_type
from schema.model import Model
from schema.scalars import USD, BigInt

MOST_CALLS = 3 * MOST_ATTEMPTS
"""Of one request: every candidate once, and again where the table of retries says so."""


@object_type(Policy.SELF, description="One upstream call of a request.")
class UsageAttempt:
    model_key: strawberry.Private[uuid.UUID]
    provider_slug: str
    model_name: str
    outcome: str = attribute(description="OK, or the kind of failure.")
    reason: str | None = attribute(description="Why it failed, in words.")
    http_status: int | None = attribute(description="Null when the upstream never answered.")
    key_owner: KeyOwner | None = attribute(description="Null where no key was needed.")
    started_ms: int = attribute(description="After the start of the request.")
    first_token_ms: int | None = attribute(description="After the start of the request.")
    latency_ms: int = attribute(description="From its own start to its end.")
    input_tokens: BigInt | None
    output_tokens: BigInt | None
    cost: USD | None = attribute(description="The house's where the attempt failed.")

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        usage = attempt.usage
        return cls(
            model_key=attempt.deployment_id,
            provider_slug=attempt.provider,
            model_name=attempt.model,
            outcome=attempt.outcome,
            reason=attempt.reason,
            http_status=attempt.http_status,
            key_owner=None if attempt.key_owner is None else KeyOwner(attempt.key_owner),
            started_ms=attempt.started_ms,
            first_token_ms=attempt.first_token_ms,
            latency_ms=attempt.latency_ms,
            input_tokens=None if usage is None else BigInt(usage.input),
            output_tokens=None if usage is None else BigInt(usage.output),
            cost=None if attempt.cost is None else USD(attempt.cost),
        )

    @edge(description="The model as it is now; null when it is gone.", graphql_type=Model | None)
    def model(self, info: Info) -> Awaitable[Model | None]:
        return info.context.load(Model.fetch, self.model_key)
