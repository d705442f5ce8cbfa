"""What is wrong with a rule set, or worth a second look: everything at once."""

from collections.abc import Iterator, Mapping

import msgspec

from db.queries import rule as queries
from db.queries.rule import RuleHolder
from db.session import AsyncSession
from domain import checks
from domain.errors import InvalidInput
from domain.routing.score import WHOLE
from domain.rule_aliases import Names, check_aliases
from domain.rule_findings import (
    Catalogue,
    Finding,
    FindingCode,
    Severity,
    catalogue_of,
    error,
    warning,
)
from domain.ruleset import SETTABLE, RuleBody, RuleScope, Ruleset, Strategy, Weights, override

MOST_ALIASES = 200
MOST_NAMES = 50
"""Targets, or fallbacks, of one alias or of the rule set."""
MOST_REGIONS = 50
MOST_ATTEMPTS = 10
LONGEST_REGION = 64
_DEAREST = 1_000_000 * 10**9
_CAMEL = {
    "default_level": "defaultLevel",
    "eco_below": "ecoBelow",
    "precision_from": "precisionFrom",
    "max_attempts": "maxAttempts",
    "priority_tiers": "priorityTiers",
    "content_filter_fallback": "contentFilterFallback",
}


def check_size(body: RuleBody) -> None:
    """That it may be kept at all, as a draft too. Raises InvalidInput."""
    if len(body.aliases) > MOST_ALIASES:
        raise InvalidInput("aliases", f"At most {MOST_ALIASES}.")
    lists = [("fallbacks", body.fallbacks or ())]
    for index, (name, alias) in enumerate(body.aliases.items()):
        if len(name) > checks.LONGEST_TOKEN:
            raise InvalidInput(f"aliases.{index}.name", "Use 1-100 characters.")
        lists.append((f"aliases.{index}.targets", alias.targets))
        lists.append((f"aliases.{index}.fallbacks", alias.fallbacks))
    for field, names in lists:
        if len(names) > MOST_NAMES:
            raise InvalidInput(field, f"At most {MOST_NAMES}.")
        for name in names:
            checks.token(field, name)
    if len(body.regions or ()) > MOST_REGIONS:
        raise InvalidInput("regions", f"At most {MOST_REGIONS}.")
    for region in body.regions or ():
        checks.line("regions", region, LONGEST_REGION)


async def inspect(
    session: AsyncSession, body: RuleBody, holder: RuleHolder, base: Ruleset, *, everything: bool
) -> list[Finding]:
    """What is found, errors first. `base` is what the holder inherits; `everything`: models that
    are switched off may be told of. Raises InvalidInput for what could not even be kept."""
    check_size(body)
    scope, narrower = RuleScope(holder.scope), dict[str, RuleBody]()
    if scope is RuleScope.GLOBAL:
        rows = await queries.aliases_of_organizations(session)
        narrower = {row.slug: msgspec.convert(row.body, RuleBody) for row in rows}
    names = {*body.aliases, *(body.fallbacks or ())}
    for aliases in (base.aliases, body.aliases, *(each.aliases for each in narrower.values())):
        for alias in aliases.values():
            names |= {*alias.targets, *alias.fallbacks}
    models = await queries.models_named(session, names, disabled=everything)
    regions = await queries.regions_served(session) if body.regions else set()
    catalogue = catalogue_of(models, regions)
    found = [*findings(body, scope, base, catalogue), *_broken(body, narrower, catalogue)]
    return sorted(found, key=lambda one: one.severity is not Severity.ERROR)


def _broken(
    body: RuleBody, narrower: Mapping[str, RuleBody], catalogue: Catalogue
) -> Iterator[Finding]:
    """Organisations' aliases that would lead nowhere with these rules: their requests are refused
    then, and they hear of it last."""
    for slug, theirs in narrower.items():
        names = Names({**body.aliases, **theirs.aliases}, catalogue)
        for name, alias in theirs.aliases.items():
            faults = (*names.ends("aliases", name), *names.targets("aliases", alias.targets, name))
            first = next((one for one in faults if one.severity is Severity.ERROR), None)
            if first is not None:
                said = f"The alias `{name}` of the organisation `{slug}` breaks: {first.message}"
                yield warning(FindingCode.BREAKS_ORGANIZATION, "aliases", said)


