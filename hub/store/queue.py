"""The open questions as the queue reads them: all of them by their place, and a page of them in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from hub.store import reads
from hub.store.desk_tables import attention
from hub.store.tables import decision, golden, golden_reference, golden_version, link, outbox, task

_OPEN = task.c.state == "open"
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


def money(connection: sa.Connection) -> dict[str, dict[str, Decimal]]:
    """Golden record of an open question → what is still owed on its invoices, by currency."""
    concerned = sa.union(*(held.with_only_columns(link.c.golden_id) for held in _holding())).subquery()
    values = golden_version.c["values"]
    current = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
    amounts = sa.select(
        link.c.golden_id, values["balance"].label("balance"), values["total"].label("total")
    ).select_from(concerned)
    amounts = amounts.join(link, sa.and_(link.c.golden_id == concerned.c.golden_id, link.c.until.is_(None)))
    amounts = amounts.join(golden_reference, golden_reference.c.parent_id == link.c.record_id)
    amounts = amounts.join(golden, golden.c.id == golden_reference.c.golden_id).join(golden_version, current)
    amounts = amounts.where(
        golden.c.entity == "invoice", golden.c.state == "live", golden_reference.c.field == "account"
    )
    amounts = amounts.where(values["status"].as_string().in_(_BILLED))
    found: dict[str, dict[str, Decimal]] = {}
    for golden_id, balance, total in connection.execute(amounts):
        owed_now = balance or total
        if owed_now:
            sums = found.setdefault(golden_id, {})
            sums[owed_now["currency"]] = sums.get(owed_now["currency"], Decimal()) + Decimal(owed_now["amount"])
    return found


def details(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """These questions with both sides and the evidence."""
    return {row["id"]: row for row in reads.tasks(connection, ids=ids, first=len(ids))}


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


def _holding() -> list[sa.Select[Any]]:
    """The live links of the records that open questions are about."""
    live = link.c.until.is_(None)
    return [
        sa.select(link).join(task, side == link.c.record_id).where(_OPEN, live)
        for side in (task.c.left_id, task.c.right_id)
    ]
