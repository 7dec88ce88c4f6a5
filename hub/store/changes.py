"""The feed of changes of golden records, in an order in which none can be missed.

A change is numbered last of all in its transaction, while nobody else numbers one: so the numbers are in the order
in which transactions end, and whoever has seen a number has seen all before it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from hub.errors import CursorUnknown
from hub.store import bulk, cases
from hub.store.change_table import change
from hub.store.engine import last_of_all

START = "0"  # the cursor before everything
_CURSOR = re.compile(r"[1-9]\d{0,17}")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the feed: what changed, the cursor after it, and whether there is more already."""

    rows: Sequence[dict[str, Any]]
    cursor: str
    more: bool


Row = tuple[str, str, int, str, str | None, datetime]  # entity, golden id, version, kind, heir, when


def note(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Add changes to the feed, when everything else of the transaction is written."""
    if rows:
        last_of_all(connection, partial(_number, rows=rows))


def _number(connection: sa.Connection, rows: Sequence[Row]) -> None:
    cases.claim(connection, "changes")
    bulk.insert(connection, change, ("entity", "golden_id", "version", "kind", "heir", "at"), rows)


def after(connection: sa.Connection, cursor: str, most: int, entities: Collection[str] | None = None) -> Page:
    """The changes after a cursor, the oldest first; of these entities or of all.

    Raises CursorUnknown when it is none of this feed.
    """
    query = sa.select(change).where(change.c.id > _place(connection, cursor))
    if entities is not None:
        query = query.where(change.c.entity.in_(sorted(entities)))
    rows = connection.execute(query.order_by(change.c.id).limit(most + 1)).mappings()
    found = [dict(row) | {"cursor": str(row["id"])} for row in rows]
    kept = found[:most]
    return Page(kept, kept[-1]["cursor"] if kept else cursor, len(found) > most)


def last(connection: sa.Connection) -> str:
    """The cursor after everything: where a consumer goes on that reads it all now."""
    return str(connection.execute(sa.select(sa.func.max(change.c.id))).scalar() or START)


def _place(connection: sa.Connection, cursor: str) -> int:
    """Where a cursor stands. One that names no change of this feed would hide a gap."""
    if cursor == START:
        return 0
    here = sa.select(change.c.id).where(change.c.id == (int(cursor) if _CURSOR.fullmatch(cursor) else 0))
    place = connection.execute(here).scalar()
    if place is None:
        raise CursorUnknown(f"this feed has never told the cursor {cursor[:40]!r}.")
    return int(place)
