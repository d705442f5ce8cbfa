"""What a request's `model` means: a deployment, any deployment of a model, an alias, or auto."""

import uuid
from collections.abc import Iterator
from difflib import get_close_matches

import msgspec

from domain.decision import Selection
from domain.errors import InvalidInput, ModelNotFound
from domain.request import RequestFacts
from domain.ruleset import PowerLevel, Strategy
from domain.snapshot import Deployment, Snapshot

AUTO = "auto"
DEEPEST = 16
"""Aliases of aliases, at most; a longer path is a mistake."""
_LONGEST_GUESS = 100
_NEAR = 3


class Resolution(msgspec.Struct):
    """Filled while aliases are followed; every first setting on the way counts.

    `said` tells which alias decided a field in place of the rule set. `auto` says that every model
    of `level` is a candidate besides the `named`.
    """

    selection: Selection
    named: dict[uuid.UUID, Deployment]
    chain: list[str]
    unresolved: list[str]
    auto: bool = False
    level: PowerLevel | None = None
    strategy: Strategy | None = None
    fallbacks: tuple[str, ...] = ()
    said: dict[str, str] = {}


def resolve(snapshot: Snapshot, facts: RequestFacts) -> Resolution:
    """Raises ModelNotFound, and InvalidInput for an alias that leads back to itself."""
    found = Resolution(_selection(snapshot, facts.model), {}, [], [])
    _follow(snapshot, facts.model, found, ())
    if found.level is None and found.auto:
        found.level = facts.level or snapshot.ruleset.default_level
    if not covers(facts, found):
        found.named = {
            key: deployment for key, deployment in found.named.items() if allows(facts, deployment)
        }
    if not found.named and not found.auto:
        raise ModelNotFound(facts.model, near(snapshot, facts))
    return found


def covers(facts: RequestFacts, found: Resolution) -> bool:
    """Whether the caller may use the name asked for, and with it all that it stands for."""
    allowed = facts.allowed_models
    return allowed is None or facts.model in allowed or not allowed.isdisjoint(found.chain)


def allows(facts: RequestFacts, deployment: Deployment) -> bool:
    """Whether the caller may use this deployment by one of its own names."""
    allowed = facts.allowed_models
    return (
        allowed is None
        or deployment.reference in allowed
        or deployment.name in allowed
        or deployment.canonical_name in allowed
    )


def level_named(model: str) -> PowerLevel | None:
    """The level of `auto:<level>`. Raises InvalidInput for a level there is none of."""
    _, colon, level = model.partition(":")
    if not colon:
        return None
    try:
        return PowerLevel(level.upper())
    except ValueError:
        levels = ", ".join(f"`{AUTO}:{level.lower()}`" for level in PowerLevel)
        raise InvalidInput("model", f"There is no level `{level[:40]}`: use {levels}.") from None


def near(snapshot: Snapshot, facts: RequestFacts) -> list[str]:
    """Names like the one asked for, among those the caller may use."""
    if len(facts.model) > _LONGEST_GUESS:
        return []
    return get_close_matches(facts.model, sorted(set(_names(snapshot, facts))), n=_NEAR)


def _names(snapshot: Snapshot, facts: RequestFacts) -> Iterator[str]:
    allowed = facts.allowed_models
    yield from (name for name in snapshot.ruleset.aliases if allowed is None or name in allowed)
    for deployment in snapshot.deployments.values():
        usable = deployment.enabled and deployment.provider.enabled
        if usable and allows(facts, deployment):
            yield deployment.reference
            yield deployment.name


def _is_auto(name: str) -> bool:
    return name == AUTO or name.startswith(f"{AUTO}:")


def _selection(snapshot: Snapshot, name: str) -> Selection:
    if name in snapshot.by_reference:
        return Selection.REFERENCE
    if _is_auto(name):
        return Selection.AUTO
    return Selection.ALIAS if name in snapshot.ruleset.aliases else Selection.NAME


def _follow(snapshot: Snapshot, name: str, found: Resolution, path: tuple[str, ...]) -> None:
    match _selection(snapshot, name):
        case Selection.REFERENCE:
            deployment = snapshot.by_reference[name]
            found.named[deployment.id] = deployment
        case Selection.AUTO:
            found.auto = True
            found.level = found.level or level_named(name)
        case Selection.NAME:
            deployments = snapshot.by_name.get(name, ())
            found.named.update((deployment.id, deployment) for deployment in deployments)
            if path and not deployments:
                found.unresolved.append(name)
        case Selection.ALIAS:
            _follow_alias(snapshot, name, found, path)


def _follow_alias(snapshot: Snapshot, name: str, found: Resolution, path: tuple[str, ...]) -> None:
    if name in path or len(path) == DEEPEST:
        way = " → ".join((*path, name))
        raise InvalidInput("model", f"The alias `{path[0]}` never reaches a model: {way}.")
    if name in found.chain:
        return
    alias = snapshot.ruleset.aliases[name]
    found.chain.append(name)
    if alias.strategy and not found.strategy:
        found.strategy, found.said["strategy"] = alias.strategy, name
    if alias.fallbacks and not found.fallbacks:
        found.fallbacks, found.said["fallbacks"] = alias.fallbacks, name
    for target in alias.targets:
        _follow(snapshot, target, found, (*path, name))


def expand(snapshot: Snapshot, name: str) -> Resolution:
    """The deployments a fallback stands for. Raises InvalidInput for an alias without an end."""
    found = Resolution(_selection(snapshot, name), {}, [], [])
    _follow(snapshot, name, found, ())
    return found
