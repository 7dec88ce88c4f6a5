"""Small notes beside the store: written with each answer, so they may not wait for whoever writes at length.

PostgreSQL keeps them in the same database. SQLite has one writer, and a delivery may be it for a second: there they
stand in a file of their own next to the store.
"""

from __future__ import annotations

import sqlalchemy as sa

from hub.store.beside_tables import TABLES
from hub.store.engine import connect
from hub.store.schema import metadata


def engine_beside(engine: sa.Engine) -> sa.Engine:
    """Where the notes of a store are kept."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    made = connect(engine.url.set(database=f"{engine.url.database}-notes").render_as_string(hide_password=False))
    metadata.create_all(made, tables=TABLES)
    return made
