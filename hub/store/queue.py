"""The open questions as the queue reads them: all of them by their place, and a page of them in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from hub.store import reads
from hub.store.change_table import change
from hub.store.desk_tables import attention
from hub.store.engine import among
from hub.store.tables import audit, decision, golden, golden_reference, golden_version, link, outbox, record, task

_OPEN = task.c.state == "open"
_NOTHING = Decimal()
_BILLED = ("open", "uncollectible")  # invoices of which money is still owed


def skeleton(connection: sa.Connection) -> list[Any]:
    """Every open question: what it is about, since when, who holds it; no more than its place needs."""
    left, right, mine, theirs = link.alias("ll"), link.alias("rl"), golden.alias("lg"), golden.alias("rg")
    low = sa.case((task.c.right_id.is_(None), task.c.left_id), (task.c.left_id < task.c.right_id, task.c.left_id),
                  else_=task.c.right_id)  # fmt: skip
    high = sa.case((task.c.right_id.is_(None), 0), (task.c.left_id < task.c.right_id, task.c.right_id),
                   else_=task.c.left_id)  # fmt: skip
    query = sa.select(
        task.c.id, task.c.entity, task.c.kind, task.c.score, task.c.opened_at,
        mine.c.id.label("left_golden"), mine.c.label.label("left_label"),
        theirs.c.id.label("right_golden"), theirs.c.label.label("right_label"),
        attention.c.holder, attention.c.held_until, attention.c.snoozed_until,
    )  # fmt: skip
    query = query.join(left, sa.and_(left.c.record_id == task.c.left_id, left.c.until.is_(None)), isouter=True)
    query = query.join(mine, mine.c.id == left.c.golden_id, isouter=True)
    query = query.join(right, sa.and_(right.c.record_id == task.c.right_id, right.c.until.is_(None)), isouter=True)
    query = query.join(theirs, theirs.c.id == right.c.golden_id, isouter=True)
    query = query.join(attention, sa.and_(attention.c.one == low, attention.c.other == high), isouter=True)
    return list(connection.execute(query.where(_OPEN)).all())


def owed(connection: sa.Connection) -> dict[str, dict[str, bool]]:
    """Golden record of an open question → each target that it is owed to, and whether it is held back there."""
    concerned = sa.union(*(held.with_only_columns(link.c.golden_id) for held in _holding())).subquery()
    query = sa.select(outbox.c.golden_id, outbox.c.target, outbox.c.waits_for, outbox.c.held, outbox.c.approved_at)
    query = query.join(concerned, concerned.c.golden_id == outbox.c.golden_id).where(outbox.c.state == "pending")
    found: dict[str, dict[str, bool]] = {}
    for row in connection.execute(query):
        waits = row.held is not None or (row.waits_for is not None and row.approved_at is None)
        of_target = found.setdefault(row.golden_id, {})
        of_target[row.target] = of_target.get(row.target, False) or waits
    return found


def money(connection: sa.Connection, ids: Sequence[str] | None = None) -> dict[str, dict[str, Decimal]]:
    """Golden record (of an open question, or one of these) → what is still owed on its invoices, by currency."""
    if ids is None:
        concerned = sa.union(*(held.with_only_columns(link.c.golden_id) for held in _holding())).subquery()
    else:
        chosen = sa.select(golden.c.id.label("golden_id")).where(among(connection, golden.c.id, ids))
        concerned = chosen.subquery()
    values = golden_version.c["values"]
    current = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
    still = [
        sa.func.coalesce(*(values[(name, part)].as_string() for name in ("balance", "total")))
        for part in ("amount", "currency")
    ]
    amounts = sa.select(link.c.golden_id, *still).select_from(concerned)
    amounts = amounts.join(link, sa.and_(link.c.golden_id == concerned.c.golden_id, link.c.until.is_(None)))
    amounts = amounts.join(golden_reference, golden_reference.c.parent_id == link.c.record_id)
    amounts = amounts.join(golden, golden.c.id == golden_reference.c.golden_id).join(golden_version, current)
    amounts = amounts.where(
        golden.c.entity == "invoice", golden.c.state == "live", golden_reference.c.field == "account"
    )
    amounts = amounts.where(values["status"].as_string().in_(_BILLED))
    found: dict[str, dict[str, Decimal]] = {}
    for golden_id, amount, currency in connection.execute(amounts):
        if amount is not None:
            sums = found.setdefault(golden_id, {})
            sums[currency] = sums.get(currency, _NOTHING) + Decimal(amount)
    return found


def mark(connection: sa.Connection) -> tuple[Any, ...]:
    """What moves on whenever what is owed for an open question may.

    Changes of golden records, links, questions, what is owed to targets, and the log, which has every approval.
    """
    columns = (change.c.id, link.c.id, task.c.id, outbox.c.id, audit.c.id)
    newest = [sa.select(sa.func.max(column)).scalar_subquery() for column in columns]
    newest.append(sa.select(sa.func.count()).where(outbox.c.state == "pending").scalar_subquery())
    return tuple(connection.execute(sa.select(*newest)).one())


def details(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """These questions with both sides and the evidence."""
    return {row["id"]: row for row in reads.tasks(connection, ids=ids, first=len(ids))}


def near(connection: sa.Connection, ids: Sequence[int], task_id: str) -> list[Mapping[str, Any]]:
    """Other open questions about these records, or about those that share their golden records."""
    held = sa.select(link.c.golden_id).where(among(connection, link.c.record_id, ids), link.c.until.is_(None))
    beside = sa.select(link.c.record_id).where(link.c.golden_id.in_(held), link.c.until.is_(None))
    query = sa.select(task.c.id).where(_OPEN, task.c.id != task_id)
    query = query.where(sa.or_(task.c.left_id.in_(beside), task.c.right_id.in_(beside))).limit(20)
    found = list(connection.execute(query).scalars())
    return reads.tasks(connection, ids=found, first=len(found)) if found else []


def decided_about(connection: sa.Connection, ids: Sequence[int]) -> list[Mapping[str, Any]]:
    """What people decided about these records, the newest first."""
    about = sa.or_(among(connection, decision.c.left_id, ids), among(connection, decision.c.right_id, ids))
    query = sa.select(decision).where(about).order_by(decision.c.id.desc()).limit(20)
    return [dict(row) for row in connection.execute(query).mappings()]


def any_records(connection: sa.Connection) -> bool:
    """Whether anything has ever been taken in."""
    return connection.execute(sa.select(record.c.id).limit(1)).scalar() is not None


def settled(connection: sa.Connection, since: Any) -> list[tuple[str, Any, Any]]:
    """Kind, opening and closing time of each question that was open at some time since."""
    query = sa.select(task.c.kind, task.c.opened_at, task.c.closed_at)
    recent = sa.or_(_OPEN, task.c.closed_at >= since)
    return [tuple(row) for row in connection.execute(query.where(recent))]


def scored(connection: sa.Connection, entity: str) -> list[tuple[float, str | None]]:
    """Score of each pair that was asked about, and what was decided of it, if anything."""
    answer = sa.select(task.c.score, decision.c.kind).join(decision, decision.c.id == task.c.closed_by, isouter=True)
    query = answer.where(task.c.kind == "match", task.c.score.is_not(None), task.c.entity == entity)
    return [tuple(row) for row in connection.execute(query)]


def streams(connection: sa.Connection, golden_id: str, most: int = 60) -> list[Mapping[str, Any]]:
    """Where each record that was ever in a golden record was, and when."""
    ever = sa.select(link.c.record_id).where(link.c.golden_id == golden_id)
    query = sa.select(record.c.system, record.c.key, link.c.golden_id, link.c.since, link.c.until)
    query = query.join(record, record.c.id == link.c.record_id).where(link.c.record_id.in_(ever))
    query = query.order_by(record.c.system, record.c.key, link.c.id).limit(most)
    return [dict(row) for row in connection.execute(query).mappings()]


def _holding() -> list[sa.Select[Any]]:
    """The live links of the records that open questions are about."""
    live = link.c.until.is_(None)
    return [
        sa.select(link).join(task, side == link.c.record_id).where(_OPEN, live)
        for side in (task.c.left_id, task.c.right_id)
    ]
