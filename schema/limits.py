"""What keys, people and organisations may use at most."""

from typing import Annotated, Self

import strawberry

from auth.policies import Policy
from domain import limits as domain
from schema.errors import InvalidInputError, NotFoundError
from schema.fields import attribute, object_type, result
from schema.scalars import USD, BigInt

_DAY = "In one day, from midnight UTC: dollars of requests on keys that are not one's own."
_MONTH = "In one calendar month in UTC, likewise."
_COST = "What a single request may cost at worst: its answer is cut short, or it is refused."

_REQUESTS = "In any minute, on all replicas together."
_TOKENS = (
    "In any minute, likewise: of prompt and answer. A request counts with the most it may use until"
    " it ends, then with what it used."
)
_RUNNING = "Requests that run at the same time, likewise."


@object_type(
    Policy.SELF, description="Null: no limit. Each request is within all that apply to it."
)
class Limits:
    spend_per_day: USD | None = attribute(description=_DAY)
    spend_per_month: USD | None = attribute(description=_MONTH)
    max_cost: USD | None = attribute(description=_COST)
    requests_per_minute: int | None = attribute(description=_REQUESTS)
    tokens_per_minute: BigInt | None = attribute(description=_TOKENS)
    concurrency: int | None = attribute(description=_RUNNING)

    @classmethod
    def of(cls, limits: domain.Limits) -> Self:
        return cls(**{name: getattr(limits, name) for name in limits.__struct_fields__})


@strawberry.input(description="What is left out stays as it is; null lifts a limit.")
class LimitsInput:
    spend_per_day: strawberry.Maybe[USD | None] = strawberry.field(description=_DAY)
    spend_per_month: strawberry.Maybe[USD | None] = strawberry.field(description=_MONTH)
    max_cost: strawberry.Maybe[USD | None] = strawberry.field(description=_COST)
    requests_per_minute: strawberry.Maybe[int | None] = strawberry.field(description=_REQUESTS)
    tokens_per_minute: strawberry.Maybe[BigInt | None] = strawberry.field(description=_TOKENS)
    concurrency: strawberry.Maybe[int | None] = strawberry.field(description=_RUNNING)


@strawberry.input(description="Whose limits, and what they become.")
class SetLimitsInput:
    owner: strawberry.ID = strawberry.field(
        description="The id of an API key of one's own; for administrators of any key, person or"
        " organisation."
    )
    limits: LimitsInput


@object_type(Policy.SELF, description="The limits as they are now.")
class SetLimitsPayload:
    limits: Limits


SetLimitsResult = Annotated[
    SetLimitsPayload | InvalidInputError | NotFoundError, result("SetLimitsResult")
]
