"""Payloads that made no record: as received, with where and why."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.store.tables import batch, finding, payload


def newest(connection: sa.Connection, most: int) -> list[dict[str, Any]]:
    """The newest refused payloads, each with the gravest of its findings."""
    query = sa.select(
        payload.c.batch_id, payload.c.position, payload.c.system, payload.c.entity, payload.c.outcome, payload.c.body,
        payload.c.received_at, batch.c.origin,
    ).join(batch, batch.c.id == payload.c.batch_id)  # fmt: skip
    query = query.where(payload.c.outcome != "accepted").order_by(payload.c.batch_id.desc(), payload.c.position)
    rows = [dict(row) for row in connection.execute(query.limit(most)).mappings()]
    batches = sorted({row["batch_id"] for row in rows})
    said = sa.select(finding).where(finding.c.batch_id.in_(batches), finding.c.record_id.is_(None))
    why: dict[tuple[int, int], Any] = {}
    for one in connection.execute(said.order_by(finding.c.id)):
        at = (one.batch_id, one.position)
        if at not in why or one.severity == "error":
            why[at] = one
    for row in rows:
        said_of = why.get((row["batch_id"], row["position"]))
        row |= {name: getattr(said_of, name, None) for name in ("code", "message", "place")}
    return rows
