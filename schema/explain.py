"""What a client may say to have a request explained without sending it."""

import time

import msgspec
import strawberry
from uuid_utils.compat import uuid7

from domain.errors import InvalidInput
from domain.person import Person
from domain.request import RequestFacts
from domain.tokens import Count
from schema.context import Context
from schema.enums import Capability, Modality, RuleScope
from schema.rule_input import RoutingRulesInput
from schema.scalars import JSON

LONGEST_NAME = 300
_MOST_TOKENS = 2**31 - 1


@strawberry.input(
    description="Rules that are not in force, of a scope the caller governs. They are refused as"
    " publishing them would be; a decision shows them as version 0."
)
class ProposedRulesInput:
    scope: RuleScope = RuleScope.GLOBAL
    organization: strawberry.ID | None = strawberry.field(
        default=None, description="With ORGANIZATION; by default the caller's own."
    )
    rules: RoutingRulesInput | None = strawberry.field(
        default=None, description="By default those of the draft."
    )


@strawberry.input(description="A request to `/v1`, as far as routing looks at it.")
class ExplainRouteInput:
    model: str = strawberry.field(
        description="A reference, a bare model name, an alias, `auto` or `auto:<level>`."
    )
    input_tokens: int | None = strawberry.field(
        default=None, description="Either these or `messages`."
    )
    messages: JSON | None = strawberry.field(
        default=None, description="As the request would carry them; counted, never kept."
    )
    max_tokens: int | None = None
    stream: bool = False
    needs: list[Capability] = strawberry.field(
        default_factory=list, description="Capabilities the request would make use of."
    )
    modalities: list[Modality] = strawberry.field(
        default_factory=list, description="Kinds of content besides text."
    )
    session: str | None = strawberry.field(
        default=None, description="What keeps a conversation on one model, if anything."
    )
    as_user: strawberry.ID | None = strawberry.field(
        default=None, description="Administrators: as a request of this person's."
    )
    as_organization: strawberry.ID | None = strawberry.field(
        default=None,
        description="Administrators: for whom the person acts. Without `asUser`: as a member"
        " without keys or rules of their own.",
    )
    every_candidate: bool = strawberry.field(
        default=False, description="Keep up to 100 candidates, where a served request keeps 8."
    )

    proposed: ProposedRulesInput | None = strawberry.field(
        default=None,
        description="As if these rules were in force; by default by those that are. To have"
        " another organisation's explained, name it in `asOrganization` too.",
    )

    def facts(self, context: Context, person: Person) -> RequestFacts:
        """The facts of such a request sent now by `person`. Raises InvalidInput."""
        if not 0 < len(self.model) <= LONGEST_NAME:
            raise InvalidInput("model", f"Use 1-{LONGEST_NAME} characters.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InvalidInput("maxTokens", "At least 1.")
        counted = self._counted(context)
        modalities = frozenset(self.modalities) | {Modality.TEXT}
        images = {Capability.VISION} if Modality.IMAGE in modalities else set()
        return RequestFacts(
            id=uuid7(),
            now=time.time(),
            model=self.model,
            user_id=person.user_id,
            input_tokens=counted.tokens,
            input_estimated=counted.estimated,
            max_tokens=self.max_tokens,
            stream=self.stream,
            needs=frozenset(self.needs) | images,
            modalities=modalities,
            organization_id=person.organization_id,
            level=person.level,
            allowed_models=person.allowed_models,
            session=None if self.session is None else f"{person.user_id}:{self.session}",
        )

    def _counted(self, context: Context) -> Count:
        if (self.input_tokens is None) == (self.messages is None):
            raise InvalidInput("inputTokens", "Give `inputTokens` or `messages`.")
        if self.input_tokens is None:
            return context.counter.count(msgspec.json.encode(self.messages))
        if not 0 <= self.input_tokens <= _MOST_TOKENS:
            raise InvalidInput("inputTokens", "Not below 0.")
        return Count(self.input_tokens, False)
