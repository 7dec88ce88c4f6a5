"""What charts of operations count: who wins which field, what runs came to, when each system was last heard."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.drift_tables import drift, reconciliation
from hub.store.tables import batch, golden, golden_version, outbox, payload, plan, plan_entry

Row = dict[str, Any]


def winners(connection: sa.Connection, entity: str, most: int = 1000) -> tuple[dict[str, Counter[str]], int]:
    """Field → how often each system's value stands, over the first golden records; how many were looked at."""
    v = golden_version.c
    query = sa.select(v.provenance).join(golden, sa.and_(golden.c.id == v.golden_id, golden.c.version == v.version))
    query = query.where(golden.c.entity == entity, golden.c.state == "live").order_by(golden.c.id).limit(most)
    found: dict[str, Counter[str]] = {}
    rows = list(connection.execute(query).scalars())
    for provenance in rows:
        for field, (source, *_) in provenance.items():
            found.setdefault(field, Counter())[source.split(":")[0] if source else "steward"] += 1
    return found, len(rows)


def runs(connection: sa.Connection, most: int = 16) -> list[Row]:
    """The newest plans that were sent, the oldest first, each with its records by the state that they ended in."""
    sent = sa.select(plan.c.id, plan.c.target, plan.c.finished_at).where(plan.c.state.in_(("done", "running")))
    heads = connection.execute(sent.order_by(plan.c.id.desc()).limit(most)).mappings()
    found = {row["id"]: {**row, "counts": {}} for row in heads}
    e = plan_entry.c
    counted = (
        sa.select(e.plan_id, e.state, sa.func.count()).where(e.plan_id.in_(list(found))).group_by(e.plan_id, e.state)
    )
    for id_, state, count in connection.execute(counted):
        found[id_]["counts"][state] = count
    return [found[id_] for id_ in sorted(found)]


def heard(connection: sa.Connection, most: int = 300) -> dict[str, datetime]:
    """System → when the last of its newest deliveries was taken in whole."""
    system = sa.select(payload.c.system).where(payload.c.batch_id == batch.c.id).limit(1).scalar_subquery()
    query = sa.select(system, batch.c.finished_at).where(batch.c.finished_at.is_not(None))
    found: dict[str, datetime] = {}
    for name, moment in connection.execute(query.order_by(batch.c.id.desc()).limit(most)):
        if name is not None:
            found.setdefault(name, moment)
    return dict(sorted(found.items()))


def unread(connection: sa.Connection) -> list[Row]:
    """Sent plans of which the target has not been read back whole since, the oldest first."""
    r = reconciliation.c
    read = sa.select(r.id).where(r.target == plan.c.target, r.complete, r.started_at >= plan.c.finished_at).exists()
    query = sa.select(plan.c.id, plan.c.target, plan.c.finished_at).where(plan.c.state == "done", sa.not_(read))
    return [dict(row) for row in connection.execute(query.order_by(plan.c.id)).mappings()]


def held_back(connection: sa.Connection) -> dict[str, int]:
    """Target → publications that wait for a person or are held by a rule."""
    waits = sa.or_(outbox.c.held.is_not(None), sa.and_(outbox.c.waits_for.is_not(None), outbox.c.approved_at.is_(None)))
    query = sa.select(outbox.c.target, sa.func.count(outbox.c.golden_id.distinct()))
    query = query.where(outbox.c.state == "pending", waits).group_by(outbox.c.target)
    return {row[0]: row[1] for row in connection.execute(query.order_by(outbox.c.target))}


def unsent(connection: sa.Connection) -> list[Row]:
    """Plans that are made but not sent to their end."""
    query = sa.select(plan.c.id, plan.c.target, plan.c.state, plan.c.created_by, plan.c.created_at, plan.c.needs).where(
        plan.c.state.in_(("draft", "approved", "running"))
    )
    return [dict(row) for row in connection.execute(query.order_by(plan.c.id)).mappings()]


def drifting(connection: sa.Connection) -> list[Row]:
    """Differences that stand and that nobody has accepted: target, entity, since when, the money they speak of."""
    query = sa.select(drift.c.target, drift.c.entity, drift.c.since, drift.c.amount).where(drift.c.state == "open")
    return [dict(row) for row in connection.execute(query).mappings()]


def pending(connection: sa.Connection, golden_id: str) -> list[Row]:
    """What is owed of a golden record to each target, and for what it waits: the newest of each."""
    query = sa.select(outbox.c.target, outbox.c.waits_for, outbox.c.approved_at, outbox.c.held, outbox.c.created_at)
    query = query.where(outbox.c.golden_id == golden_id, outbox.c.state == "pending").order_by(outbox.c.id)
    return list({row["target"]: dict(row) for row in connection.execute(query).mappings()}.values())


def standing_entries(connection: sa.Connection, golden_id: str) -> list[Row]:
    """What the newest plan of each target says of a golden record, unless it is settled there."""
    e = plan_entry.c
    newest = sa.select(sa.func.max(e.plan_id)).join(plan, plan.c.id == e.plan_id)
    newest = newest.where(e.golden_id == golden_id, plan.c.state != "stale").group_by(plan.c.target)
    query = sa.select(e.plan_id, e.state, e.reason, plan.c.target, plan.c.created_at, plan.c.state.label("plan_state"))
    query = query.join(plan, plan.c.id == e.plan_id).where(e.golden_id == golden_id, e.plan_id.in_(newest))
    query = query.where(e.state.not_in(("acknowledged", "superseded", "held")))
    return [dict(row) for row in connection.execute(query.order_by(plan.c.target)).mappings()]
