"""Migrations: from nothing to head on both stores, by several processes at once, equal to the tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hub.errors import StoreBehind
from hub.store import migrate
from hub.store.engine import connect, reading, writing
from hub.store.tables import metadata


def test_upgrade_gives_exactly_the_tables(database_url: str) -> None:
    migrate.upgrade(database_url)
    engine = connect(database_url)
    with reading(engine) as connection:
        migrate.require_head(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_downgrade_leaves_nothing(database_url: str) -> None:
    migrate.upgrade(database_url)
    engine = connect(database_url)
    with writing(engine) as connection:
        command.downgrade(migrate.config(connection), "base")
        assert migrate.revision(connection) is None
    engine.dispose()


def test_upgrade_by_four_at_once_is_done_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [url] * 4))
    engine = connect(url)
    with reading(engine) as connection:
        migrate.require_head(connection)
    engine.dispose()


def test_store_without_tables_is_told_so(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'empty.db'}")
    with reading(engine) as connection, pytest.raises(StoreBehind, match="none"):
        migrate.require_head(connection)
    engine.dispose()
