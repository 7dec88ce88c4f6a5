"""What targets did not take, and what is to become of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from hub.store import bulk
from hub.store.engine import among
from hub.store.failure_table import failure
from hub.store.tables import golden, outbox, plan, plan_entry

Row = dict[str, Any]
_COLUMNS = tuple(column.name for column in failure.columns)


def of(connection: sa.Connection, target: str, ids: Sequence[str]) -> dict[str, Row]:
    """What failed of these golden records, by golden id."""
    query = sa.select(failure).where(failure.c.target == target, among(connection, failure.c.golden_id, ids))
    return {row["golden_id"]: dict(row) for row in connection.execute(query).mappings()}


def put(connection: sa.Connection, target: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep these failures in place of what was known of their golden records."""
    forget(connection, target, [row["golden_id"] for row in rows])
    filled = ({name: row.get(name) for name in _COLUMNS} | {"target": target} for row in rows)
    bulk.insert(connection, failure, _COLUMNS, (tuple(row.values()) for row in filled))


def forget(connection: sa.Connection, target: str, ids: Sequence[str]) -> None:
    """They have gone across, or are to be tried anew."""
    if ids:
        mine = sa.and_(failure.c.target == target, among(connection, failure.c.golden_id, ids))
        connection.execute(sa.delete(failure).where(mine))


def listed(connection: sa.Connection, target: str | None) -> list[Row]:
    """All failures of a target or of all, the longest standing first, with entity and label."""
    query = sa.select(failure, golden.c.entity, golden.c.label).join(golden, golden.c.id == failure.c.golden_id)
    if target is not None:
        query = query.where(failure.c.target == target)
    rows = connection.execute(query.order_by(failure.c.since, failure.c.target, failure.c.golden_id)).mappings()
    return [dict(row) for row in rows]


def set_aside(connection: sa.Connection, target: str, golden_id: str, reason: str) -> bool:
    """Take what waits of a golden record out of plans that have not ended; False while it is being sent."""
    plans = sa.select(plan.c.id).where(plan.c.target == target, plan.c.state.in_(("draft", "approved", "running")))
    mine = sa.and_(plan_entry.c.golden_id == golden_id, plan_entry.c.plan_id.in_(plans))
    if connection.execute(sa.select(plan_entry.c.position).where(mine, plan_entry.c.state == "sending")).first():
        return False
    waits = sa.update(plan_entry).where(mine, plan_entry.c.state == "planned")
    connection.execute(waits.values(state="parked", reason=reason, next_at=None))
    return True


def owed(connection: sa.Connection, target: str, golden_id: str) -> int | None:
    """The newest version that a target has not taken of a golden record; None when there is nothing."""
    query = sa.select(sa.func.max(outbox.c.version)).where(outbox.c.target == target, outbox.c.golden_id == golden_id)
    waits = sa.select(plan_entry.c.position).join(plan, plan.c.id == plan_entry.c.plan_id)
    waits = waits.where(plan.c.target == target, plan_entry.c.golden_id == golden_id)
    open_ = waits.where(plan_entry.c.state.in_(("planned", "sending"))).exists()
    found: int | None = connection.execute(query.where(sa.or_(outbox.c.state == "pending", open_))).scalar_one()
    return found


def under_way(connection: sa.Connection, target: str | None) -> list[Row]:
    """Plans that have not ended, the oldest first: their rows, counts by state, and the next try."""
    query = sa.select(plan).where(plan.c.state.in_(("draft", "approved", "running"))).order_by(plan.c.id)
    if target is not None:
        query = query.where(plan.c.target == target)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    here = among(connection, plan_entry.c.plan_id, [row["id"] for row in rows])
    counted = sa.select(plan_entry.c.plan_id, plan_entry.c.state, sa.func.count(), sa.func.min(plan_entry.c.next_at))
    counts: dict[int, dict[str, int]] = {row["id"]: {} for row in rows}
    soonest: dict[int, Any] = {}
    for plan_id, state, count, next_at in connection.execute(
        counted.where(here).group_by(plan_entry.c.plan_id, plan_entry.c.state)
    ):
        counts[plan_id][state] = count
        soonest[plan_id] = min(filter(None, (soonest.get(plan_id), next_at)), default=None)
    return [row | {"counts": counts[row["id"]], "next_at": soonest.get(row["id"])} for row in rows]


def owing(connection: sa.Connection) -> dict[str, int]:
    """Target → how many golden records are owed to it and stand in no plan."""
    query = sa.select(outbox.c.target, sa.func.count(outbox.c.golden_id.distinct())).where(outbox.c.state == "pending")
    return dict(connection.execute(query.group_by(outbox.c.target)).all())
