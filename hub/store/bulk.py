"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite. Nothing comes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

Row = Sequence[Any]


def insert(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert the rows; each holds a value per column, as Python values. Any clash is an IntegrityError."""
    listed = list(rows)
    if not listed:
        return
    binders = [_binder(connection, table.c[name]) for name in columns]
    bound = [
        [value if bind is None else bind(value) for bind, value in zip(binders, row, strict=True)] for row in listed
    ]
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in bound:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 (names of our own tables)
        connection.exec_driver_sql(statement, [tuple(row) for row in bound])


def update(connection: sa.Connection, table: sa.Table, key: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Set the other columns of the rows that the key columns name; all rows hold the same columns."""
    if not rows:
        return
    bound = [{(f"key_{n}" if n in key else f"new_{n}"): v for n, v in row.items()} for row in rows]
    connection.execute(_update(table, tuple(key), tuple(rows[0])), bound)


@cache
def _update(table: sa.Table, key: Sequence[str], columns: Sequence[str]) -> sa.Update:
    where = [table.c[name] == sa.bindparam(f"key_{name}") for name in key]
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns if name not in key}
    return sa.update(table).where(*where).values(values)


def _binder(connection: sa.Connection, column: sa.Column[Any]) -> Any:
    """What turns a Python value into the driver's, or None when it already is."""
    if isinstance(column.type, sa.LargeBinary):
        return None
    return column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
