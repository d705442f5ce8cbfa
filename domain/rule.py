"""The rules of routing rules: how a draft is kept, and how a version replaces another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import rule as queries
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from domain.principal import Principal
from domain.rule_findings import Finding, Severity
from domain.rule_view import Lineage, View, body_of, look_at, validated
from domain.ruleset import Alias, RuleBody, RuleScope

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Published:
    """How the rules are now; `number` is the configuration change that processes apply."""

    view: View
    number: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the author had before their eyes; None does not ask.

    `version` is the one in force, 0 before the first, and `revision` that of the draft, 0 for none.
    """

    version: int | None = None
    revision: int | None = None


async def publish_rules(
    session: AsyncSession,
    caller: Principal,
    line: Lineage,
    body: RuleBody,
    seen: Seen,
    note: str | None,
) -> Published:
    """Put `body` in force from the commit on; the version before it is kept.

    Raises InvalidInput naming the field, Conflict when the author saw another version, Forbidden.
    """
    view = await _begin(session, caller, line, seen)
    refuse(await validated(session, caller, view, body))
    return await _replace(session, caller, AuditAction.PUBLISH, view, body, note)


async def roll_back_rules(
    session: AsyncSession,
    caller: Principal,
    line: Lineage,
    version: int,
    seen: Seen,
    note: str | None,
) -> Published:
    """A new version that says what `version` said.

    Names that are gone since are passed over when a request is routed, so that going back is
    possible when it is needed most.
    """
    view = await _begin(session, caller, line, seen)
    found = await queries.rules_by_version(session, line[-1], [version])
    if version not in found:
        raise NotFound(f"There is no version {version}.")
    said = note or f"Back to version {version}."
    body = body_of(found[version])
    return await _replace(session, caller, AuditAction.ROLL_BACK, view, body, said)


async def save_draft(
    session: AsyncSession,
    caller: Principal,
    line: Lineage,
    body: RuleBody,
    seen: Seen,
    note: str | None,
) -> tuple[View, list[Finding]]:
    """Keep `body` for later, with what is found in it. With `seen.version` it counts as made on
    that version; else a draft that is there stays on the version it was made on."""
    view = await _begin(session, caller, line, seen)
    found, draft = await validated(session, caller, view, body), view.draft
    base = view.version if draft is None or seen.version is not None else draft.base_version
    values = {
        "id": uuid7() if draft is None else draft.id,
        "body": msgspec.to_builtins(body),
        "base_version": base,
        "revision": 1 if draft is None else draft.revision + 1,
        "note": _noted(note),
        "author_id": caller.user_id,
    }
    row = await queries.put_draft(session, line[-1], values)
    action = AuditAction.CREATE if draft is None else AuditAction.UPDATE
    await record(session, action, AuditObject.ROUTING_DRAFT, row.id, before=draft, after=row)
    return replace(view, draft=row), found


async def publish_draft(
    session: AsyncSession, caller: Principal, line: Lineage, seen: Seen, note: str | None
) -> Published:
    """Put the draft in force. Raises Conflict when it was made on another version."""
    view = await _begin(session, caller, line, seen)
    draft = view.drafted()
    body = body_of(draft)
    if draft.base_version != view.version:
        raise Conflict(
            f"The draft was made on version {draft.base_version}, but version {view.version} is in"
            " force: read the difference, then save the draft with that as expectedVersion."
        )
    refuse(await validated(session, caller, view, body))
    await queries.delete_draft(session, line[-1])
    view, said = replace(view, draft=None), note or draft.note
    return await _replace(session, caller, AuditAction.PUBLISH, view, body, said)


async def discard_draft(
    session: AsyncSession, caller: Principal, line: Lineage, seen: Seen
) -> View:
    view = await _begin(session, caller, line, seen)
    draft, kind = view.drafted(), AuditObject.ROUTING_DRAFT
    await queries.delete_draft(session, line[-1])
    await record(session, AuditAction.DELETE, kind, draft.id, before=draft)
    return replace(view, draft=None)


async def publishable(
    session: AsyncSession, caller: Principal, line: Lineage, body: RuleBody | None
) -> RuleBody:
    """What the caller could put in force now: `body`, by default the draft's. Changes nothing.

    Raises as publishing would: Forbidden, NotFound, InvalidInput.
    """
    _check_reach(caller, line)
    view = await look_at(session, line)
    refuse(await validated(session, caller, view, body))
    return body_of(view.drafted()) if body is None else body


def _check_reach(caller: Principal, line: Lineage) -> None:
    if caller.allowed_models is not None and line[-1].scope != RuleScope.USER:
        raise Forbidden(
            "This API key is limited to certain models, so it may not change what others reach."
        )


async def _begin(session: AsyncSession, caller: Principal, line: Lineage, seen: Seen) -> View:
    """What is there, while nobody else changes it."""
    _check_reach(caller, line)
    await queries.lock_rules(session)
    view = await look_at(session, line)
    if seen.version is not None and seen.version != view.version:
        raise Conflict(
            f"The rules are at version {view.version}, not {seen.version}: read them anew."
        )
    revision = 0 if view.draft is None else view.draft.revision
    if seen.revision is not None and seen.revision != revision:
        raise Conflict(f"The draft is at revision {revision}, not {seen.revision}: read it anew.")
    return view


async def _replace(
    session: AsyncSession,
    caller: Principal,
    action: AuditAction,
    view: View,
    body: RuleBody,
    note: str | None,
) -> Published:
    holder = view.line[-1]
    values = {
        "id": uuid7(),
        "body": msgspec.to_builtins(body),
        "note": _noted(note),
        "author_id": caller.user_id,
    }
    before = view.live.get(holder)
    row = await queries.replace_live_rule(session, holder, values)
    kind = AuditObject.ROUTING_RULE_VERSION
    number = await record(session, action, kind, row.id, before=_told(before), after=_told(row))
    return Published(replace(view, live={**view.live, holder: row}), number or 0)


def _told(row: Row | None) -> dict[str, object] | None:
    """Of a version, for the audit log."""
    if row is None:
        return None
    told = ("scope", "scope_id", "version", "body", "note")
    return {name: getattr(row, name) for name in told}


def refuse(found: Sequence[Finding]) -> None:
    """Raise InvalidInput for the first error, if there is one."""
    errors = [one for one in found if one.severity is Severity.ERROR]
    if errors:
        rest = len(errors) - 1
        more = f" There are {rest} more: validateRoutingRules lists them." if rest else ""
        raise InvalidInput(errors[0].field, f"{errors[0].message}{more}")


def _noted(note: str | None) -> str | None:
    return None if note is None else checks.line("note", note, LONGEST_NOTE)


def aliases_of(named: Sequence[tuple[str, Alias]]) -> dict[str, Alias]:
    """Aliases by name. Raises InvalidInput for a name given twice."""
    found: dict[str, Alias] = {}
    for index, (name, alias) in enumerate(named):
        if name in found:
            raise InvalidInput(f"aliases.{index}.name", f"There are two aliases `{name[:100]}`.")
        found[name] = alias
    return found
