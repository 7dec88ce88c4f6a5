"""What spoke for a decision when it was made, and what speaks now.

A decision about a pair keeps a hash of the evidence of its day. Where that has changed, a decision that
stands for ever is asked about again (task `reconfirm`), and one that was to stand only while nothing
changes ends, with all of its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2s
from typing import Any

import orjson
import sqlalchemy as sa

from hub.store import bulk, questions
from hub.store.engine import Prepared, among
from hub.store.tables import decision, evidence, task

PAIRS = ("same", "different", "related")
NONE = "none"  # nothing brought the two together
LAPSED = "the evidence changed"
_Row = Mapping[str, Any]


def print_of(parts: Sequence[Any] | None) -> str:
    """A hash of what speaks for and against a pair."""
    return NONE if parts is None else blake2s(orjson.dumps(parts), digest_size=16).hexdigest()


def remember(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Keep with decisions that were just made what speaks for and against their pairs."""
    rows = connection.execute(_PAIRED.where(among(connection, decision.c.id, list(ids)))).mappings()
    changes = [{"id": row["id"], "evidence": print_of(row["parts"]), "score": row["score_now"]} for row in rows]
    bulk.update(connection, decision, ("id",), changes)


def ask_again(connection: sa.Connection, entity: str, records: Iterable[int], now: datetime) -> set[int]:
    """Open and close `reconfirm` tasks about these records; the records of decisions that have lapsed."""
    ids = sorted(set(records))
    rows = sorted(_ABOUT(connection, ids).mappings(), key=lambda row: str(row["id"]))
    newest = {(row["left_id"], row["right_id"]): row for row in rows}  # who confirmed last is asked last
    changed = [row for row in newest.values() if _changed(row)]
    lapsed = _end(connection, [row for row in changed if row["lapses"]], now)
    asked = {(row["left_id"], row["right_id"]): row for row in changed if not row["lapses"]}
    standing = {(row.left_id, row.right_id): row.id for row in _OPEN(connection, ids)}
    questions.withdraw(connection, [id_ for pair, id_ in standing.items() if pair not in asked], now)
    new = (
        (entity, "reconfirm", *pair, _words(row), row["score_now"])
        for pair, row in sorted(asked.items())
        if pair not in standing
    )
    questions.ask(connection, new, now)
    return lapsed


def _changed(row: _Row) -> bool:
    known = row["evidence"] is not None and row["parts"] is not None
    return known and print_of(row["parts"]) != row["evidence"]


def _words(row: _Row) -> str:
    then = "nothing brought them together" if row["score"] is None else f"evidence was {row['score']:+.1f}"
    return f"{row['author']} decided {row['kind']} when {then}; it is {row['score_now']:+.1f} now"


def _end(connection: sa.Connection, rows: Sequence[_Row], now: datetime) -> set[int]:
    """End these decisions and whatever lapses with them."""
    if not rows:
        return set()
    batches = sorted({row["batch"] for row in rows if row["batch"]})
    mine = sa.or_(
        among(connection, decision.c.id, [row["id"] for row in rows]),
        sa.and_(among(connection, decision.c.batch, batches), decision.c.lapses.is_(True)),
    )
    ended = sa.update(decision).where(mine, decision.c.undone_at.is_(None)).values(undone_at=now, undone_by=LAPSED)
    found = connection.execute(ended.returning(decision.c.left_id, decision.c.right_id)).all()
    return {id_ for pair in found for id_ in pair}


def _low_high(one: Any, other: Any) -> tuple[Any, Any]:
    return sa.case((one < other, one), else_=other), sa.case((one < other, other), else_=one)


_LOW, _HIGH = _low_high(decision.c.left_id, decision.c.right_id)
_PAIRED = (
    sa.select(
        decision.c.id, decision.c.kind, decision.c.author, decision.c.left_id, decision.c.right_id, decision.c.batch,
        decision.c.evidence, decision.c.score, decision.c.lapses, evidence.c.parts,
        evidence.c.score.label("score_now"),
    )
    .join(evidence, sa.and_(evidence.c.left_id == _LOW, evidence.c.right_id == _HIGH), isouter=True)
    .where(decision.c.undone_at.is_(None), decision.c.kind.in_(PAIRS))
)  # fmt: skip
_ABOUT = Prepared(
    lambda among: sa.union_all(
        _PAIRED.where(among(decision.c.left_id)),
        _PAIRED.where(among(decision.c.right_id), sa.not_(among(decision.c.left_id))),
    )
)
_OPEN = Prepared(
    lambda among: sa.select(task).where(
        questions.OPEN, task.c.kind == "reconfirm", sa.or_(among(task.c.left_id), among(task.c.right_id))
    )
)
