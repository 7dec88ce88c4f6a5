"""What people decided: journal entries about source records, undone by an end time, never erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from uuid_utils import uuid7

from canonical.ids import SourceKey
from hub.store.engine import among
from hub.store.questions import WITHDRAWN
from hub.store.tables import decision, golden, link, record, task


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer, about one source record or a pair."""

    kind: str
    left: SourceKey
    right: SourceKey | None
    reason: str
    author: str
    field: str | None = None
    value: Any = None
    until: datetime | None = None
    seen: Mapping[str, Any] | None = None
    batch: str | None = None  # decisions that are undone as one
    lapses: bool = False  # it stands only while the evidence is what it is
    id: str = dataclass_field(default_factory=lambda: str(uuid7()))


def add(connection: sa.Connection, made: Decision, now: datetime) -> str:
    """Keep the decision; its id."""
    left, right = (made.left, made.right) if made.right is None or made.left <= made.right else (made.right, made.left)
    row = {
        "id": made.id, "kind": made.kind, "left_id": left.record_id,
        "right_id": right.record_id if right else None, "field": made.field, "value": made.value, "until": made.until,
        "seen": None if made.seen is None else dict(made.seen),
        "reason": made.reason, "author": made.author, "decided_at": now,
        "batch": made.batch, "lapses": made.lapses or None,
    }  # fmt: skip
    connection.execute(sa.insert(decision).values(row))
    return made.id


def undo(
    connection: sa.Connection, ids: Sequence[str], author: str, now: datetime, *, ended_for: str | None = None
) -> list[Mapping[str, Any]]:
    """End those of these decisions that are in force, for the sake of a later one if it is named; their rows."""
    ended = sa.update(decision).where(among(connection, decision.c.id, ids), decision.c.undone_at.is_(None))
    rows = connection.execute(
        ended.values(undone_at=now, undone_by=author, ended_for=ended_for).returning(*decision.c)
    ).mappings()
    return [dict(row) for row in rows]


