"""A connection on which judgement may be repeated while the store stays as it is.

Gathering a case stores blocking keys and evidence on its way. Here those three tables are temporary
ones of the same name, which hide the real ones on this connection alone; whatever else would be
written is refused by the database. What the temporary tables come to hold can be compared with the
real ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from hub.store import drafted
from hub.store.tables import evidence, hot_key, match_key, record

DERIVED = (match_key, hot_key, evidence)
_WRITES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})


@contextmanager
def overlay(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that sees one state throughout and can write nothing but its own temporary tables."""
    connection = engine.connect()
    try:
        connection.detach()  # the temporary tables end with it
        if connection.dialect.name == "sqlite":
            _guard_sqlite(connection)
        else:
            with connection.begin():
                _create(connection)
        connection = connection.execution_options(overlay=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
            yield connection
    finally:
        connection.close()


def fill(connection: sa.Connection, entity: str) -> None:
    """Copy what the store keeps of an entity into the temporary tables, in place of what they held."""
    real = _real(connection)
    for table in DERIVED:
        connection.execute(sa.delete(table))
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        copied = sa.text(f'insert into "{table.name}" ({names}) {_of(table, real)}')
        connection.execute(copied, {"entity": entity})


def clear(connection: sa.Connection) -> None:
    """Empty the temporary tables."""
    for table in DERIVED:
        connection.execute(sa.delete(table))


def differing(connection: sa.Connection, entity: str) -> tuple[str, str, tuple[Any, ...]] | None:
    """The first row that is in only one of a temporary table and the real one: table, where, row."""
    real = _real(connection)
    for table in DERIVED:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        mine, theirs = f'select {names} from "{table.name}"', _of(table, real)  # noqa: S608
        for where, one, other in (("rebuilt", mine, theirs), ("stored", theirs, mine)):
            query = sa.text(f"select * from ({one} except {other}) as found limit 1")  # noqa: S608
            row = connection.execute(query, {"entity": entity}).one_or_none()
            if row is not None:
                return table.name, where, tuple(row)
    return None


def _of(table: sa.Table, real: str) -> str:
    """The rows of an entity in the real table, as a query."""
    names = ", ".join(f'{table.name}."{column.name}"' for column in table.columns)
    source = f'select {names} from {real}."{table.name}" as {table.name}'  # noqa: S608
    if "entity" in table.c:
        return f"{source} where {table.name}.entity = :entity"
    holder = "record_id" if "record_id" in table.c else "left_id"
    return f"{source} join {record.name} on record.id = {table.name}.{holder} where record.entity = :entity"


def _real(connection: sa.Connection) -> str:
    """The schema that holds the real tables."""
    if connection.dialect.name == "sqlite":
        return "main"
    return str(connection.execute(sa.text("select quote_ident(current_schema())")).scalar_one())


def _create(connection: sa.Connection) -> None:
    for table in DERIVED:
        columns = [sa.Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in table.columns]
        made = sa.Table(table.name, sa.MetaData(), *columns, prefixes=["TEMPORARY"])
        for index in table.indexes:
            sa.Index(f"{index.name}_overlay", *(made.c[column.name] for column in index.columns))
        made.create(connection, checkfirst=False)
    for table in drafted.TABLES:
        table.create(connection, checkfirst=False)


def _guard_sqlite(connection: sa.Connection) -> None:
    """Temporary tables on disk and the file read by pages, so that memory stays flat; the file cannot be written to."""
    driver: Any = connection.connection.dbapi_connection
    connection = connection.execution_options(readonly=True)
    driver.execute("pragma temp_store = file")
    driver.execute("pragma mmap_size = 0")
    with connection.begin():
        _create(connection)

    def permit(action: int, table: str | None, _column: str | None, database: str | None, _by: str | None) -> int:
        refused = action in _WRITES and database == "main" and table != "sqlite_master"  # json_each declares a table
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    driver.set_authorizer(permit)
