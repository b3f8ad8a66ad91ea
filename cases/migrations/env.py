"""Runs migrations on the connection cases/db.py hands over, or, for developers, on `-x url=…`."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from cases.db import connect
from cases.models import Base


def run(connection: Connection) -> None:
    """Batch mode lets SQLite alter tables."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.get_x_argument(as_dictionary=True).get("url", "sqlite:///wangxun.db")
    with connect(url).begin() as opened:
        run(opened)
