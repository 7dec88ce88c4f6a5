"""Bringing a database to this version's tables, and telling whether it is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

import migrations
from hub.errors import StoreBehind
from hub.store.engine import connect, writing

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(migrations.__file__).parent / "versions"
HEAD = max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))  # revisions are one chain, numbered


def upgrade(url: str) -> None:
    """Create the tables or bring them up to date; several processes may do it at once."""
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = connect(url)
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(0x636F6E63)))
        if revision(connection) != HEAD:
            from alembic import command

            command.upgrade(config(connection), "head")
    engine.dispose()


def revision(connection: sa.Connection) -> str | None:
    """The revision that the database stands at, or None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()


def require_head(connection: sa.Connection) -> None:
    """Raise StoreBehind unless the database has this version's tables."""
    found = revision(connection)
    if found != HEAD:
        raise StoreBehind(f"the database is at revision {found or 'none'}, this version needs {HEAD}.")


def config(connection: sa.Connection) -> Config:
    """Alembic's configuration for a connection that is open already."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made
