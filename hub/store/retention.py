"""For how long it is kept who was shown what: older entries of reads are emptied, and the chain of the log still holds.

Of an emptied entry stay its number, its time and its seal. One entry at the end of the chain, the anchor, covers their
numbers and seals, so that nothing can be emptied without an entry that says so (`hub.store.audit.verify`).
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from hub.store import audit
from hub.store.audit import ANCHOR, EMPTIED, Act, digest
from hub.store.engine import Engine, among, writing
from hub.store.tables import audit as entries

MOST = 10_000  # entries of one transaction


def forget_reads(engine: Engine, before: datetime, now: datetime) -> int:
    """Empty the entries of reads from before; how many."""
    forgotten = 0
    while count := _forget(engine, before, now):
        forgotten += count
    return forgotten


def _forget(engine: Engine, before: datetime, now: datetime) -> int:
    with writing(engine) as connection:
        audit.claim(connection)
        old = sa.select(entries.c.id, entries.c.hash).where(entries.c.action == "read", entries.c.at < before)
        rows = connection.execute(old.order_by(entries.c.id).limit(MOST)).all()
        if rows:
            anchor = connection.execute(sa.select(sa.func.max(entries.c.id))).scalar_one() + 1
            covered = {"count": len(rows), "digest": digest([(row.id, row.hash) for row in rows])}
            empty = {"actor": "", "action": EMPTIED, "subject": "", "detail": {"anchor": anchor}}
            ids = among(connection, entries.c.id, [row.id for row in rows])
            connection.execute(sa.update(entries).where(ids).values(**empty))
            audit.append(connection, Act("retention", ANCHOR, f"before {before:%Y-%m-%d}", covered), now)
    return len(rows)
