"""The rules of providers: what may be created, changed, deleted and tested."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from db.keyset import Row
from db.queries import provider as queries
from db.queries.credential import leave_credentials_behind
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.destination import destination
from domain.errors import Conflict, InvalidInput, NotFound
from domain.references import refuse_when_named
from domain.snapshot import ProviderType

DEFAULT_BASE_URLS: Mapping[ProviderType, str] = {
    ProviderType.OPENROUTER: "https://openrouter.ai/api/v1",
    ProviderType.OPENAI: "https://api.openai.com/v1",
    ProviderType.ANTHROPIC: "https://api.anthropic.com/v1",
    ProviderType.TOGETHER: "https://api.together.xyz/v1",
    ProviderType.HUGGINGFACE: "https://router.huggingface.co/v1",
    ProviderType.GOOGLE: "https://generativelanguage.googleapis.com/v1beta",
    ProviderType.COHERE: "https://api.cohere.ai/compatibility/v1",
}
"""A CUSTOM provider has no default."""

_TIMEOUTS = {
    "connect_timeout_ms": ("timeouts.connectMs", 60_000),
    "first_token_timeout_ms": ("timeouts.firstTokenMs", 600_000),
    "total_timeout_ms": ("timeouts.totalMs", 3_600_000),
}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 500


def checked_base_url(value: str, allow_private_hosts: frozenset[str]) -> str:
    """`value` in its plain form: https, or a host the operator listed; no path at its end.

    Whether its addresses may be connected to is decided at connect time (gateway/egress).
    """
    parts, port = _split(value)
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidInput("baseUrl", "Leave out user names, queries and fragments.")
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    place = f"{host}:{port or _DEFAULT_PORTS[parts.scheme]}"
    if parts.scheme != "https" and place not in allow_private_hosts:
        raise InvalidInput("baseUrl", f"Use https, or have the operator allow `{place}`.")
    shown = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return f"{parts.scheme}://{shown}{parts.path.rstrip('/')}"


def _split(value: str) -> tuple[SplitResult, int | None]:
    text = checks.token("baseUrl", value, _LONGEST_URL)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidInput("baseUrl", "This is not a URL.") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "\\" in text:
        raise InvalidInput("baseUrl", "Give a full URL such as https://api.example.com/v1.")
    return parts, port


def checked(values: Mapping[str, Any], allow_private_hosts: frozenset[str]) -> dict[str, Any]:
    """Column values as they may be stored. Raises InvalidInput for the first that may not."""
    result = dict(values)
    if "slug" in result:
        checks.slug("slug", result["slug"])
    if "name" in result:
        result["name"] = checks.line("name", result["name"])
    if "base_url" in result:
        result["base_url"] = checked_base_url(result["base_url"], allow_private_hosts)
    if "priority" in result:
        checks.between("priority", result["priority"], 0, 10_000)
    if result.get("region") is not None:
        result["region"] = checks.line("region", result["region"], 64)
    for key, milliseconds in result.get("options", {}).items():
        field, most = _TIMEOUTS[key]
        if milliseconds is not None:
            checks.between(field, milliseconds, 1, most)
    return result


async def create_provider(
    session: AsyncSession, values: Mapping[str, Any], allow_private_hosts: frozenset[str]
) -> Row:
    """Make a provider of column values; without `base_url` its type's own address is taken."""
    given = dict(values)
    type_ = ProviderType(given["type"])
    if given.get("base_url") is None:
        if type_ not in DEFAULT_BASE_URLS:
            raise InvalidInput("baseUrl", "A CUSTOM provider needs its address.")
        given["base_url"] = DEFAULT_BASE_URLS[type_]
    row = await queries.add_provider(session, checked(given, allow_private_hosts))
    if row is None:
        raise Conflict(f"There is already a provider `{given['slug']}`.")
    await record(session, AuditAction.CREATE, AuditObject.PROVIDER, row.id, after=row)
    return row


async def update_provider(
    session: AsyncSession,
    id: uuid.UUID,
    expected_version: int | None,
    patch: Mapping[str, Any],
    allow_private_hosts: frozenset[str],
) -> Row:
    """Set what `patch` names. Its keys stay behind when it moves to another destination."""
    before = await _locked(session, id)
    if expected_version is not None and before.version != expected_version:
        raise Conflict(
            f"`{before.slug}` is at version {before.version}, not {expected_version}: read it anew."
        )
    values = checked(patch, allow_private_hosts)
    if "options" in values:
        merged = {**before.options, **values["options"]}
        values["options"] = {key: value for key, value in merged.items() if value is not None}
    row = await queries.change_provider(session, id, values)
    type_ = ProviderType(row.type)
    if destination(type_, before.base_url) != destination(type_, row.base_url):
        await leave_credentials_behind(session, id, "The provider's address changed.")
    await record(session, AuditAction.UPDATE, AuditObject.PROVIDER, id, before=before, after=row)
    return row


async def delete_provider(session: AsyncSession, id: uuid.UUID, *, force: bool) -> Row:
    """Delete a provider with its models and keys; refused while rules name it, unless forced."""
    row = await _locked(session, id)
    if not force:
        prefix = f"{row.slug}/"
        await refuse_when_named(session, f"`{row.slug}`", lambda name: name.startswith(prefix))
    await queries.remove_provider(session, id)
    await record(session, AuditAction.DELETE, AuditObject.PROVIDER, id, before=row)
    return row


async def _locked(session: AsyncSession, id: uuid.UUID) -> Row:
    row = await queries.locked_provider(session, id)
    if row is None:
        raise NotFound("There is no such provider.")
    return row
