"""What subscribers to usage hear: each request as it settles, and where something is missing."""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Hashable
from typing import Annotated, Any, Self

import msgspec
import strawberry

from auth.policies import Policy
from domain.errors import InvalidInput
from domain.usage_feed import GapReason, Missed, Position
from schema.fields import attribute, edge, object_type
from schema.scalars import BigInt
from schema.usage import UsageRecord

_TOO_MANY = 2**63

strawberry.enum(
    GapReason,
    description="TOO_OLD: too much happened since `after`. TOO_SLOW: events came faster than they"
    " were taken.",
)


@object_type(Policy.SELF, description="A request that has been settled.")
class UsageEvent:
    row: strawberry.Private[Any]

    @property
    def event(self) -> Hashable:
        """The same for everybody who is told of this request."""
        return self.row.batch, self.row.id

    @edge(description="Pass it as `after` to go on behind this event.")
    def cursor(self) -> str:
        return _cursor(Position(self.row.batch, self.row.id))

    @edge(description="The request.")
    def record(self) -> UsageRecord:
        return UsageRecord.of(self.row)


@object_type(
    Policy.SELF,
    description="Events are missing here: read `usageRecords` for them. Later ones follow.",
)
class UsageGap:
    reason: GapReason
    after_batch: BigInt = attribute(description="Up to this settlement batch nothing is missing.")
    until_batch: BigInt = attribute(description="From after this batch on nothing is missing.")

    @classmethod
    def of(cls, missed: Missed) -> Self:
        return cls(
            reason=missed.reason,
            after_batch=BigInt(missed.after),
            until_batch=BigInt(missed.until),
        )


UsageFeedItem = Annotated[
    UsageEvent | UsageGap,
    strawberry.union("UsageFeedItem", description="What `usageEvents` tells."),
]


def _cursor(position: Position) -> str:
    return urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def position_of(cursor: str) -> Position:
    """Raises InvalidInput for what is no cursor of ours."""
    try:
        raw = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        batch, id = msgspec.json.decode(raw, type=tuple[int, uuid.UUID])
    except (ValueError, msgspec.MsgspecError):
        batch, id = 0, uuid.UUID(int=0)
    if not 0 < batch < _TOO_MANY:
        raise InvalidInput("after", "This is not a cursor of this feed.")
    return Position(batch, id)
