"""Requests as a file: the link to it."""

from datetime import datetime
from typing import Self

import strawberry

from auth.policies import Policy
from db.queries.usage import UsageQuery
from domain.usage_export import LIFE, ExportFormat, link_to
from schema.context import Context
from schema.fields import attribute, object_type

strawberry.enum(
    ExportFormat,
    description="CSV: a table with a first line of names. JSON_LINES: one object a line.",
)


@object_type(Policy.SELF, description="A download that may begin for a while.")
class UsageExport:
    url: str = attribute(description="A path of this server, without the host.")
    expires_at: datetime

    @classmethod
    def of(cls, context: Context, query: UsageQuery, format: ExportFormat, now: datetime) -> Self:
        """No longer than the caller may see it."""
        ends = context.caller.expires_at
        expires = now + LIFE
        if ends is not None:
            expires = min(expires, datetime.fromtimestamp(ends, now.tzinfo))
        return cls(url=link_to(context.cipher, query, format, expires), expires_at=expires)