def ended_for(connection: sa.Connection, enders: Sequence[str]) -> list[Mapping[str, Any]]:
    """The decisions that ended for the sake of one of these decisions or batches of which none is in force."""
    live = sa.select(sa.func.coalesce(decision.c.batch, decision.c.id)).where(decision.c.undone_at.is_(None))
    gone = sa.and_(among(connection, decision.c.ended_for, enders), decision.c.ended_for.not_in(live))
    query = sa.select(decision).where(gone).order_by(decision.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def restore(connection: sa.Connection, id_: str) -> None:
    """Put an ended decision in force again, as it was."""
    again = sa.update(decision).where(decision.c.id == id_)
    connection.execute(again.values(undone_at=None, undone_by=None, ended_for=None))


def of_batch(connection: sa.Connection, batch: str) -> list[str]:
    """The decisions of a batch that are in force."""
    query = sa.select(decision.c.id).where(decision.c.batch == batch, decision.c.undone_at.is_(None))
    return list(connection.execute(query.order_by(decision.c.id)).scalars())


def in_force(connection: sa.Connection, kinds: Sequence[str], left: set[int], right: set[int]) -> list[str]:
    """Decisions of these kinds in force between one of these records and one of those."""
    live = sa.and_(decision.c.kind.in_(kinds), decision.c.undone_at.is_(None))
    found: list[str] = []
    for a, b in ((left, right), (right, left)):
        across = sa.and_(
            among(connection, decision.c.left_id, sorted(a)), among(connection, decision.c.right_id, sorted(b))
        )
        found += connection.execute(sa.select(decision.c.id).where(live, across)).scalars()
    return sorted(set(found))


def same_edges(connection: sa.Connection, start: int) -> dict[int, tuple[int, str]]:
    """Every record that a chain of "same" leads to from one: record → (the record before it, decision id)."""
    reached: dict[int, tuple[int, str]] = {start: (start, "")}
    frontier = [start]
    while frontier:
        live = sa.and_(decision.c.kind == "same", decision.c.undone_at.is_(None))
        near = sa.or_(among(connection, decision.c.left_id, frontier), among(connection, decision.c.right_id, frontier))
        found = connection.execute(sa.select(decision.c.id, decision.c.left_id, decision.c.right_id).where(live, near))
        frontier = []
        for id_, left, right in found.all():
            for here, there in ((left, right), (right, left)):
                if here in reached and there not in reached:
                    reached[there] = (here, id_)
                    frontier.append(there)
    return reached


def different_among(connection: sa.Connection, left: set[int], right: set[int]) -> Mapping[str, Any] | None:
    """A "different" or "related" in force between one of these records and one of those."""
    live = sa.and_(decision.c.kind.in_(("different", "related")), decision.c.undone_at.is_(None))
    for a, b in ((left, right), (right, left)):
        across = sa.and_(
            among(connection, decision.c.left_id, sorted(a)), among(connection, decision.c.right_id, sorted(b))
        )
        row = connection.execute(sa.select(decision).where(live, across).limit(1)).mappings().one_or_none()
        if row:
            return dict(row)
    return None


def task_of(connection: sa.Connection, task_id: str) -> Mapping[str, Any] | None:
    """The task, with the source keys that it asks about."""
    left, right = record.alias("l"), record.alias("r")
    columns = [left.c.system, left.c.entity.label("left_entity"), left.c.key]
    columns += [
        right.c.system.label("right_system"),
        right.c.entity.label("right_entity"),
        right.c.key.label("right_key"),
    ]
    query = sa.select(task, *columns).join(left, left.c.id == task.c.left_id)
    query = query.join(right, right.c.id == task.c.right_id, isouter=True).where(task.c.id == task_id)
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def close_task(connection: sa.Connection, task_id: str, decision_id: str, now: datetime) -> bool:
    """Close an open task with a decision; whether it was still open."""
    closed = sa.update(task).where(task.c.id == task_id, task.c.state == "open")
    closed = closed.values(state="closed", closed_at=now, closed_by=decision_id)
    return connection.execute(closed.returning(task.c.id)).one_or_none() is not None


def settled_with(connection: sa.Connection, ids: Sequence[int], decision_id: str, now: datetime) -> None:
    """Name the decision that settled the questions about these records which judging has just withdrawn."""
    about = sa.or_(among(connection, task.c.left_id, ids), among(connection, task.c.right_id, ids))
    withdrawn = sa.and_(task.c.state == "closed", task.c.closed_at == now, task.c.closed_by == WITHDRAWN)
    connection.execute(sa.update(task).where(about, withdrawn).values(closed_by=decision_id))


def keys_of(connection: sa.Connection, ids: set[int]) -> dict[int, SourceKey]:
    """The source keys of these records."""
    query = sa.select(record.c.id, record.c.system, record.c.entity, record.c.key)
    rows = connection.execute(query.where(among(connection, record.c.id, sorted(ids))))
    return {row[0]: SourceKey(row[1], row[2], row[3]) for row in rows}


def held_with(connection: sa.Connection, record_id: int) -> set[int] | None:
    """The other live records of the golden record that holds this one; None when nothing holds it."""
    mine = sa.select(link.c.golden_id).where(link.c.record_id == record_id, link.c.until.is_(None))
    golden_id = connection.execute(mine).scalar()
    if golden_id is None:
        return None
    query = sa.select(record.c.id).join(link, link.c.record_id == record.c.id)
    query = query.where(link.c.golden_id == golden_id, link.c.until.is_(None), record.c.state == "live")
    return set(connection.execute(query.where(record.c.id != record_id)).scalars())


def standing_of(connection: sa.Connection, record_id: int) -> str | None:
    """The golden record that holds this one, with its version, as ID@VERSION; None when nothing holds it."""
    query = sa.select(golden.c.id, golden.c.version).join(link, link.c.golden_id == golden.c.id)
    found = connection.execute(query.where(link.c.record_id == record_id, link.c.until.is_(None))).one_or_none()
    return f"{found.id}@{found.version}" if found else None


def merged_sides(connection: sa.Connection, golden_id: str) -> tuple[set[int], set[int]]:
    """The live records that came with a merged golden record and those that they are with now."""
    heir = connection.execute(sa.select(golden.c.heir).where(golden.c.id == golden_id)).scalar()
    if heir is None:
        return set(), set()
    last = sa.select(sa.func.max(link.c.until)).where(link.c.golden_id == golden_id).scalar_subquery()
    came = sa.select(link.c.record_id).where(link.c.golden_id == golden_id, link.c.until == last)
    query = sa.select(record.c.id, record.c.id.in_(came)).join(link, link.c.record_id == record.c.id)
    query = query.where(link.c.golden_id == heir, link.c.until.is_(None), record.c.state == "live")
    rows = connection.execute(query).all()
    return {id_ for id_, mine in rows if mine}, {id_ for id_, mine in rows if not mine}


def authors_about(connection: sa.Connection, golden_id: str) -> set[str]:
    """Who has decided anything that is in force about the records of a golden record."""
    held = sa.select(link.c.record_id).where(link.c.golden_id == golden_id, link.c.until.is_(None))
    about = sa.or_(decision.c.left_id.in_(held), decision.c.right_id.in_(held))
    query = sa.select(decision.c.author).where(decision.c.undone_at.is_(None), about).distinct()
    return set(connection.execute(query).scalars())
