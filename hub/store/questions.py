"""Steward tasks that the hub opens and withdraws by itself: what is asked now, and what nobody asks any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from uuid_utils import uuid7

from hub.store import bulk
from hub.store.engine import among
from hub.store.tables import task

OPEN = task.c.state != "closed"  # said so that no index of states is taken where one of records is meant
WITHDRAWN = "settled by what is known now"  # why a task closed that nobody answered
Asked = tuple[str, str, int, int | None, str, float | None]  # entity, kind, one record, another, reason, score


def ask(connection: sa.Connection, asked: Iterable[Asked], now: datetime) -> None:
    """Open a task for each."""
    columns = ("id", "entity", "kind", "left_id", "right_id", "reason", "score", "state", "opened_at")
    bulk.insert(connection, task, columns, ((str(uuid7()), *one, "open", now) for one in asked))


def withdraw(connection: sa.Connection, ids: Collection[str], now: datetime) -> None:
    """Close these tasks: what is known now has settled them."""
    if ids:
        closed = {"state": "closed", "closed_at": now, "closed_by": WITHDRAWN}
        connection.execute(sa.update(task).where(among(connection, task.c.id, list(ids))).values(closed))
