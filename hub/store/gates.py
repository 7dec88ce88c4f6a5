"""What all who send to a target share: its gate, and its pace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.engine import inserting
from hub.store.gate_table import gate

Row = dict[str, Any]
_OPEN: Row = {"fails": 0, "opens_at": None, "refused": False, "says": None}


def get(connection: sa.Connection, target: str) -> Row:
    """The gate of a target, locked until the transaction ends where it has been touched before."""
    query = sa.select(gate).where(gate.c.target == target).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else {"target": target, "turn": None, **_OPEN}


def shut(connection: sa.Connection, target: str, opens_at: datetime, says: str | None, *, refused: bool) -> None:
    """Nothing is sent to a target before then: one more trouble in a row."""
    row = {"target": target, "fails": 1, "opens_at": opens_at, "refused": refused, "says": says}
    again = {**row, "fails": gate.c.fails + 1}
    made = inserting(connection, gate).values(row)
    connection.execute(made.on_conflict_do_update(index_elements=["target"], set_=again))


def probe(connection: sa.Connection, target: str, until: datetime) -> None:
    """One sender tries; the others wait until then."""
    connection.execute(sa.update(gate).where(gate.c.target == target).values(opens_at=until))


def open_up(connection: sa.Connection, target: str) -> None:
    """All is well with a target."""
    connection.execute(sa.update(gate).where(gate.c.target == target, gate.c.fails > 0).values(_OPEN))


def turn(connection: sa.Connection, target: str, now: float, step: float, slack: float) -> float:
    """Take a turn in calling a target, `step` seconds after the one before it; the seconds to wait for it."""
    first = {"target": target, "turn": now, **_OPEN}
    connection.execute(inserting(connection, gate).values(first).on_conflict_do_nothing())
    stood = get(connection, target)["turn"]
    start = now if stood is None or stood - now > FARTHEST else max(stood, now)
    connection.execute(sa.update(gate).where(gate.c.target == target).values(turn=start + step))
    return float(max(0.0, start + step - slack - now))


FARTHEST = 600.0  # seconds: a turn farther off was taken by a clock that went wrong


def closed(connection: sa.Connection) -> list[Row]:
    """Gates that are shut, or that trouble has met."""
    rows = connection.execute(sa.select(gate).where(gate.c.fails > 0).order_by(gate.c.target)).mappings()
    return [dict(row) for row in rows]
