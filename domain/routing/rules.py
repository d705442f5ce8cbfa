"""Which rules a request is decided by: the installation's, its organisation's and its caller's."""

import uuid

import msgspec

from domain.ruleset import RuleBody, RuleScope, Ruleset, ScopedRules, override
from domain.snapshot import Snapshot

_MOST_KEPT = 10_000


class _Effective(msgspec.Struct, frozen=True):
    """Put together once for a snapshot; by organisation and person that have rules of their own."""

    known: dict[tuple[uuid.UUID | None, uuid.UUID | None], Ruleset]


def ruleset_of(
    snapshot: Snapshot, organization_id: uuid.UUID | None, user_id: uuid.UUID | None
) -> Ruleset:
    """The installation's rules, overridden by the organisation's, then by the person's."""
    scoped = snapshot.scoped
    if not scoped:
        return snapshot.ruleset
    theirs = scoped.get(organization_id) if organization_id else None
    own = scoped.get(user_id) if user_id else None
    if theirs is None and own is None:
        return snapshot.ruleset
    key = (organization_id if theirs else None, user_id if own else None)
    kept = snapshot.derived.get(_Effective)
    if kept is None:
        kept = snapshot.derived[_Effective] = _Effective({})
    found: Ruleset | None = kept.known.get(key)
    if found is None:
        found = snapshot.ruleset
        for rules in (theirs, own):
            if rules is not None:
                found = override(found, rules.body, rules.scope, rules.version)
        if len(kept.known) >= _MOST_KEPT:
            kept.known.clear()
        kept.known[key] = found
    return found


def governed(
    snapshot: Snapshot, organization_id: uuid.UUID | None, user_id: uuid.UUID | None
) -> Snapshot:
    """The snapshot as it holds for them: itself, or with their rules and all else shared.

    Price bands are the same for everybody, so that what was worked out of the catalogue stays true.
    """
    ruleset = ruleset_of(snapshot, organization_id, user_id)
    if ruleset is snapshot.ruleset:
        return snapshot
    theirs = msgspec.structs.replace(snapshot, ruleset=ruleset)
    theirs.__dict__["derived"] = snapshot.derived
    return theirs


def proposed(
    snapshot: Snapshot, scope: RuleScope, holder: uuid.UUID | None, body: RuleBody
) -> Snapshot:
    """The snapshot as it would be were `body` in force for `holder` (None: the installation), as
    version 0. Nothing is kept with the snapshot that is served from."""
    if scope is RuleScope.GLOBAL or holder is None:
        changed = msgspec.structs.replace(
            snapshot, ruleset=override(Ruleset(), body, RuleScope.GLOBAL, 0)
        )
    else:
        scoped = {**snapshot.scoped, holder: ScopedRules(scope, 0, body)}
        changed = msgspec.structs.replace(snapshot, scoped=scoped)
    was, will = snapshot.ruleset, changed.ruleset
    if (was.eco_below, was.precision_from) == (will.eco_below, will.precision_from):
        # What was worked out of the catalogue stays true under the same price bands.
        shared = {kind: made for kind, made in snapshot.derived.items() if kind is not _Effective}
        changed.__dict__["derived"] = shared
    return changed


def holders(
    snapshot: Snapshot, organization_id: uuid.UUID | None, user_id: uuid.UUID | None
) -> str | None:
    """Whose rules of their own take part, None for nobody's."""
    if not snapshot.scoped:
        return None
    found = [str(id) for id in (organization_id, user_id) if id in snapshot.scoped]
    return "|".join(found) or None
