"""Closed books: through which day, whose, by whom and why; and whether a golden record touches them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from hub.store.book_tables import EVERYBODY, closing


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


def touches(closed: Mapping[str, date], days: Iterable[Any], books: str | None) -> bool:
    """Whether one of the days, ISO text or None, lies in a closed period of these books."""
    ends = [closed[name] for name in (EVERYBODY, books or EVERYBODY) if name in closed]
    return bool(ends) and any(day and date.fromisoformat(str(day)[:10]) <= max(ends) for day in days)
