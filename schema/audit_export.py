"""The log of changes as a file: the link to it."""

from dataclasses import replace
from datetime import datetime
from typing import Self

from auth.policies import Policy
from db.queries.audit import AuditQuery
from domain.audit_export import PATH, asked_of
from domain.download import download_for, link_to
from schema.context import Context
from schema.enums import ExportFormat
from schema.fields import attribute, object_type


@object_type(Policy.ADMIN, description="A download that may begin for a while.")
class AuditExport:
    url: str = attribute(description="A path of this server, without the host.")
    expires_at: datetime

    @classmethod
    def of(cls, context: Context, query: AuditQuery, format: ExportFormat, now: datetime) -> Self:
        """What there is now: later entries are not in it."""
        until = now if query.until is None else min(query.until, now)
        download = download_for(context.caller, format, asked_of(replace(query, until=until)), now)
        return cls(url=link_to(context.cipher, PATH, download), expires_at=download.expires)
