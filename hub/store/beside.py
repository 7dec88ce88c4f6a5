"""Small notes beside the store: written with each answer, so they may not wait for whoever writes at length.

PostgreSQL keeps them in the same database. SQLite has one writer, and a delivery may be it for a second: there they
stand in a file of their own next to the store. What is written outlives the process; the last half second of it does
not outlive a crash of the database server or of the machine, because nobody waits for the disk.
"""

from __future__ import annotations

import sqlalchemy as sa

from hub.store.beside_tables import TABLES
from hub.store.engine import connect
from hub.store.schema import metadata


def engine_beside(engine: sa.Engine) -> sa.Engine:
    """Where the notes of a store are kept."""
    if engine.dialect.name == "postgresql":
        url = engine.url.update_query_dict({"options": "-c synchronous_commit=off"})
    else:
        url = engine.url.set(database=f"{engine.url.database}-notes")
    made = connect(url.render_as_string(hide_password=False))
    sa.event.listen(engine, "engine_disposed", lambda _engine: made.dispose())
    if engine.dialect.name == "postgresql":
        return made.execution_options(isolation_level="AUTOCOMMIT")
    metadata.create_all(made, tables=TABLES)
    return made
