"""What is being sent: who sends a plan, which entries are next, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store import bulk
from hub.store.engine import among
from hub.store.tables import delivery, golden, plan, plan_entry, publication
from hub.store.types import Utc

Row = Mapping[str, Any]


def hold(connection: sa.Connection, plan_id: int, holder: str, until: datetime, now: datetime) -> int | None:
    """Take a plan in hand, as the only one, until then: the fence of this time; None when somebody else has it."""
    free = sa.or_(plan.c.holder.is_(None), plan.c.lease_until < now)
    taken = sa.update(plan).where(plan.c.id == plan_id, free)
    taken = taken.values(holder=holder, lease_until=until, fence=plan.c.fence + 1).returning(plan.c.fence)
    fence: int | None = connection.execute(taken).scalar_one_or_none()
    return fence


def holds(connection: sa.Connection, plan_id: int, fence: int, until: datetime) -> bool:
    """Whether a plan is still in the hand that took it, which it stays until then; locked for this transaction."""
    mine = sa.and_(plan.c.id == plan_id, plan.c.fence == fence, plan.c.holder.is_not(None))
    kept = sa.update(plan).where(mine).values(lease_until=until).returning(plan.c.id)
    return connection.execute(kept).one_or_none() is not None


def release(connection: sa.Connection, plan_id: int, fence: int) -> None:
    """Let others send the plan."""
    mine = sa.and_(plan.c.id == plan_id, plan.c.fence == fence)
    connection.execute(sa.update(plan).where(mine).values(holder=None, lease_until=None))


def abandoned(connection: sa.Connection, target: str, now: datetime) -> list[int]:
    """Plans of a target whose sending was begun, that nobody sends, and of which something may be tried by now."""
    free = sa.or_(plan.c.holder.is_(None), plan.c.lease_until < now)
    left = sa.select(plan_entry.c.position).where(plan_entry.c.plan_id == plan.c.id, _open())
    due = sa.or_(~left.exists(), left.where(_due(now)).exists())
    query = sa.select(plan.c.id).where(plan.c.target == target, plan.c.state == "running", free, due)
    return list(connection.execute(query.order_by(plan.c.id)).scalars())


def next_try(connection: sa.Connection, plan_id: int, now: datetime) -> datetime | None:
    """When something of a plan may be tried, now or later; None when all has ended."""
    soonest = sa.func.min(sa.func.coalesce(plan_entry.c.next_at, sa.literal(now, Utc())), type_=Utc())
    query = sa.select(soonest).where(plan_entry.c.plan_id == plan_id, _open())
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def unknown(connection: sa.Connection, plan_id: int, most: int, due: datetime) -> list[Row]:
    """Entries whose outcome is to be looked for by now; one more attempt is counted."""
    query = sa.select(plan_entry).where(plan_entry.c.plan_id == plan_id, plan_entry.c.state == "sending", _due(due))
    rows = [dict(row) for row in connection.execute(query.order_by(plan_entry.c.position).limit(most)).mappings()]
    return _taken(connection, plan_id, rows)


def doubt(connection: sa.Connection, plan_id: int, until: datetime) -> None:
    """Whoever sent is gone: what was being sent is not looked for before then."""
    lost = sa.and_(plan_entry.c.plan_id == plan_id, plan_entry.c.state == "sending", plan_entry.c.next_at.is_(None))
    connection.execute(sa.update(plan_entry).where(lost).values(next_at=until))


def ready(connection: sa.Connection, plan_id: int, most: int, due: datetime) -> list[Row]:
    """The next entries that could be sent by now."""
    query = sa.select(plan_entry).where(plan_entry.c.plan_id == plan_id, plan_entry.c.state == "planned", _due(due))
    query = query.order_by(plan_entry.c.position).limit(most).with_for_update(skip_locked=True)
    return [dict(row) for row in connection.execute(query).mappings()]


def claim(connection: sa.Connection, plan_id: int, rows: Sequence[Row]) -> list[Row]:
    """Mark entries as being sent, before anything leaves."""
    return _taken(connection, plan_id, rows)


def standing(connection: sa.Connection, plan_id: int, ids: Sequence[str]) -> dict[str, Row]:
    """The entries of these golden records in a plan: state, and when it is tried next."""
    query = sa.select(plan_entry.c.golden_id, plan_entry.c.state, plan_entry.c.next_at)
    query = query.where(plan_entry.c.plan_id == plan_id, among(connection, plan_entry.c.golden_id, ids))
    return {row["golden_id"]: dict(row) for row in connection.execute(query).mappings()}


def put_off(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Set state, reason and next try of entries that are not sent now."""
    bulk.update(connection, plan_entry, ("plan_id", "position"), rows)


def settle(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Write what became of sent entries: state, reason, next try, and the attempt itself."""
    names = ("plan_id", "position", "state", "attempts", "next_at")
    ended = [{name: row[name] for name in names} | {"reason": row["says"]} for row in rows]
    bulk.update(connection, plan_entry, ("plan_id", "position"), ended)
    tries = (
        (r["plan_id"], r["position"], r["attempt"], r["status"], r["code"], r["says"], r["sent_at"])
        for r in rows
        if r["attempt"]
    )
    bulk.insert(connection, delivery, ("plan_id", "position", "attempt", "status", "code", "says", "sent_at"), tries)


def acknowledge(connection: sa.Connection, target: str, rows: Sequence[Row]) -> None:
    """Keep what the target now has, and that these golden records are published."""
    ids = [row["golden_id"] for row in rows]
    gone = sa.and_(publication.c.target == target, among(connection, publication.c.golden_id, ids))
    connection.execute(sa.delete(publication).where(gone))
    columns = (
        "golden_id",
        "acknowledged_version",
        "remote_id",
        "remote_version",
        "values",
        "body",
        "body_hash",
        "active",
        "acknowledged_at",
    )
    bulk.insert(connection, publication, ("target", *columns), ((target, *(row[c] for c in columns)) for row in rows))
    connection.execute(sa.update(golden).where(among(connection, golden.c.id, ids)).values(published=True))


def _taken(connection: sa.Connection, plan_id: int, rows: Sequence[Row]) -> list[Row]:
    mine = sa.and_(
        plan_entry.c.plan_id == plan_id, among(connection, plan_entry.c.position, [row["position"] for row in rows])
    )
    taken = {"state": "sending", "attempts": plan_entry.c.attempts + 1, "next_at": None}
    connection.execute(sa.update(plan_entry).where(mine).values(taken))
    return [{**row, "attempts": row["attempts"] + 1} for row in rows]


def _open() -> sa.ColumnElement[bool]:
    return plan_entry.c.state.in_(("planned", "sending"))


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(plan_entry.c.next_at.is_(None), plan_entry.c.next_at <= now)
