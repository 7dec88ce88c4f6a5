"""The values that stewards have set, with what has become of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from hub.store import journal
from hub.store.tables import decision, link, record
from rules.case import Override


@dataclass(frozen=True, slots=True)
class Standing:
    """A value that a steward set: who and why, on which golden record it is now, whether it is in force."""

    override: Override
    golden: str | None
    reason: str
    author: str
    state: str  # stands, ended, or outdated: the record says something else since

    @property
    def ends(self) -> str:
        """When it ends, in words."""
        if self.override.until is not None:
            return f"on {self.override.until:%Y-%m-%d %H:%M} UTC"
        return "never" if self.override.seen is None else f"when {self.override.record} says something else"


def every(connection: sa.Connection, now: datetime, most: int = 200) -> list[Standing]:
    """Values set and not taken back, the newest first."""
    query = sa.select(decision, record.c.system, record.c.entity, record.c.key, link.c.golden_id)
    query = query.join(record, record.c.id == decision.c.left_id)
    query = query.join(link, sa.and_(link.c.record_id == record.c.id, link.c.until.is_(None)), isouter=True)
    query = query.where(decision.c.kind == "value", decision.c.undone_at.is_(None))
    rows = connection.execute(query.order_by(decision.c.id.desc()).limit(most)).all()
    records = journal.load_records(connection, sorted({row.left_id for row in rows}))
    return [_standing(row, records[row.left_id].values, now) for row in rows]


def _standing(row: Any, said: Any, now: datetime) -> Standing:
    made = Override(
        SourceKey(row.system, row.entity, row.key), row.field, row.value, row.decided_at, row.until, row.id, row.seen
    )
    ended = made.until is not None and made.until <= now
    state = "ended" if ended else "stands" if made.stands(said, now) else "outdated"
    return Standing(made, row.golden_id, row.reason, row.author, state)
