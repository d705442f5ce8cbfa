"""The rules of routing rules: what may be published, and how a version replaces another."""

import uuid
from collections.abc import Mapping, Sequence

import msgspec
from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import rule as queries
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.configuration import override
from domain.errors import Conflict, InvalidInput, NotFound
from domain.routing.resolve import AUTO, DEEPEST, level_named
from domain.routing.score import WHOLE
from domain.ruleset import Alias, RuleBody, RuleScope, Ruleset, Strategy, Weights

MOST_ALIASES = 200
MOST_NAMES = 50
"""Targets, or fallbacks, of one alias or of the rule set."""
MOST_ATTEMPTS = 10
_LONGEST_NOTE = 500
_DEAREST = 1_000_000 * 10**9


async def publish_rules(
    session: AsyncSession,
    author_id: uuid.UUID,
    body: RuleBody,
    *,
    expected_version: int | None,
    note: str | None,
) -> Row:
    """Put `body` in force for everybody from the commit on; the version before it is kept.

    Raises InvalidInput naming the field, Conflict when `expected_version` (0: none yet) is stale.
    """
    check_body(body)
    await _check_names(session, body)
    return await _replace(session, AuditAction.PUBLISH, author_id, body, expected_version, note)


async def roll_back_rules(
    session: AsyncSession,
    author_id: uuid.UUID,
    version: int,
    *,
    expected_version: int | None,
    note: str | None,
) -> Row:
    """A new version that says what `version` said.

    Names that are gone since are passed over when a request is routed, so that going back is
    possible when it is needed most.
    """
    row = await queries.rule_by_version(session, RuleScope.GLOBAL, version)
    if row is None:
        raise NotFound(f"There is no version {version}.")
    body = msgspec.convert(row.body, RuleBody)
    said = note or f"Back to version {version}."
    return await _replace(session, AuditAction.ROLL_BACK, author_id, body, expected_version, said)


async def _replace(
    session: AsyncSession,
    action: AuditAction,
    author_id: uuid.UUID,
    body: RuleBody,
    expected_version: int | None,
    note: str | None,
) -> Row:
    await queries.lock_rules(session)
    live = await queries.live_rule(session, RuleScope.GLOBAL)
    version = 0 if live is None else live.version
    if expected_version is not None and expected_version != version:
        raise Conflict(
            f"The rules are at version {version}, not {expected_version}: read them anew."
        )
    values = {
        "id": uuid7(),
        "body": msgspec.to_builtins(body),
        "note": None if note is None else checks.line("note", note, _LONGEST_NOTE),
        "author_id": author_id,
    }
    row = await queries.replace_live_rule(session, RuleScope.GLOBAL, values)
    await record(
        session,
        action,
        AuditObject.ROUTING_RULE_VERSION,
        row.id,
        before=None if live is None else {"version": version, "body": live.body},
        after={"version": row.version, "body": row.body, "note": row.note},
    )
    return row


def aliases_of(named: Sequence[tuple[str, Alias]]) -> dict[str, Alias]:
    """Aliases by name. Raises InvalidInput for a name given twice."""
    found: dict[str, Alias] = {}
    for index, (name, alias) in enumerate(named):
        if name in found:
            raise InvalidInput(f"aliases.{index}.name", f"There are two aliases `{name[:100]}`.")
        found[name] = alias
    return found


def check_body(body: RuleBody) -> None:
    """All that can be told without the catalogue. Raises InvalidInput for the first fault."""
    if body.weights is not None:
        _check_weights(body.weights)
    elif body.strategy is Strategy.CUSTOM:
        raise InvalidInput("weights", "CUSTOM needs weights.")
    if body.max_attempts is not None:
        checks.between("maxAttempts", body.max_attempts, 1, MOST_ATTEMPTS)
    _check_levels(body)
    if len(body.aliases) > MOST_ALIASES:
        raise InvalidInput("aliases", f"At most {MOST_ALIASES}.")
    for index, (name, alias) in enumerate(body.aliases.items()):
        _check_alias(f"aliases.{index}", name, alias)
    _check_list("fallbacks", body.fallbacks or ())
    _check_ends(body.aliases)


