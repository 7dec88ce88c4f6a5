"""Who looks at a question now, who put it off, and what was said: kept by pair of source records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.desk_tables import attention, comment
from hub.store.engine import inserting
from hub.store.tables import decision, golden, link, record, record_version

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Attention:
    """What stands beside a question."""

    holder: str | None = None
    held_until: datetime | None = None
    snoozed_by: str | None = None
    snoozed_until: datetime | None = None

    def held_by(self, now: datetime) -> str | None:
        """Who holds the question now."""
        return self.holder if self.held_until is not None and self.held_until > now else None

    def asleep(self, now: datetime) -> bool:
        """Whether the question is put off now."""
        return self.snoozed_until is not None and self.snoozed_until > now


def pair_of(task: Mapping[str, Any]) -> Pair:
    """The pair that a question is about; the other is 0 where it is about one record."""
    left, right = task["left_id"], task["right_id"]
    return (left, 0) if right is None else (min(left, right), max(left, right))


def of(connection: sa.Connection, pair: Pair) -> Attention:
    """What stands beside the question about a pair."""
    columns = (attention.c.holder, attention.c.held_until, attention.c.snoozed_by, attention.c.snoozed_until)
    row = connection.execute(sa.select(*columns).where(*_at(attention, pair))).one_or_none()
    return Attention(*row) if row else Attention()


def put(connection: sa.Connection, pair: Pair, wanted: Attention) -> None:
    """Let this stand beside the question."""
    values = {
        "holder": wanted.holder, "held_until": wanted.held_until,
        "snoozed_by": wanted.snoozed_by, "snoozed_until": wanted.snoozed_until,
    }  # fmt: skip
    made = inserting(connection, attention).values(one=pair[0], other=pair[1], **values)
    connection.execute(made.on_conflict_do_update(index_elements=["one", "other"], set_=values))


def clear(connection: sa.Connection, pair: Pair) -> None:
    """Nobody holds or puts off the question any more; what was said stays."""
    connection.execute(sa.delete(attention).where(*_at(attention, pair)))


def say(connection: sa.Connection, pair: Pair, author: str, body: str, now: datetime) -> None:
    """Keep a comment."""
    connection.execute(sa.insert(comment).values(one=pair[0], other=pair[1], author=author, body=body, at=now))


def said(connection: sa.Connection, pair: Pair) -> list[Mapping[str, Any]]:
    """What was said of a pair, the oldest first."""
    query = sa.select(comment).where(*_at(comment, pair)).order_by(comment.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def mark_of(connection: sa.Connection, task: Mapping[str, Any]) -> str:
    """What a question looks like now: both records by version, both golden records by version."""
    sides = []
    for id_ in filter(None, (task["left_id"], task["right_id"])):
        query = sa.select(record.c.number, golden.c.id, golden.c.version)
        query = query.join(link, sa.and_(link.c.record_id == record.c.id, link.c.until.is_(None)), isouter=True)
        query = query.join(golden, golden.c.id == link.c.golden_id, isouter=True).where(record.c.id == id_)
        sides.append(".".join(str(part or "") for part in connection.execute(query).one()))
    return "-".join(sides)


def mark_in(row: Mapping[str, Any]) -> str:
    """The same, of a row of the queue that has both sides."""
    sides = ("left", "right") if row["right_id"] else ("left",)
    parts = ("number", "golden", "version")
    return "-".join(".".join(str(row[f"{side}_{part}"] or "") for part in parts) for side in sides)


def latest_about(connection: sa.Connection, task: Mapping[str, Any]) -> str:
    """Who or what changed last about the records of a question and those that share their golden records."""
    ids = [id_ for id_ in (task["left_id"], task["right_id"]) if id_]
    held = sa.select(link.c.golden_id).where(link.c.record_id.in_(ids), link.c.until.is_(None))
    near = sa.select(link.c.record_id).where(link.c.golden_id.in_(held), link.c.until.is_(None))
    left, right = record.alias("l"), record.alias("r")
    at = sa.func.coalesce(decision.c.undone_at, decision.c.decided_at)
    who = sa.select(
        decision.c.kind, decision.c.author, decision.c.undone_by, decision.c.decided_at, decision.c.undone_at,
        left.c.system, left.c.key, right.c.system.label("other_system"), right.c.key.label("other_key"),
    )  # fmt: skip
    who = who.join(left, left.c.id == decision.c.left_id)
    who = who.join(right, right.c.id == decision.c.right_id, isouter=True)
    who = who.where(sa.or_(decision.c.left_id.in_(near), decision.c.right_id.in_(near))).order_by(at.desc()).limit(1)
    what = sa.select(record.c.system, record.c.entity, record.c.key, record_version.c.received_at)
    what = what.join(record_version, record_version.c.record_id == record.c.id).where(record.c.id.in_(near))
    decided = connection.execute(who).one_or_none()
    came = connection.execute(what.order_by(record_version.c.received_at.desc()).limit(1)).one_or_none()
    when = decided and (decided.undone_at or decided.decided_at)
    if decided is not None and (came is None or when >= came.received_at):
        other = f" and {decided.other_system} {decided.other_key}" if decided.other_key else ""
        verb = f"{decided.undone_by} took back" if decided.undone_at else f"{decided.author} decided"
        return f"{verb} {decided.kind} about {decided.system} {decided.key}{other} at {when:%H:%M on %-d %b}"
    return (
        f"{came.system}:{came.entity}:{came.key} said something else at {came.received_at:%H:%M on %-d %b}"
        if came
        else "it"
    )


def _at(table: sa.Table, pair: Pair) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.one == pair[0], table.c.other == pair[1]
