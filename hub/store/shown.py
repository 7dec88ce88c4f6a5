"""Who was shown personal data: a note with each answer, moved into the chain of the audit log in one go.

A note outlives the process that wrote it. Notes wait for the worker, or for whoever looks at the log, because the
chain has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canonical.catalogue import ENTITIES
from hub.store import audit
from hub.store.audit import Act
from hub.store.beside_tables import shown
from hub.store.engine import among, noting, writing

MOST = 1000  # notes of one transaction
_ACTION = "action"  # stands in the note's detail
NAMED = 1000  # ids of an entity in one note
PERSONAL = frozenset(name for name, one in ENTITIES.items() if any(f.marks.personal for f in one.fields.values()))


def note(beside: sa.Engine, act: Act, now: datetime) -> None:
    """Write down what somebody was shown, or brought; the caller answers afterwards."""
    row = {"at": now, "actor": act.actor, "subject": act.subject, "detail": {**act.detail, _ACTION: act.action}}
    with noting(beside) as connection:
        connection.execute(_NOTE, row)


def personal(saw: Mapping[str, set[str]]) -> dict[str, Any]:
    """The ids of records that somebody was given, by entity, where it has personal data; many are cut, and counted."""
    found: dict[str, Any] = {}
    for entity in sorted(saw.keys() & PERSONAL):
        ids = sorted(saw[entity])
        found[entity] = ids if len(ids) <= NAMED else {"first": ids[:NAMED], "count": len(ids)}
    return found


def seal(engine: sa.Engine, beside: sa.Engine) -> int:
    """Move the notes into the audit log, each with its own time; how many."""
    moved = 0
    while count := _seal(engine, beside):
        moved += count
    return moved


def _seal(engine: sa.Engine, beside: sa.Engine) -> int:
    with writing(engine) as connection:
        audit.claim(connection)
        last = connection.execute(sa.select(sa.func.max(shown.c.id))).scalar() if _apart(engine) else None
        query = sa.select(shown).order_by(shown.c.id).limit(MOST)
        with beside.connect() as notes:
            rows = notes.execute(query.where(shown.c.id > (last or 0))).all()
        if rows:
            audit.append_all(connection, [(_act(row), row.at) for row in rows])
            gone = [row.id for row in rows]  # another may have come between with a lower id
            connection.execute(sa.delete(shown).where(among(connection, shown.c.id, [*gone, last or 0])))
            if _apart(engine):  # the last one stays in the store, to tell what was moved if the next step is cut off
                connection.execute(sa.insert(shown).values(rows[-1]._asdict()))
    if rows and _apart(engine):
        with noting(beside) as notes:
            notes.execute(sa.delete(shown).where(among(notes, shown.c.id, gone)))
    return len(rows)


def _act(row: Any) -> Act:
    detail = dict(row.detail)
    return Act(row.actor, detail.pop(_ACTION), row.subject, detail)


def _apart(engine: sa.Engine) -> bool:
    return engine.dialect.name == "sqlite"


_NOTE = sa.insert(shown).inline()
