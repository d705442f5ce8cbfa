"""Families of cells: which keys of a request each knows, and how they are called in SQL.

A question goes to the first family that knows all the keys it filters and groups by, else to the
raw rows (db/queries/usage_totals.py).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.histogram import COARSE, FINE
from db.queries.usage import UsageQuery
from db.queries.usage_facts import NOBODY, ROW

Groups = Sequence[tuple[uuid.UUID, str]]

SERVED_NAME = """CASE WHEN {slug} = '' OR {name} = '' THEN '' ELSE {slug} || '/' || {name} END"""


@dataclass(frozen=True, slots=True)
class Family:
    """Cells of one kind: `d` in SQL, with `k`, what their keys mean. `bits` of their histograms.

    `groups` are (id, name) by dimension; `filters` are the fields of a query it can narrow by.
    `hours`: the table of the same by the hour.
    """

    table: str
    join: str
    bits: int
    filters: Mapping[str, str]
    groups: Mapping[str, tuple[str, str]]
    hours: str | None = None

    def knows(self, query: UsageQuery, dimension: str | None) -> bool:
        """Whether these cells answer a question."""
        asked = {
            name
            for name in ("user", "organization", "api_key", "provider", "model")
            if getattr(query, name) is not None
        }
        if not query.reach.everybody:
            asked.add("user")
        return asked <= self.filters.keys() and (dimension is None or dimension in self.groups)


_OUTCOMES = {
    "STATUS": (NOBODY, "d.status"),
    "BYOK": (NOBODY, "CASE WHEN d.byok THEN 'BYOK' ELSE 'SYSTEM' END"),
}

TIMES = Family(
    "usage_times d",
    "",
    FINE,
    {"provider": "d.provider_id"},
    {
        "PROVIDER": ("d.provider_id", "d.provider_slug"),
        "ERROR_CLASS": (NOBODY, "d.error_class"),
        **_OUTCOMES,
    },
)
SERVED = Family(
    "usage_served_days d",
    "JOIN usage_served k ON k.id = d.served_id",
    COARSE,
    {"provider": "k.provider_id", "model": "k.model_id"},
    {
        "PROVIDER": ("k.provider_id", "k.provider_slug"),
        "MODEL": ("k.model_id", SERVED_NAME.format(slug="k.provider_slug", name="k.model_name")),
        **_OUTCOMES,
    },
    "usage_served_hours d",
)
CALLERS = Family(
    "usage_caller_days d",
    "JOIN usage_callers k ON k.id = d.caller_id",
    COARSE,
    {"user": "k.user_id", "organization": "k.organization_id", "api_key": "k.api_key_id"},
    {
        "USER": ("k.user_id", "''"),
        "ORGANIZATION": ("k.organization_id", "''"),
        "API_KEY": ("k.api_key_id", "''"),
        **_OUTCOMES,
    },
)
ORGANIZATIONS = Family(
    "usage_organization_days d",
    "",
    COARSE,
    {"organization": "d.organization_id"},
    {"ORGANIZATION": ("d.organization_id", "''"), **_OUTCOMES},
    "usage_organization_hours d",
)
PAIRS = Family(
    "usage_pair_days d",
    "",
    COARSE,
    {"organization": "d.organization_id", "provider": "d.provider_id"},
    {
        "PROVIDER": ("d.provider_id", "d.provider_slug"),
        "ORGANIZATION": ("d.organization_id", "''"),
        **_OUTCOMES,
    },
)
FAMILIES = (TIMES, SERVED, ORGANIZATIONS, PAIRS, CALLERS)
"""The ones with fewer cells first."""


_RAW_NAME = SERVED_NAME.format(slug=ROW["provider_slug"], name=ROW["model_name"])
RAW_GROUPS = {
    "PROVIDER": (ROW["provider_id"], ROW["provider_slug"]),
    "MODEL": (ROW["model_id"], _RAW_NAME),
    "USER": ("u.user_id", "''"),
    "ORGANIZATION": (ROW["organization_id"], "''"),
    "API_KEY": (ROW["api_key_id"], "''"),
    "STATUS": (NOBODY, "u.status"),
    "ERROR_CLASS": (NOBODY, ROW["error_class"]),
    "BYOK": (NOBODY, f"CASE WHEN {ROW['byok']} THEN 'BYOK' ELSE 'SYSTEM' END"),
}
RAW_FILTERS = {
    "user": "u.user_id",
    "organization": "u.organization_id",
    "api_key": "u.api_key_id",
    "provider": "u.provider_id",
    "model": "u.model_id",
}
NO_GROUP = (NOBODY, "''")