def findings(
    body: RuleBody, scope: RuleScope, base: Ruleset, catalogue: Catalogue
) -> Iterator[Finding]:
    for field in RuleBody.__struct_fields__:
        if field not in SETTABLE[scope] and getattr(body, field) not in (None, {}):
            said = f"The rules of one {scope.lower()} do not decide this."
            yield error(FindingCode.NOT_IN_SCOPE, _CAMEL.get(field, field), said)
    decided = override(base, body, scope, 0)
    yield from _weights(body, base, decided)
    yield from _attempts(body, scope, base, decided)
    yield from _bands(body, scope)
    yield from _regions(body, base, catalogue)
    yield from check_aliases(body, base, catalogue)


def _weights(body: RuleBody, base: Ruleset, decided: Ruleset) -> Iterator[Finding]:
    weights = body.weights
    if weights is None:
        if body.strategy is Strategy.CUSTOM and "weights" not in base.origins:
            yield error(FindingCode.WEIGHTS, "weights", "CUSTOM needs weights.")
        return
    yield from _sum(weights)
    strategies = {decided.strategy, *(alias.strategy for alias in decided.aliases.values())}
    if Strategy.CUSTOM not in strategies:
        said = f"Only CUSTOM uses weights; the strategy is {decided.strategy}."
        yield warning(FindingCode.UNUSED, "weights", said)


def _sum(weights: Weights) -> Iterator[Finding]:
    parts = msgspec.structs.asdict(weights)
    outside = [name for name, value in parts.items() if not 0 <= value <= WHOLE]
    for name in outside:
        said = f"Use a number from 0 to {WHOLE}."
        yield error(FindingCode.WEIGHTS, f"weights.{name}", said)
    total = sum(parts.values())
    if total != WHOLE and not outside:
        said = f"Weights sum to {WHOLE}, which is 100 %; these to {total}."
        yield error(FindingCode.WEIGHTS, "weights", said)


def _attempts(
    body: RuleBody, scope: RuleScope, base: Ruleset, decided: Ruleset
) -> Iterator[Finding]:
    attempts = body.max_attempts
    if attempts is not None and not 1 <= attempts <= MOST_ATTEMPTS:
        said = f"Use a number from 1 to {MOST_ATTEMPTS}."
        yield error(FindingCode.OUT_OF_RANGE, "maxAttempts", said)
    elif attempts is not None and scope is not RuleScope.GLOBAL and attempts > base.max_attempts:
        said = f"At most {base.max_attempts} here: the wider rules allow no more."
        yield error(FindingCode.BEYOND_SCOPE, "maxAttempts", said)
    if decided.max_attempts == 1 and body.fallbacks:
        said = "With maxAttempts 1 they serve only where no other model may."
        yield warning(FindingCode.SHADOWED, "fallbacks", said)


def _bands(body: RuleBody, scope: RuleScope) -> Iterator[Finding]:
    if scope is not RuleScope.GLOBAL:
        return
    for field, value in (("ecoBelow", body.eco_below), ("precisionFrom", body.precision_from)):
        if value is not None and not 0 < value <= _DEAREST:
            said = "Use a price above 0 and up to $1,000,000 per 1M tokens."
            yield error(FindingCode.LEVEL_BANDS, field, said)
    decided = override(Ruleset(), body, RuleScope.GLOBAL, 0)
    if decided.eco_below >= decided.precision_from:
        field = "ecoBelow" if body.eco_below is not None else "precisionFrom"
        said = "ECO must end below the price from which PRECISION begins."
        yield error(FindingCode.LEVEL_BANDS, field, said)


def _regions(body: RuleBody, base: Ruleset, catalogue: Catalogue) -> Iterator[Finding]:
    regions = body.regions
    if regions is None:
        return
    if not regions:
        said = "Name a region, or leave it out for any."
        yield error(FindingCode.EMPTY, "regions", said)
    if len(set(regions)) < len(regions):
        yield error(FindingCode.DUPLICATE, "regions", "A region is given twice.")
    for region in dict.fromkeys(regions):
        if base.regions is not None and region not in base.regions:
            said = f"`{region}` is not among the regions that the wider rules allow."
            yield error(FindingCode.BEYOND_SCOPE, "regions", said)
        elif region not in catalogue.regions:
            said = f"No provider says that it is in `{region}`."
            yield warning(FindingCode.UNKNOWN_REGION, "regions", said)