def _check_weights(weights: Weights) -> None:
    parts = msgspec.structs.asdict(weights)
    for name, value in parts.items():
        checks.between(f"weights.{name}", value, 0, WHOLE)
    total = sum(parts.values())
    if total != WHOLE:
        raise InvalidInput("weights", f"Weights sum to {WHOLE}, which is 100 %; these to {total}.")


def _check_levels(body: RuleBody) -> None:
    for field, value in (("ecoBelow", body.eco_below), ("precisionFrom", body.precision_from)):
        if value is not None and not 0 < value <= _DEAREST:
            raise InvalidInput(field, "Use a price above 0 and up to $1,000,000 per 1M tokens.")
    decided = override(Ruleset(), body, RuleScope.GLOBAL, 0)
    if decided.eco_below >= decided.precision_from:
        field = "ecoBelow" if body.eco_below is not None else "precisionFrom"
        raise InvalidInput(field, "ECO must end below the price from which PRECISION begins.")


def _check_alias(field: str, name: str, alias: Alias) -> None:
    checks.token(f"{field}.name", name, 100)
    if "/" in name:
        raise InvalidInput(f"{field}.name", "A slash is for references: `provider/model`.")
    if is_auto(name.lower()):
        raise InvalidInput(f"{field}.name", f"`{AUTO}` has a meaning already.")
    if not alias.targets:
        raise InvalidInput(f"{field}.targets", "Name at least one model.")
    _check_list(f"{field}.targets", alias.targets)
    _check_list(f"{field}.fallbacks", alias.fallbacks)


def is_auto(name: str) -> bool:
    """Whether a request for `name` leaves the choice to the rules."""
    return name == AUTO or name.startswith(f"{AUTO}:")


def _check_list(field: str, names: Sequence[str]) -> None:
    if len(names) > MOST_NAMES:
        raise InvalidInput(field, f"At most {MOST_NAMES}.")
    if len(set(names)) < len(names):
        raise InvalidInput(field, "A name is given twice.")
    for name in names:
        checks.token(field, name)


def _check_ends(aliases: Mapping[str, Alias]) -> None:
    """Every alias reaches something: no circle, and no way longer than the planner follows."""
    lengths: dict[str, int] = {}

    def length(field: str, name: str, way: tuple[str, ...]) -> int:
        if name in way:
            circle = " → ".join((*way, name))
            raise InvalidInput(field, f"The alias leads back to itself: {circle}.")
        if name not in lengths:
            further = [one for one in aliases[name].targets if one in aliases]
            inside = (length(field, one, (*way, name)) for one in further)
            lengths[name] = 1 + max(inside, default=0)
        return lengths[name]

    for index, name in enumerate(aliases):
        if length(f"aliases.{index}.targets", name, ()) > DEEPEST:
            raise InvalidInput(f"aliases.{index}.targets", f"At most {DEEPEST} aliases in a row.")


async def _check_names(session: AsyncSession, body: RuleBody) -> None:
    """Every name is a model, an alias or, among targets, `auto`."""
    used = [("fallbacks", name, False) for name in body.fallbacks or ()]
    for index, alias in enumerate(body.aliases.values()):
        used += [(f"aliases.{index}.targets", name, True) for name in alias.targets]
        used += [(f"aliases.{index}.fallbacks", name, False) for name in alias.fallbacks]
    models = await queries.names_that_exist(session, {name for _, name, _ in used})
    reaching = _reaching(body.aliases, models)
    for field, name, is_target in used:
        if is_auto(name):
            if not is_target:
                raise InvalidInput(field, f"`{name}` is no fallback: name models.")
            _check_level(field, name)
        elif name in body.aliases and (is_target or name in reaching):
            continue
        elif name not in models:
            raise InvalidInput(field, f"`{name}` is no model, and no alias that leads to one.")


def _check_level(field: str, name: str) -> None:
    try:
        level_named(name)
    except InvalidInput as error:
        raise InvalidInput(field, error.message) from None


def _reaching(aliases: Mapping[str, Alias], models: set[str]) -> set[str]:
    """The aliases that lead to a model by name, which a fallback must."""
    found: set[str] = set()
    while True:
        more = {
            name
            for name, alias in aliases.items()
            if any(target in models or target in found for target in alias.targets)
        }
        if more <= found:
            return found
        found |= more
