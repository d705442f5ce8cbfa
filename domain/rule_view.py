"""Looks at routing rules without changing them: whose they are, how they hold, what differs."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from db.keyset import Row
from db.queries import rule as queries
from db.queries.organization import organizations_by_id
from db.queries.rule import RuleHolder
from db.session import AsyncSession
from domain.errors import Forbidden, InvalidInput, NotFound
from domain.principal import MemberRole, Principal
from domain.rule_checks import inspect
from domain.rule_findings import Finding
from domain.ruleset import RuleBody, RuleScope, Ruleset, override

Lineage = tuple[RuleHolder, ...]
"""Whose rules hold together, the widest first; the last are those that are looked at."""


@dataclass(frozen=True, slots=True)
class View:
    """The rules of one scope and the wider ones, in force and in preparation."""

    line: Lineage
    live: Mapping[RuleHolder, Row]
    draft: Row | None

    @property
    def version(self) -> int:
        """In force; 0 before the first."""
        row = self.live.get(self.line[-1])
        return 0 if row is None else row.version

    @property
    def base(self) -> Ruleset:
        return inherited(self.line, self.live)

    def drafted(self) -> Row:
        if self.draft is None:
            raise NotFound("There is no draft.")
        return self.draft


async def lineage(
    session: AsyncSession,
    caller: Principal,
    scope: RuleScope,
    organization_id: uuid.UUID | None = None,
) -> Lineage:
    """Whose rules the caller governs under that name. Raises Forbidden, NotFound, InvalidInput."""
    if organization_id is not None and scope is not RuleScope.ORGANIZATION:
        raise InvalidInput("organization", "Only with the scope ORGANIZATION.")
    house = RuleHolder(RuleScope.GLOBAL)
    match scope:
        case RuleScope.GLOBAL:
            if not caller.is_admin:
                raise Forbidden("The installation's rules are for its administrators.")
            return (house,)
        case RuleScope.ORGANIZATION:
            id = organization_id or caller.organization_id
            if id is None:
                raise InvalidInput("organization", "Name the organisation.")
            if not caller.is_admin and id != caller.organization_id:
                raise NotFound("There is no such organization.")
            if not (caller.is_admin or caller.organization_role is MemberRole.ADMIN):
                raise Forbidden("An organisation's rules are for its administrators.")
            if id not in await organizations_by_id(session, [id], caller):
                raise NotFound("There is no such organization.")
            return (house, RuleHolder(scope, id))
        case RuleScope.USER:
            own = RuleHolder(scope, caller.user_id)
            if caller.organization_id is None:
                return (house, own)
            return (house, RuleHolder(RuleScope.ORGANIZATION, caller.organization_id), own)


def inherited(line: Lineage, live: Mapping[RuleHolder, Row]) -> Ruleset:
    """What the last of them gets from the wider ones."""
    base = Ruleset()
    for holder in line[:-1]:
        row = live.get(holder)
        if row is not None:
            base = override(base, body_of(row), RuleScope(holder.scope), row.version)
    return base


def body_of(row: Row) -> RuleBody:
    """What a version or a draft sets; aliases by name, which is the order they are shown in."""
    body = msgspec.convert(row.body, RuleBody)
    return msgspec.structs.replace(body, aliases=dict(sorted(body.aliases.items())))


async def look(
    session: AsyncSession,
    caller: Principal,
    scope: RuleScope,
    organization_id: uuid.UUID | None = None,
) -> View:
    """Raises Forbidden, NotFound or InvalidInput as `lineage` does."""
    line = await lineage(session, caller, scope, organization_id)
    return await look_at(session, line)


async def look_at(session: AsyncSession, line: Lineage) -> View:
    live = await queries.live_rules(session, line)
    return View(line, live, await queries.draft_of(session, line[-1]))


async def validated(
    session: AsyncSession, caller: Principal, view: View, body: RuleBody | None
) -> list[Finding]:
    """Everything that is found in `body`, by default the draft's. Raises NotFound, InvalidInput."""
    rules = body_of(view.drafted()) if body is None else body
    return await inspect(session, rules, view.line[-1], view.base, everything=caller.is_admin)


async def compare(
    session: AsyncSession, view: View, version: int | None, against: int | None
) -> tuple[tuple[int, Ruleset], tuple[int | None, Ruleset]]:
    """The rules as they hold by version `against` (None: the one in force, 0: none) and by
    `version` (None: the draft). Both inherit what the wider rules say now. Raises NotFound."""
    old = view.version if against is None else against
    if old < 0 or (version is not None and version < 0):
        raise InvalidInput("version", "Not below 0.")
    wanted = {one for one in (old, version) if one}
    rows = await queries.rules_by_version(session, view.line[-1], wanted)
    for one in sorted(wanted):
        if one not in rows:
            raise NotFound(f"There is no version {one}.")
    scope, base = RuleScope(view.line[-1].scope), view.base

    def held(number: int) -> Ruleset:
        if number == 0:
            return base
        return override(base, body_of(rows[number]), scope, number)

    if version is None:
        return (old, held(old)), (None, override(base, body_of(view.drafted()), scope, 0))
    return (old, held(old)), (version, held(version))
