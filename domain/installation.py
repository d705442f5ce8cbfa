"""The names of the installation's settings, and the rules of changing them."""

from enum import StrEnum

import msgspec

from db.queries import installation as queries
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict
from domain.snapshot import CreditSettings, CreditsMode

MOST_MARKUP = 100_000
"""Basis points: ten times the cost."""


class SettingName(StrEnum):
    """Each has a body of its own shape."""

    CREDITS = "CREDITS"
    USAGE_RETENTION = "USAGE_RETENTION"


async def credit_settings(session: AsyncSession) -> tuple[CreditSettings, int]:
    """As they are, with their version: 1 while nobody changed them."""
    row = await queries.setting(session, SettingName.CREDITS)
    if row is None:
        return CreditSettings(), 1
    return msgspec.convert(row.body, CreditSettings), row.version


async def change_credit_settings(
    session: AsyncSession, mode: CreditsMode | None, markup: int | None, expected: int | None
) -> tuple[CreditSettings, int]:
    """None stays as it is. Raises InvalidInput, or Conflict when `expected` is not the version."""
    if markup is not None:
        checks.between("markupBasisPoints", markup, 0, MOST_MARKUP)
    row = await queries.locked_setting(session, SettingName.CREDITS)
    before = msgspec.convert(row.body, CreditSettings)
    if expected is not None and expected != row.version:
        raise Conflict(f"The credit settings are at version {row.version}, not {expected}.")
    after = CreditSettings(
        before.mode if mode is None else mode, before.markup if markup is None else markup
    )
    if after == before:
        return before, row.version
    changed = await queries.change_setting(session, SettingName.CREDITS, msgspec.to_builtins(after))
    await record(
        session,
        AuditAction.UPDATE,
        AuditObject.CREDIT_SETTINGS,
        None,
        before=msgspec.structs.asdict(before),
        after=msgspec.structs.asdict(after),
    )
    return after, changed.version
