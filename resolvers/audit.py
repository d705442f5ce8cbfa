"""What we do when asked who changed what."""

from datetime import UTC, datetime

import strawberry

from auth.policies import Policy
from schema.audit import AUDIT_LOG, AuditEntry, AuditFilter, AuditOrder, entries_asked
from schema.audit_export import AuditExport
from schema.context import Info
from schema.enums import ExportFormat
from schema.fields import query_field
from schema.pagination import After, Before, Connection, First, Last, PageArguments


@strawberry.type
class AuditLogQuery:
    @query_field(
        Policy.ADMIN,
        description="Every change, the newest first.",
        graphql_type=Connection[AuditEntry],
        size=20,
    )
    async def audit_log(
        self,
        info: Info,
        filter: AuditFilter | None = None,
        order_by: AuditOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEntry]:
        arguments = PageArguments(first, after, last, before)
        return await AUDIT_LOG.whole(info.context, entries_asked(filter, order_by), arguments)

    @query_field(
        Policy.ADMIN,
        description="A link to the changes as a file, oldest first, with the hashes that"
        " `fairlead audit verify` follows. Whoever has it may begin the download until it expires,"
        " while the caller may still see the log.",
        graphql_type=AuditExport,
    )
    async def audit_export(
        self, info: Info, format: ExportFormat, filter: AuditFilter | None = None
    ) -> AuditExport:
        asked = entries_asked(filter, None)
        return AuditExport.of(info.context, asked, format, datetime.now(UTC))
