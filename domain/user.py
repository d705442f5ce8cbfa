"""The rules of people: made by hand or by their first sign-in, disabled, never deleted."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import user as queries
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, InvalidInput, NotFound
from domain.principal import Role

BY_HAND = "fairlead"
"""The issuer of people whom no identity provider vouches for."""

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Column values as they may be stored. Raises InvalidInput for the first that may not."""
    result = dict(values)
    if "name" in result:
        result["name"] = checks.line("name", result["name"])
    if result.get("email") is not None:
        result["email"] = checks.line("email", result["email"], 254)
        if not _ADDRESS.fullmatch(result["email"]):
            raise InvalidInput("email", "Write an address such as ada@example.com.")
    return result


async def create_user(session: AsyncSession, values: Mapping[str, Any]) -> Row:
    """A person made by hand: `name`, `email` and `role`."""
    id = uuid7()
    made = {**checked(values), "id": id, "issuer": BY_HAND, "subject": str(id)}
    row = await queries.add_user(session, made)
    await record(session, AuditAction.CREATE, AuditObject.USER, id, after=row)
    return row


async def update_user(
    session: AsyncSession, id: uuid.UUID, expected_version: int | None, patch: Mapping[str, Any]
) -> Row:
    """Set what `patch` names. The last enabled administrator stays one."""
    await queries.lock_administrators(session)
    before = await queries.locked_user(session, id)
    if before is None:
        raise NotFound("There is no such user.")
    if expected_version is not None and before.version != expected_version:
        raise Conflict(
            f"`{before.name}` is at version {before.version}, not {expected_version}: read anew."
        )
    values = checked(patch)
    followed = [name for name in ("name", "email", "role") if name in values]
    if followed and before.issuer != BY_HAND:
        raise Conflict(
            f"{', '.join(followed)}: this person's follow their sign-in at {before.issuer};"
            " change it there."
        )
    stays = values.get("enabled", before.enabled) and values.get("role", before.role) == Role.ADMIN
    was = before.enabled and before.role == Role.ADMIN
    if was and not stays and not await queries.other_administrators(session, id):
        raise Conflict("This is the last administrator: make another one first.")
    row = await queries.change_user(session, id, values)
    await record(session, AuditAction.UPDATE, AuditObject.USER, id, before=before, after=row)
    return row
