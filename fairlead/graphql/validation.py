"""Whether a document may run on a schema: the specification's rules, ended early where it may not.

The rules are graphql-core's and Strawberry's, but for the one that compares fields with each other.
Finding fault is to be as cheap as it can be, because whoever sends a faulty document pays little.
"""

from collections.abc import Mapping

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    ParallelVisitor,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    visit,
)
from graphql import validation as rules
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.validation import ASTValidationRule
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from fairlead.graphql.overlap import TooMany, conflict

MOST_ERRORS = 5
"""That are told: whoever has more reads the first ones."""
_MOST_SAID = 1_500
"""Characters of messages: each may repeat a whole input, and takes a millisecond to write."""

_FRAGMENTS = ("fragment", "...")
_NEEDS: Mapping[type[ASTValidationRule], tuple[str, ...]] = {
    rules.FragmentsOnCompositeTypesRule: _FRAGMENTS,
    rules.KnownFragmentNamesRule: _FRAGMENTS,
    rules.NoFragmentCyclesRule: _FRAGMENTS,
    rules.NoUnusedFragmentsRule: _FRAGMENTS,
    rules.PossibleFragmentSpreadsRule: _FRAGMENTS,
    rules.UniqueFragmentNamesRule: _FRAGMENTS,
    rules.NoUndefinedVariablesRule: ("$",),
    rules.NoUnusedVariablesRule: ("$",),
    rules.UniqueVariableNamesRule: ("$",),
    rules.VariablesAreInputTypesRule: ("$",),
    rules.VariablesInAllowedPositionRule: ("$",),
    rules.KnownDirectivesRule: ("@",),
    rules.UniqueDirectivesPerLocationRule: ("@",),
    rules.KnownArgumentNamesRule: ("(",),
    rules.UniqueArgumentNamesRule: ("(",),
    rules.UniqueInputFieldNamesRule: ("(",),
    rules.ValuesOfCorrectTypeRule: ("(",),
    MaybeNullValidationRule: ("(",),
    OneOfInputValidationRule: ("(",),
    rules.MaxIntrospectionDepthRule: ("__",),
    rules.SingleFieldSubscriptionsRule: ("subscription",),
}
"""What a text must hold for a rule to find anything: the others need not be asked."""
_NOT_ASKED = frozenset(
    {
        rules.OverlappingFieldsCanBeMergedRule,
        # The schema has neither @defer nor @stream.
        rules.DeferStreamDirectiveLabel,
        rules.DeferStreamDirectiveOnRootField,
        rules.DeferStreamDirectiveOnValidOperationsRule,
        rules.StreamDirectiveOnListField,
    }
)
_RULES = (
    *(rule for rule in rules.specified_rules if rule not in _NOT_ASKED),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)
_NAMES = frozenset({"description", "name", "alias"})
_KEYS = {
    kind: tuple(key for key in keys if key not in _NAMES)
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
"""What is looked into: no rule looks at a name by itself, and every other node is one."""


def faults(schema: GraphQLSchema, text: str, document: DocumentNode) -> list[GraphQLError]:
    """What is wrong with `document`, which is `text` parsed: at most `MOST_ERRORS`.

    It may run when that is nothing.
    """
    found: list[GraphQLError] = []
    said = 0

    def tell(error: GraphQLError) -> None:
        nonlocal said
        found.append(error)
        said += len(error.message)
        if len(found) >= MOST_ERRORS or said > _MOST_SAID:
            raise ValidationAbortedError("That is enough.")

    types = TypeInfo(schema)
    # Names like a wrong one take 170 ms to find where there are hundreds.
    context = ValidationContext(schema, document, types, tell, hide_suggestions=True)
    asked = [rule(context) for rule in _RULES if _has_to_do(rule, text)]
    try:
        visit(document, TypeInfoVisitor(types, ParallelVisitor(asked)), _KEYS)
        if not found:
            found += filter(None, [conflict(schema, document)])
    except (RecursionError, ValidationAbortedError, TooMany):
        # The budget of a rule may be used up before it has found anything.
        found = found or [GraphQLError("The document is too involved to be checked.")]
    return found


def _has_to_do(rule: type[ASTValidationRule], text: str) -> bool:
    needed = _NEEDS.get(rule)
    return needed is None or any(each in text for each in needed)
