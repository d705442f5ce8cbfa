"""Routing rules: what is in force, what each version said, and what is being prepared."""

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import rule as queries
from db.queries.rule import RuleHolder, RuleQuery
from domain.reach import reach_of
from domain.rule_view import View, body_of
from domain.ruleset import RuleBody, Ruleset, override
from schema.context import Context, Info
from schema.enums import RuleScope, RuleState
from schema.fields import attribute, edge, object_type
from schema.listing import Listing
from schema.node import Node, global_id
from schema.organization import Organization
from schema.pagination import OrderDirection
from schema.rule_settings import RoutingField, RoutingSettings, RuleOrigin, origins_of, sees
from schema.user import User


@object_type(Policy.SELF, description="One published rule set; it never changes again.")
class RoutingRuleVersion(Node):
    author_key: strawberry.Private[uuid.UUID | None]
    scope: RuleScope
    version: int
    state: RuleState
    note: str | None
    published_at: datetime | None
    settings: RoutingSettings = attribute(description="With what it leaves out as its default.")
    decides: list[RoutingField] = attribute(
        description="Which fields it sets itself.", size=len(RoutingField)
    )

    @classmethod
    def of(cls, row: Row) -> Self:
        body, scope = body_of(row), RuleScope(row.scope)
        return cls(
            id=global_id("RoutingRuleVersion", row.id),
            author_key=row.author_id,
            scope=scope,
            version=row.version,
            state=RuleState(row.state),
            note=row.note,
            published_at=row.published_at,
            settings=RoutingSettings.of(override(Ruleset(), body, scope, row.version)),
            decides=decided(body),
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.rules_by_id(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Who published it, as far as the caller may see them.",
        graphql_type=User | None,
    )
    def author(self, info: Info) -> Awaitable[User | None] | None:
        return None if self.author_key is None else info.context.load(User.fetch, self.author_key)


def decided(body: RuleBody) -> list[RoutingField]:
    return [field for field in RoutingField if getattr(body, field) not in (None, {})]


@object_type(Policy.SELF, description="Rules that are being prepared; not in force.")
class RoutingDraft:
    author_key: strawberry.Private[uuid.UUID | None]
    base_version: int = attribute(description="The version in force that it was made on; 0: none.")
    is_stale: bool = attribute(
        description="Whether another version is in force by now, so that it cannot be published."
    )
    revision: int = attribute(description="How often it was saved.")
    note: str | None
    updated_at: datetime
    settings: RoutingSettings = attribute(description="As they would hold, once published.")
    decides: list[RoutingField] = attribute(
        description="Which fields it sets itself.", size=len(RoutingField)
    )

    @classmethod
    def of(cls, context: Context, row: Row, base: Ruleset, version: int) -> Self:
        """`base` is what it would inherit, `version` the one in force."""
        body = body_of(row)
        rules = override(base, body, RuleScope(row.scope), 0)
        return cls(
            author_key=row.author_id,
            base_version=row.base_version,
            is_stale=row.base_version != version,
            revision=row.revision,
            note=row.note,
            updated_at=row.updated_at,
            settings=RoutingSettings.of(rules, sees(context, rules)),
            decides=decided(body),
        )

    @edge(
        description="Who saved it last, as far as the caller may see them.",
        graphql_type=User | None,
    )
    def author(self, info: Info) -> Awaitable[User | None] | None:
        return None if self.author_key is None else info.context.load(User.fetch, self.author_key)


@object_type(Policy.SELF, description="The rules of one scope, with what they inherit.")
class RoutingRules:
    holder_key: strawberry.Private[uuid.UUID | None]
    scope: RuleScope
    version: int = attribute(description="0 as long as nothing was published.")
    settings: RoutingSettings = attribute(
        description="As they hold here: what is not set comes from wider rules, or is a default."
    )
    decides: list[RoutingField] = attribute(
        description="Which fields these rules set themselves.", size=len(RoutingField)
    )
    origins: list[RuleOrigin] = attribute(
        description="Where each field's value comes from; an alias says it itself.",
        size=len(RoutingField),
    )
    live: RoutingRuleVersion | None = attribute(description="The version in force.")
    draft: RoutingDraft | None = attribute(description="What is being prepared.")

    @classmethod
    def of(cls, context: Context, view: View) -> Self:
        base, holder, draft = view.base, view.line[-1], view.draft
        rules, row = base, view.live.get(holder)
        if row is not None:
            rules = override(base, body_of(row), RuleScope(holder.scope), row.version)
        return cls(
            holder_key=holder.id,
            scope=RuleScope(holder.scope),
            version=view.version,
            settings=RoutingSettings.of(rules, sees(context, rules)),
            decides=[] if row is None else decided(body_of(row)),
            origins=origins_of(rules),
            live=None if row is None else RoutingRuleVersion.of(row),
            draft=None if draft is None else RoutingDraft.of(context, draft, base, view.version),
        )

    @edge(description="Whose, with the scope ORGANIZATION.", graphql_type=Organization | None)
    def organization(self, info: Info) -> Awaitable[Organization | None] | None:
        if self.scope is not RuleScope.ORGANIZATION or self.holder_key is None:
            return None
        return info.context.load(Organization.fetch, self.holder_key)


@object_type(
    Policy.SELF,
    description="What a person's requests are routed by: the installation's rules, overridden"
    " field by field by their organisation's, then by their own.",
)
class EffectiveRoutingRules:
    settings: RoutingSettings
    origins: list[RuleOrigin] = attribute(
        description="Where each field's value comes from; an alias says it itself.",
        size=len(RoutingField),
    )

    @classmethod
    def of(cls, context: Context, rules: Ruleset) -> Self:
        return cls(
            settings=RoutingSettings.of(rules, sees(context, rules)), origins=origins_of(rules)
        )


@strawberry.input(description="Which versions; what is left out does not narrow.")
class RoutingRuleVersionFilter:
    states: list[RuleState] | None = None


@strawberry.enum(description="What versions are ordered by.")
class RoutingRuleVersionOrderField(StrEnum):
    VERSION = "VERSION"


@strawberry.input(description="In which order versions come.")
class RoutingRuleVersionOrder:
    field: RoutingRuleVersionOrderField = RoutingRuleVersionOrderField.VERSION
    direction: OrderDirection = OrderDirection.DESC


def versions_asked(
    holder: RuleHolder,
    filter: RoutingRuleVersionFilter | None,
    order: RoutingRuleVersionOrder | None,
) -> RuleQuery:
    """Filter and order as the query's own value; the newest come first."""
    states = None if filter is None or filter.states is None else tuple(filter.states)
    return RuleQuery(holder, states, order is None or order.direction is OrderDirection.DESC)


def _plan(context: Context, asked: RuleQuery) -> tuple[Listed, Ordering]:
    return queries.rules(asked)


VERSIONS = Listing(_plan, RoutingRuleVersion.of)
