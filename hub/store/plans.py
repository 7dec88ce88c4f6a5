"""What is owed to a target, and the saved plans that pay it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canonical.record import GoldenRecord
from hub.store import bulk
from hub.store.engine import among
from hub.store.tables import (
    golden,
    golden_reference,
    golden_version,
    link,
    outbox,
    plan,
    plan_entry,
    publication,
)  # fmt: skip

ENTRY = (
    "plan_id",
    "position",
    "entity",
    "golden_id",
    "version",
    "action",
    "state",
    "body",
    "body_hash",
    "changes",
    "reason",
    "after",
    "heir",
)
ENDS = ("acknowledged", "rejected", "held", "superseded", "parked")


@dataclass(frozen=True, slots=True)
class Owed:
    """The newest thing a target has not heard of one golden record."""

    golden_id: str
    entity: str
    version: int
    action: str
    waits_for: str | None
    held: str | None
    rows: tuple[int, ...]  # the outbox rows that it settles
    approved: bool = False


def owed(connection: sa.Connection, target: str) -> tuple[list[Owed], int]:
    """What is owed, one entry per golden record, and the last outbox row that was read.

    What was owed of a record that has retired meanwhile, and that the target never had, is settled here.
    """
    gone = sa.exists().where(golden.c.id == outbox.c.golden_id, golden.c.state != "live")
    never = sa.and_(outbox.c.target == target, outbox.c.state == "pending", outbox.c.action == "upsert", gone)
    connection.execute(sa.update(outbox).where(never).values(state="done"))
    rows: dict[str, list[Any]] = {}
    query = sa.select(outbox).where(outbox.c.target == target, outbox.c.state == "pending").order_by(outbox.c.id)
    watermark = 0
    for row in connection.execute(query):
        rows.setdefault(row.golden_id, []).append(row)
        watermark = row.id
    owing = [
        Owed(
            id_,
            last.entity,
            last.version,
            last.action,
            None if last.approved_at else last.waits_for,
            last.held,
            tuple(r.id for r in group),
            last.approved_at is not None,
        )
        for id_, group in rows.items()
        for last in group[-1:]
    ]
    return owing, watermark


def ask(connection: sa.Connection, roles: Mapping[int, str]) -> None:
    """Have outbox rows wait for a role's approval."""
    bulk.update(connection, outbox, ("id",), [{"id": id_, "waits_for": role} for id_, role in roles.items()])


