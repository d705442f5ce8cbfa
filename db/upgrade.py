"""Runs migrations by alembic; loaded only when there are some to run."""

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection


def config_for(connection: Connection) -> Config:
    """Alembic's configuration, bound to an open connection."""
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """To the newest."""
    command.upgrade(config_for(connection), "head")
