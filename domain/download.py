"""Links to files: sealed, good for minutes, and only while who asked may still see all of it."""

import csv
import io
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from db.queries.apikey import api_key_by_id
from db.queries.membership import memberships_of
from db.queries.usage import Reach
from db.queries.user import user_by_id
from db.session import AsyncSession
from domain.ports import Cipher, Place, Sealed
from domain.principal import MemberRole, Principal, Role
from domain.reach import reach_of
from domain.secret import Secret

LIFE = timedelta(minutes=5)
"""In which the download must begin."""
PAGE_ROWS = 1_000

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would carry out; the last are the signs in full width."""


class ExportFormat(StrEnum):
    """A table with a first line of names, or one JSON object a line."""

    CSV = "CSV"
    JSON_LINES = "JSON_LINES"


class BadLink(Exception):
    """The link is none of ours, too old, or of somebody who may no longer have it."""


class Download(msgspec.Struct, frozen=True):
    """What a link is for: until when, for whom and with which key, how much they may see, what."""

    expires: datetime
    user: uuid.UUID
    api_key: uuid.UUID | None
    everybody: bool
    governed: uuid.UUID | None
    format: ExportFormat
    asked: dict[str, Any]

    @property
    def reach(self) -> Reach:
        return Reach(self.everybody, self.user, self.governed)


def download_for(
    caller: Principal, format: ExportFormat, asked: dict[str, Any], now: datetime
) -> Download:
    """Until LIFE from now, and no longer than the caller is signed in."""
    reach, expires = reach_of(caller), now + LIFE
    if caller.expires_at is not None:
        expires = min(expires, datetime.fromtimestamp(caller.expires_at, UTC))
    return Download(
        expires,
        caller.user_id,
        caller.api_key_id,
        reach.everybody,
        reach.organization,
        format,
        asked,
    )


def _place(path: str) -> Place:
    return Place("downloads", "link", uuid.UUID(int=0), 1, path)


def link_to(cipher: Cipher, path: str, download: Download) -> str:
    """The address of a download that whoever has it may begin until it ends."""
    sealed = cipher.seal(Secret(msgspec.json.encode(download).decode()), _place(path))
    return f"{path}?link={sealed.master_key_id}.{sealed.ciphertext.decode()}"


def opened(cipher: Cipher, path: str, link: str) -> Download:
    """What a link is for. Raises BadLink."""
    key_id, _, token = link.partition(".")
    try:
        plain = cipher.open(Sealed(token.encode(), key_id), _place(path))
        found = msgspec.json.decode(plain.reveal(), type=Download)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadLink from error
    if found.expires <= datetime.now(UTC):
        raise BadLink
    return found


async def check(session: AsyncSession, download: Download) -> None:
    """Raise BadLink when who asked is disabled or reaches less by now, or their key has ended."""
    user = await user_by_id(session, download.user)
    if user is None or not user.enabled:
        raise BadLink
    if download.everybody and user.role != Role.ADMIN:
        raise BadLink
    if download.governed is not None:
        governed = {
            row.organization_id
            for row in await memberships_of(session, download.user)
            if row.role == MemberRole.ADMIN
        }
        if download.governed not in governed:
            raise BadLink
    if download.api_key is not None:
        everybodys = Reach(True, download.user, None)
        key = await api_key_by_id(session, download.api_key, reach=everybodys)
        if key is None or key.revoked_at is not None:
            raise BadLink


def csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is led by an apostrophe."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