def waiting(connection: sa.Connection) -> list[dict[str, Any]]:
    """What waits for somebody's approval before it may leave: the newest of each golden record and target."""
    last = sa.func.max(outbox.c.id).over(partition_by=(outbox.c.target, outbox.c.golden_id)).label("last")
    rows = sa.select(outbox, golden.c.label, last).join(golden, golden.c.id == outbox.c.golden_id)
    found = rows.where(outbox.c.state == "pending").subquery()
    query = sa.select(found).where(found.c.id == found.c.last, found.c.waits_for.is_not(None))
    query = query.where(found.c.approved_at.is_(None)).order_by(found.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def let_go(connection: sa.Connection, outbox_id: int, approver: str, now: datetime) -> bool:
    """Note that somebody approved it; whether it still waited."""
    mine = sa.and_(outbox.c.id == outbox_id, outbox.c.state == "pending", outbox.c.approved_at.is_(None))
    done = sa.update(outbox).where(mine).values(approved_at=now, approved_by=approver)
    return connection.execute(done.returning(outbox.c.id)).one_or_none() is not None


def unapprove(connection: sa.Connection, entity: str, before: datetime) -> list[str]:
    """Take back approvals of this entity's publications that were given before a time and have not been planned."""
    old = sa.and_(outbox.c.entity == entity, outbox.c.state == "pending", outbox.c.approved_at < before)
    taken = sa.update(outbox).where(old).values(approved_at=None, approved_by=None).returning(outbox.c.golden_id)
    return sorted(connection.execute(taken).scalars())


def goldens(connection: sa.Connection, ids: Sequence[str], *, live: bool = False) -> dict[str, GoldenRecord]:
    """The version in force of each golden record, or of each that is `live`, with provenance left out."""
    both = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
    query = sa.select(
        golden.c.id, golden.c.entity, golden.c.version, golden_version.c["values"], golden_version.c.ruleset
    )
    query = query.join(golden_version, both).where(among(connection, golden.c.id, ids))
    if live:
        query = query.where(golden.c.state == "live")
    return {row[0]: GoldenRecord(row[0], row[1], row[2], row[3], {}, (), row[4]) for row in connection.execute(query)}


def parents(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Golden id → reference field → the golden id that it leads to now, None while its record is not here."""
    heir = golden.alias("heir")
    there = sa.func.coalesce(heir.c.heir, heir.c.id)
    query = sa.select(golden_reference.c.golden_id, golden_reference.c.field, there)
    query = query.join(
        link, sa.and_(link.c.record_id == golden_reference.c.parent_id, link.c.until.is_(None)), isouter=True
    )
    query = query.join(heir, heir.c.id == link.c.golden_id, isouter=True)
    found: dict[str, dict[str, str | None]] = {}
    for child, field, parent in connection.execute(query.where(among(connection, golden_reference.c.golden_id, ids))):
        found.setdefault(child, {})[field] = parent
    return found


def heirs(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Into which golden record each of these was merged, of those that were."""
    query = sa.select(golden.c.id, golden.c.heir).where(golden.c.heir.is_not(None), among(connection, golden.c.id, ids))
    return dict(connection.execute(query).all())


def merged_into(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Which golden records were merged into each of these."""
    query = sa.select(golden.c.heir, golden.c.id).where(among(connection, golden.c.heir, ids)).order_by(golden.c.id)
    found: dict[str, list[str]] = {}
    for heir, golden_id in connection.execute(query):
        found.setdefault(heir, []).append(golden_id)
    return found


def published(connection: sa.Connection, target: str, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What the target has acknowledged of these golden records."""
    query = sa.select(publication).where(
        publication.c.target == target, among(connection, publication.c.golden_id, ids)
    )
    return {row["golden_id"]: dict(row) for row in connection.execute(query).mappings()}


def save(
    connection: sa.Connection, head: Mapping[str, Any], entries: Sequence[tuple[Any, ...]], settled: Iterable[int]
) -> int:
    """Keep a plan with its entries and mark what it settles as planned; its id."""
    plan_id: int = connection.execute(sa.insert(plan).values(dict(head)).returning(plan.c.id)).scalar_one()
    bulk.insert(connection, plan_entry, (*ENTRY, "attempts"), ((plan_id, *entry, 0) for entry in entries))
    planned = sa.update(outbox).where(among(connection, outbox.c.id, sorted(settled))).values(state="planned")
    connection.execute(planned)
    return plan_id


def get(connection: sa.Connection, plan_id: int, *, lock: bool = False) -> Mapping[str, Any] | None:
    """The plan's own row."""
    query = sa.select(plan).where(plan.c.id == plan_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return dict(row) if row else None


def undecided(connection: sa.Connection, target: str) -> list[Mapping[str, Any]]:
    """Saved plans of a target that somebody must approve because of how much they change, the oldest first."""
    query = sa.select(plan).where(plan.c.target == target, plan.c.state == "draft", plan.c.needs.is_not(None))
    return [dict(row) for row in connection.execute(query.order_by(plan.c.id)).mappings()]


def begun(connection: sa.Connection) -> list[str]:
    """Targets to which a plan is being sent that has not ended."""
    query = sa.select(plan.c.target).distinct().where(plan.c.state == "running")
    return sorted(connection.execute(query).scalars())


def change(connection: sa.Connection, plan_id: int, **values: Any) -> None:
    """Set columns of the plan's row."""
    connection.execute(sa.update(plan).where(plan.c.id == plan_id).values(values))


def entries(connection: sa.Connection, plan_id: int, states: Sequence[str] = ()) -> list[Mapping[str, Any]]:
    """The entries in the order of sending, all or those in these states."""
    query = sa.select(plan_entry, golden.c.label).join(golden, golden.c.id == plan_entry.c.golden_id)
    query = query.where(plan_entry.c.plan_id == plan_id).order_by(plan_entry.c.position)
    if states:
        query = query.where(plan_entry.c.state.in_(states))
    return [dict(row) for row in connection.execute(query).mappings()]


def outdated(connection: sa.Connection, plan_id: int) -> list[str]:
    """Golden records that have moved on since the plan was made."""
    gone = plan_entry.c.action == "deactivate"
    newer = sa.or_(golden.c.version > plan_entry.c.version, golden.c.state != "live")
    moved = sa.case((gone, golden.c.state == "live"), else_=newer)
    query = sa.select(golden.c.id).join(plan_entry, plan_entry.c.golden_id == golden.c.id)
    query = query.where(plan_entry.c.plan_id == plan_id, plan_entry.c.state == "planned", moved).order_by(golden.c.id)
    return list(connection.execute(query).scalars())


def owe_again(connection: sa.Connection, target: str, golden_ids: Sequence[str]) -> None:
    """Put back into the outbox what a plan did not get across, unless something newer is owed already."""
    newest = sa.select(sa.func.max(outbox.c.id)).where(
        outbox.c.target == target, among(connection, outbox.c.golden_id, golden_ids)
    )
    newest = newest.group_by(outbox.c.golden_id)
    connection.execute(
        sa.update(outbox).where(outbox.c.id.in_(newest), outbox.c.state == "planned").values(state="pending")
    )


def try_now(connection: sa.Connection, target: str, golden_ids: Sequence[str]) -> None:
    """Let what waits of these golden records in a plan that is being sent wait no longer."""
    running = sa.select(plan.c.id).where(plan.c.target == target, plan.c.state == "running")
    mine = sa.and_(plan_entry.c.plan_id.in_(running), among(connection, plan_entry.c.golden_id, golden_ids))
    waits = sa.update(plan_entry).where(mine, plan_entry.c.state == "planned").values(next_at=None)
    connection.execute(waits)


def retire(connection: sa.Connection, head: Mapping[str, Any], reason: str) -> None:
    """End a plan that is not sent, and owe again what it would have sent."""
    change(connection, head["id"], state="stale", reason=reason)
    waiting = sa.and_(plan_entry.c.plan_id == head["id"], plan_entry.c.state == "planned")
    ended = sa.update(plan_entry).where(waiting).values(state="superseded", reason=reason)
    owe_again(connection, head["target"], list(connection.execute(ended.returning(plan_entry.c.golden_id)).scalars()))


def counts(connection: sa.Connection, plan_id: int) -> dict[str, int]:
    """How many entries stand in each state."""
    query = sa.select(plan_entry.c.state, sa.func.count()).where(plan_entry.c.plan_id == plan_id)
    return dict(connection.execute(query.group_by(plan_entry.c.state)).all())
