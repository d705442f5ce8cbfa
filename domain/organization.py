"""The rules of organisations: made by hand or by a group of the identity provider."""

import uuid
from collections.abc import Mapping
from typing import Any

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import organization as queries
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, NotFound


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Column values as they may be stored. Raises InvalidInput for the first that may not."""
    result = dict(values)
    if "slug" in result:
        checks.slug("slug", result["slug"])
    if "name" in result:
        result["name"] = checks.line("name", result["name"])
    return result


async def create_organization(session: AsyncSession, values: Mapping[str, Any]) -> Row:
    """An organisation of `slug` and `name`."""
    row = await queries.add_organization(session, {**checked(values), "id": uuid7()})
    if row is None:
        raise Conflict(f"There is already an organization `{values['slug']}`.")
    await record(session, AuditAction.CREATE, AuditObject.ORGANIZATION, row.id, after=row)
    return row


async def update_organization(
    session: AsyncSession, id: uuid.UUID, expected_version: int | None, patch: Mapping[str, Any]
) -> Row:
    """Set what `patch` names."""
    before = await _locked(session, id)
    if expected_version is not None and before.version != expected_version:
        raise Conflict(
            f"`{before.slug}` is at version {before.version}, not {expected_version}: read it anew."
        )
    values = checked(patch)
    if "slug" in values and await queries.slug_is_taken(session, values["slug"], id):
        raise Conflict(f"There is already an organization `{values['slug']}`.")
    row = await queries.change_organization(session, id, values)
    await record(
        session, AuditAction.UPDATE, AuditObject.ORGANIZATION, id, before=before, after=row
    )
    return row


async def delete_organization(session: AsyncSession, id: uuid.UUID, *, force: bool) -> Row:
    """Delete an organisation; refused while keys or rules belong to it, unless forced."""
    row = await _locked(session, id)
    found = await queries.references_to(session, id)
    references = [f"{number} {kind}" for kind, number in found.items() if number]
    if references and not force:
        raise Conflict(
            f"`{row.slug}` still has {', '.join(references)}; take them away or force.",
            references=references,
        )
    await queries.remove_organization(session, id)
    await record(session, AuditAction.DELETE, AuditObject.ORGANIZATION, id, before=row)
    return row


async def _locked(session: AsyncSession, id: uuid.UUID) -> Row:
    row = await queries.locked_organization(session, id)
    if row is None:
        raise NotFound("There is no such organization.")
    return row
