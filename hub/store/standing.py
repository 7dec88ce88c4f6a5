"""What stands in the store, read in batches to be compared with what judgement would give."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from hub.store import echoes
from hub.store.engine import among
from hub.store.tables import (
    delivery,
    finding,
    golden,
    golden_version,
    link,
    plan,
    plan_entry,
    publication,
    record,
    task,
)  # fmt: skip

Row = Mapping[str, Any]
TAKEN = ("applied", "unchanged", "replayed")  # receipts by which a target has what was sent


def ids_after(connection: sa.Connection, entity: str, after: int, most: int) -> list[int]:
    """The next records of an entity in order of id, tombstones included."""
    query = sa.select(record.c.id).where(record.c.entity == entity, record.c.id > after)
    return list(connection.execute(query.order_by(record.c.id).limit(most)).scalars())


def goldens(connection: sa.Connection, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Golden records by id with the version in force, since when it is, and its findings."""
    both = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
    v = golden_version.c
    query = sa.select(golden, v["values"], v.provenance, v.members, v.ruleset, v.valid_from)
    query = query.join(golden_version, both).where(among(connection, golden.c.id, sorted(ids)))
    found = {row["id"]: dict(row) | {"findings": []} for row in connection.execute(query).mappings()}
    noted = sa.select(finding.c.golden_id, finding.c.code, finding.c.severity, finding.c.field, finding.c.message)
    noted = noted.where(among(connection, finding.c.golden_id, sorted(found))).order_by(finding.c.id)
    for golden_id, *said in connection.execute(noted):
        found[golden_id]["findings"].append(said)
    return found


def version(connection: sa.Connection, golden_id: str, number: int) -> dict[str, Any] | None:
    """One version of a golden record."""
    v = golden_version.c
    query = sa.select(golden_version).where(v.golden_id == golden_id, v.version == number)
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def open_tasks(connection: sa.Connection, record_ids: Sequence[int], kinds: Collection[str]) -> list[dict[str, Any]]:
    """Open tasks of these kinds that ask about one of these records."""
    about = sa.or_(among(connection, task.c.left_id, record_ids), among(connection, task.c.right_id, record_ids))
    query = sa.select(task).where(task.c.state == "open", task.c.kind.in_(sorted(kinds)), about).order_by(task.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def statuses(connection: sa.Connection, record_ids: Sequence[int]) -> dict[int, str]:
    """Record → linked, in review or failed, as it is counted."""
    query = sa.select(record.c.id, record.c.status).where(among(connection, record.c.id, record_ids))
    return dict(connection.execute(query).all())


def first_taken(connection: sa.Connection, ids: Collection[str]) -> dict[str, datetime]:
    """Golden id → when some target first took it."""
    both = sa.and_(delivery.c.plan_id == plan_entry.c.plan_id, delivery.c.position == plan_entry.c.position)
    query = sa.select(plan_entry.c.golden_id, sa.func.min(delivery.c.sent_at)).join(delivery, both)
    query = query.where(delivery.c.status.in_(TAKEN), among(connection, plan_entry.c.golden_id, sorted(ids)))
    return dict(connection.execute(query.group_by(plan_entry.c.golden_id)).all())


def sent_by(connection: sa.Connection, keys: Collection[SourceKey], at: datetime) -> dict[SourceKey, Any]:
    """Of records in a system that is also a target: the golden values that it had last taken from us by then."""
    named = {(key.system, key.key): key for key in keys}
    both = sa.and_(delivery.c.plan_id == plan_entry.c.plan_id, delivery.c.position == plan_entry.c.position)
    v = golden_version.c
    query = sa.select(publication.c.target, publication.c.remote_id, v["values"], v.provenance).select_from(publication)
    query = query.join(plan_entry, plan_entry.c.golden_id == publication.c.golden_id).join(delivery, both)
    query = query.join(plan, sa.and_(plan.c.id == plan_entry.c.plan_id, plan.c.target == publication.c.target))
    query = query.join(
        golden_version, sa.and_(v.golden_id == plan_entry.c.golden_id, v.version == plan_entry.c.version)
    )
    query = query.where(among(connection, publication.c.remote_id, sorted({key for _, key in named})))
    query = query.where(delivery.c.status.in_(TAKEN), delivery.c.sent_at <= at).order_by(delivery.c.id)
    rows = [row for row in connection.execute(query) if (row[0], row[1]) in named]
    return {named[row[0], row[1]]: echoes.told(named[row[0], row[1]], row[2], row[3]) for row in rows}


def unheld(connection: sa.Connection, entity: str) -> str | None:
    """A live golden record that no live record is linked to; None, always."""
    held = sa.exists().where(
        link.c.golden_id == golden.c.id,
        link.c.until.is_(None),
        record.c.id == link.c.record_id,
        record.c.state == "live",
    )
    query = sa.select(golden.c.id).where(golden.c.entity == entity, golden.c.state == "live", ~held)
    return connection.execute(query.order_by(golden.c.id).limit(1)).scalar()
