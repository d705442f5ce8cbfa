"""What we do when somebody limits what may be used."""

import strawberry

from auth.policies import Policy
from domain import limits as domain
from domain.errors import NotFound
from domain.limiting import set_limits
from domain.limits import LimitOwner
from schema.context import Info
from schema.fields import mutation_field
from schema.inputs import given
from schema.limits import Limits, SetLimitsInput, SetLimitsPayload, SetLimitsResult
from schema.node import parse_id

_OWNERS = {
    "ApiKey": LimitOwner.API_KEY,
    "User": LimitOwner.USER,
    "Organization": LimitOwner.ORGANIZATION,
}


@strawberry.type
class LimitsMutation:
    @mutation_field(
        Policy.SELF,
        description="Limit what a key, a person or an organisation may use: in force everywhere"
        " within three seconds.",
        graphql_type=SetLimitsResult,
    )
    async def set_limits(self, info: Info, input: SetLimitsInput) -> SetLimitsPayload:
        parsed = parse_id(input.owner)
        kind = None if parsed is None else _OWNERS.get(parsed[0])
        if parsed is None or kind is None:
            raise NotFound("There is nothing of this id whose limits you may set.")
        patch = given(input.limits, *domain.Limits.__struct_fields__)
        async with info.context.change() as session:
            limits = await set_limits(session, info.context.caller, kind, parsed[1], patch)
        return SetLimitsPayload(limits=Limits.of(limits))
