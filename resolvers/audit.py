"""What we do when asked who changed what."""

import strawberry

from auth.policies import Policy
from schema.audit import AUDIT_LOG, AuditEntry, AuditFilter, AuditOrder, entries_asked
from schema.context import Info
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
