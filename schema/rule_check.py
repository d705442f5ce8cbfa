"""What a client hears of rules before they are published: findings, and what would change."""

from typing import Annotated, Self

import msgspec
import strawberry

from auth.policies import Policy
from domain.rule_checks import MOST_ALIASES
from domain.rule_diff import Difference, Side, differences
from domain.rule_findings import Finding, FindingCode, Severity
from domain.ruleset import Alias, Ruleset, Weights, alias_field
from schema.context import Context
from schema.enums import RuleScope
from schema.fields import attribute, edge, object_type
from schema.rule_input import RoutingRulesInput
from schema.rule_settings import RoutingField, RuleOrigin, Sees, sees
from schema.scalars import JSON, usd_text

MOST_FINDINGS = 100
MOST_CHANGES = len(RoutingField) + 2 * MOST_ALIASES
_MONEY = frozenset({"eco_below", "precision_from"})

strawberry.enum(
    Severity, name="FindingSeverity", description="ERROR keeps rules from being published."
)
strawberry.enum(
    FindingCode,
    description="What is the matter with rules; stable, for programs. BREAKS_ORGANIZATION: an"
    " organisation's alias would lead nowhere.",
)


@object_type(Policy.SELF, description="Something about rules that is wrong, or worth a look.")
class RoutingFinding:
    severity: Severity
    code: FindingCode
    field: str = attribute(
        description="The input field, in camelCase; dots lead into nested inputs. The aliases of a"
        " draft are counted in the order of their names."
    )
    alias: str | None = attribute(description="Which alias, when it is about one.")
    message: str

    @classmethod
    def of(cls, found: Finding) -> Self:
        return cls(
            severity=found.severity,
            code=found.code,
            field=found.field,
            alias=found.alias,
            message=found.message,
        )


@object_type(Policy.SELF, description="Everything that was found at once, errors first.")
class RoutingValidation:
    is_publishable: bool = attribute(description="Whether there is no error.")
    errors: int
    warnings: int
    findings: list[RoutingFinding] = attribute(
        description=f"The first {MOST_FINDINGS}.", size=MOST_FINDINGS
    )

    @classmethod
    def of(cls, found: list[Finding]) -> Self:
        errors = sum(one.severity is Severity.ERROR for one in found)
        return cls(
            is_publishable=errors == 0,
            errors=errors,
            warnings=len(found) - errors,
            findings=[RoutingFinding.of(one) for one in found[:MOST_FINDINGS]],
        )


@strawberry.input(description="Which rules to check.")
class ValidateRoutingRulesInput:
    scope: RuleScope = RuleScope.GLOBAL
    organization: strawberry.ID | None = strawberry.field(
        default=None, description="With ORGANIZATION; by default the caller's own."
    )
    rules: RoutingRulesInput | None = strawberry.field(
        default=None, description="By default those of the draft."
    )


@object_type(Policy.SELF, description="One field or alias, as it is and as it would be.")
class RoutingChange:
    field: RoutingField
    alias: str | None = attribute(description="Which alias, when it is about one.")
    old: JSON | None = attribute(
        description="As an input would say it; null: any, or no such alias."
    )
    new: JSON | None = attribute(
        description="As an input would say it; null: any, or no such alias."
    )
    old_origin: RuleOrigin
    new_origin: RuleOrigin

    @classmethod
    def of(cls, found: Difference, old: Sees, new: Sees) -> Self:
        """`old` and `new` say what the caller may see on either side."""
        return cls(
            field=RoutingField(found.field),
            alias=found.alias,
            old=_value(found, found.old, old),
            new=_value(found, found.new, new),
            old_origin=RuleOrigin.of(found.field, found.old, found.alias),
            new_origin=RuleOrigin.of(found.field, found.new, found.alias),
        )


@object_type(
    Policy.SELF,
    description="What differs, field by field. A value that stays but would be decided elsewhere"
    " differs too, because it would no longer follow the wider rules.",
)
class RoutingRulesDiff:
    found: strawberry.Private[list[RoutingChange]]
    from_version: int = attribute(description="On the old side; 0: before the first.")
    to_version: int | None = attribute(description="On the new side; null: the draft.")
    total: int = attribute(description="How many changes there are.")

    @classmethod
    def of(
        cls, context: Context, old: tuple[int, Ruleset], new: tuple[int | None, Ruleset]
    ) -> Self:
        before, after = sees(context, old[1]), sees(context, new[1])
        found = [RoutingChange.of(one, before, after) for one in differences(old[1], new[1])]
        return cls(found=found, from_version=old[0], to_version=new[0], total=len(found))

    @edge(
        description="Fields first, then aliases by name.",
        graphql_type=list[RoutingChange],
    )
    def changes(
        self,
        first: Annotated[int, strawberry.argument(description=f"At most {MOST_CHANGES}.")] = 50,
    ) -> list[RoutingChange]:
        return self.found[: min(max(first, 0), MOST_CHANGES)]


def _value(found: Difference, side: Side, sees: Sees) -> JSON | None:
    """As an input would say it, without names the caller may not see."""
    value = side.value
    if value is None:
        return None
    if found.field in _MONEY:
        return JSON(usd_text(value))
    if isinstance(value, Weights):
        return JSON(msgspec.structs.asdict(value))
    if isinstance(value, Alias):
        name = alias_field(found.alias or "")
        return JSON(
            {
                "targets": [each for each in value.targets if sees(name, each)],
                "fallbacks": [each for each in value.fallbacks if sees(name, each)],
                "strategy": value.strategy,
            }
        )
    if isinstance(value, tuple):
        return JSON(
            [each for each in value if found.field != "fallbacks" or sees("fallbacks", each)]
        )
    return JSON(value)
