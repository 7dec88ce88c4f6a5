"""Values that stewards set and that have ended: asked about until somebody sets another or takes the old one back.

A value that nobody takes back goes on saying what was once known to be right; that it no longer stands is worth a
look. There is one task a record, whatever number of fields it speaks of, and it names no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from hub.store import bulk, journal, questions
from hub.store.engine import Prepared
from hub.store.tables import decision, record, task
from rules.case import Override

KIND = "lapsed"


def ask(connection: sa.Connection, entity: str, records: Iterable[int], now: datetime) -> None:
    """Open, reword and close the questions about values set on these records of an entity."""
    ids = sorted(set(records))
    wanted = _ended(connection, ids, now)
    standing = {row.left_id: row for row in _ASKED(connection, ids)}
    questions.withdraw(connection, [row.id for left, row in standing.items() if left not in wanted], now)
    reworded = [
        {"id": standing[left].id, "reason": words}
        for left, words in wanted.items()
        if left in standing and standing[left].reason != words
    ]
    bulk.update(connection, task, ("id",), reworded)
    new = sorted(wanted.keys() - standing.keys())
    questions.ask(connection, ((entity, KIND, left, None, wanted[left], None) for left in new), now)


def over(connection: sa.Connection, entity: str, now: datetime) -> Sequence[int]:
    """The records of an entity on which a value has been set that a date has ended, and that nobody took back."""
    query = sa.select(decision.c.left_id).join(record, record.c.id == decision.c.left_id).distinct()
    query = query.where(record.c.entity == entity, decision.c.kind == "value", decision.c.undone_at.is_(None))
    return list(connection.execute(query.where(decision.c.until <= now).order_by(decision.c.left_id)).scalars())


def _ended(connection: sa.Connection, ids: Sequence[int], now: datetime) -> dict[int, str]:
    """Record → in words, which of the values last set on it have ended."""
    newest = {(row.left_id, row.field): row for row in _SET(connection, ids)}
    records = journal.load_records(connection, sorted({left for left, _ in newest})) if newest else {}
    found: dict[int, list[str]] = {}
    for (left, field), row in sorted(newest.items()):
        one = records[left]
        made = Override(one.key, field, row.value, row.decided_at, row.until, row.id, row.seen)
        if not one.tombstone and not made.stands(one.values, now):
            found.setdefault(left, []).append(_words(row, one.key, now))
    return {left: "; ".join(said) for left, said in found.items()}


def _words(row: Any, key: SourceKey, now: datetime) -> str:
    dated = row.until is not None and row.until <= now
    end = f"ended on {row.until:%Y-%m-%d}" if dated else f"ended when {key} said something else"
    return f"the value that {row.author} set for {row.field.replace('_', ' ')} {end}"


_SET = Prepared(
    lambda among: (
        sa.select(decision)
        .where(decision.c.kind == "value", decision.c.undone_at.is_(None), among(decision.c.left_id))
        .order_by(decision.c.id)
    )
)
_ASKED = Prepared(lambda among: sa.select(task).where(questions.OPEN, task.c.kind == KIND, among(task.c.left_id)))
