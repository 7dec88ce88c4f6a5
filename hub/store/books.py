"""Closed books: through which day, whose, by whom and why; and whether a golden record touches them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hub.store.book_tables import EVERYBODY, closing
from hub.store.change_table import change
from hub.store.tables import golden, golden_version


@dataclass(frozen=True, slots=True)
class Moved:
    """A golden record that changed, with the days on which it is and was booked."""

    golden: str
    label: str
    at: datetime
    days: tuple[str | None, str | None]


def close(connection: sa.Connection, books: str, through: date, who: tuple[str, str], now: datetime) -> int:
    """Close books through a day; the closing's id. `who` is author and reason."""
    author, reason = who
    row = {"books": books, "through": through, "author": author, "reason": reason, "closed_at": now}
    return int(connection.execute(sa.insert(closing).values(row).returning(closing.c.id)).scalar_one())


def reopen(connection: sa.Connection, closing_id: int, author: str, now: datetime) -> bool:
    """End a closing; whether it was in force."""
    mine = sa.update(closing).where(closing.c.id == closing_id, closing.c.reopened_at.is_(None))
    done = mine.values(reopened_at=now, reopened_by=author).returning(closing.c.id)
    return connection.execute(done).one_or_none() is not None


def every(connection: sa.Connection) -> list[dict[str, Any]]:
    """All closings, the newest first."""
    return [dict(row) for row in connection.execute(sa.select(closing).order_by(closing.c.id.desc())).mappings()]


def through(connection: sa.Connection) -> dict[str, date]:
    """Until which day books are closed, by golden id of the legal entity, and under `*` everybody's."""
    last = sa.select(closing.c.books, sa.func.max(closing.c.through)).where(closing.c.reopened_at.is_(None))
    return {row[0]: row[1] for row in connection.execute(last.group_by(closing.c.books))}


def changed_since(connection: sa.Connection, moment: datetime) -> bool:
    """Whether books were closed after a moment."""
    query = sa.select(closing.c.id).where(closing.c.closed_at > moment, closing.c.reopened_at.is_(None)).limit(1)
    return connection.execute(query).one_or_none() is not None


def standing(connection: sa.Connection) -> list[dict[str, Any]]:
    """The last closing in force of each books."""
    query = sa.select(closing).where(closing.c.reopened_at.is_(None)).order_by(closing.c.through, closing.c.id)
    return list({row["books"]: dict(row) for row in connection.execute(query).mappings()}.values())


def moved(connection: sa.Connection, entity: str, field: str, since: datetime, through: date) -> list[Moved]:
    """Changes after a moment of golden records whose field has or had a day up to the given one, in order."""
    new, old = golden_version.alias("new"), golden_version.alias("old")
    days = [version.c["values"][field].as_string() for version in (new, old)]
    query = sa.select(change.c.golden_id, golden.c.label, change.c.at, *days)
    query = query.join(golden, golden.c.id == change.c.golden_id)
    query = query.join(new, sa.and_(new.c.golden_id == change.c.golden_id, new.c.version == change.c.version))
    before = sa.and_(old.c.golden_id == change.c.golden_id, old.c.version == change.c.version - 1)
    end = (through + timedelta(days=1)).isoformat()
    query = query.join(old, before, isouter=True).where(change.c.entity == entity, change.c.at > since)
    query = query.where(sa.or_(*(day < end for day in days))).order_by(change.c.id)
    return [Moved(row[0], row[1], row[2], (row[3], row[4])) for row in connection.execute(query)]


def touches(closed: Mapping[str, date], days: Iterable[Any], books: str | None) -> bool:
    """Whether one of the days, ISO text or None, lies in a closed period of these books."""
    ends = [closed[name] for name in (EVERYBODY, books or EVERYBODY) if name in closed]
    return bool(ends) and any(day and date.fromisoformat(str(day)[:10]) <= max(ends) for day in days)
