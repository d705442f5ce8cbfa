"""Runs migrations over the connection the caller hands in (`config.attributes["connection"]`)."""

from alembic import context
from sqlalchemy.engine import Connection

from db.models import Base

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
