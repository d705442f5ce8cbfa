"""Requests as a file: the link to it."""

from datetime import datetime
from typing import Self

from auth.policies import Policy
from db.queries.usage import UsageQuery
from domain.download import download_for, link_to
from domain.usage_export import PATH, asked_of
from schema.context import Context
from schema.enums import ExportFormat
from schema.fields import attribute, object_type


@object_type(Policy.SELF, description="A download that may begin for a while.")
class UsageExport:
    url: str = attribute(description="A path of this server, without the host.")
    expires_at: datetime

    @classmethod
    def of(cls, context: Context, query: UsageQuery, format: ExportFormat, now: datetime) -> Self:
        """No longer than the caller may see it."""
        download = download_for(context.caller, format, asked_of(query), now)
        return cls(url=link_to(context.cipher, PATH, download), expires_at=download.expires)
