"""What a client may say to change routing rules, and what it hears back."""

from typing import Annotated

import strawberry

from auth.policies import Policy
from schema.enums import RuleScope
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import attribute, object_type, result
from schema.rule import RoutingRules
from schema.rule_check import RoutingValidation
from schema.rule_input import RoutingRulesInput
from schema.scalars import BigInt

_NUMBER = "Of the configuration change: `configApplied` tells how many processes have applied it."


@strawberry.input
class RulesInput:
    scope: RuleScope = RuleScope.GLOBAL
    organization: strawberry.ID | None = strawberry.field(
        default=None, description="With ORGANIZATION; by default the caller's own."
    )
    expected_version: int | None = strawberry.field(
        default=None,
        description="Refuse when another version is in force; 0 is before the first.",
    )


@strawberry.input
class DraftInput(RulesInput):
    expected_revision: int | None = strawberry.field(
        default=None,
        description="Refuse when the draft was saved since; 0: refuse when there is one.",
    )


@strawberry.input(description="A whole rule set: what is left out, or null, is inherited.")
class SetRoutingRulesInput(RulesInput, RoutingRulesInput):
    note: str | None = strawberry.field(default=None, description="Why; kept with the version.")


@strawberry.input(
    description="A whole rule set: what is left out, or null, is inherited. With `expectedVersion`"
    " it counts as made on that version; without, a draft that is there stays on its own."
)
class SaveRoutingDraftInput(DraftInput, RoutingRulesInput):
    note: str | None = strawberry.field(
        default=None, description="Why; kept with the version when it is published."
    )


@strawberry.input(description="Whose draft to put in force.")
class PublishRoutingRulesInput(DraftInput):
    note: str | None = strawberry.field(default=None, description="By default the draft's.")


@strawberry.input(description="Whose draft to drop.")
class DiscardRoutingDraftInput(DraftInput):
    pass


@strawberry.input(description="Which version to publish anew.")
class RollbackRoutingRulesInput(RulesInput):
    version: int = strawberry.field(description="What it said is published anew.")
    note: str | None = strawberry.field(default=None, description="By default says which version.")


@object_type(Policy.SELF, description="The rules as they are now, for the next request on.")
class SetRoutingRulesPayload:
    rules: RoutingRules
    change_number: BigInt = attribute(description=_NUMBER)


@object_type(Policy.SELF, description="The rules as they are now, for the next request on.")
class PublishRoutingRulesPayload:
    rules: RoutingRules
    change_number: BigInt = attribute(description=_NUMBER)


@object_type(Policy.SELF, description="The rules as they are now, for the next request on.")
class RollbackRoutingRulesPayload:
    rules: RoutingRules
    change_number: BigInt = attribute(description=_NUMBER)


@object_type(Policy.SELF, description="The draft as it is kept; it may hold errors.")
class SaveRoutingDraftPayload:
    rules: RoutingRules
    validation: RoutingValidation


@object_type(Policy.SELF, description="The rules in force, which did not change.")
class DiscardRoutingDraftPayload:
    rules: RoutingRules


SetRoutingRulesResult = Annotated[
    SetRoutingRulesPayload | InvalidInputError | NotFoundError | ConflictError,
    result("SetRoutingRulesResult"),
]

SaveRoutingDraftResult = Annotated[
    SaveRoutingDraftPayload | InvalidInputError | NotFoundError | ConflictError,
    result("SaveRoutingDraftResult"),
]

PublishRoutingRulesResult = Annotated[
    PublishRoutingRulesPayload | InvalidInputError | NotFoundError | ConflictError,
    result("PublishRoutingRulesResult"),
]

DiscardRoutingDraftResult = Annotated[
    DiscardRoutingDraftPayload | InvalidInputError | NotFoundError | ConflictError,
    result("DiscardRoutingDraftResult"),
]

RollbackRoutingRulesResult = Annotated[
    RollbackRoutingRulesPayload | InvalidInputError | NotFoundError | ConflictError,
    result("RollbackRoutingRulesResult"),
]
