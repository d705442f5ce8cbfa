"""Reads everything the running configuration is made of, as of one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, select, text

from db.models.credential import Credential
from db.models.installation import InstallationSetting
from db.models.model import Model, Price
from db.models.provider import Provider
from db.models.rule import RoutingRule
from db.queries.configuration import latest_change
from db.session import AsyncSession

_ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@dataclass(frozen=True, slots=True)
class ConfigurationRows:
    """Rows with the columns of their tables as attributes, as of change `number`.

    `prices` are in order of (model, valid_from); `rules` are the LIVE ones of every scope.
    """

    number: int
    providers: Sequence[Any]
    models: Sequence[Any]
    prices: Sequence[Any]
    credentials: Sequence[Any]
    rules: Sequence[Any]
    settings: Sequence[Any]


async def configuration_rows(session: AsyncSession) -> ConfigurationRows:
    """One consistent read; the session must not have been used before."""
    await session.execute(_ONE_MOMENT)

    async def rows(statement: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        return (await session.execute(statement)).all()

    return ConfigurationRows(
        number=await latest_change(session),
        providers=await rows(select(_table(Provider)).order_by(Provider.slug)),
        models=await rows(select(_table(Model)).order_by(Model.name, Model.id)),
        prices=await rows(select(_table(Price)).order_by(Price.model_id, Price.valid_from)),
        credentials=await rows(select(_table(Credential)).order_by(Credential.id)),
        rules=await rows(select(_table(RoutingRule)).where(RoutingRule.state == "LIVE")),
        settings=await rows(select(_table(InstallationSetting))),
    )


def _table(entity: type[Any]) -> Table:
    """The Core table: plain rows, several times cheaper to load than entities."""
    table: Table = entity.__table__
    return table
