"""How much each caller may ask: requests and cost a minute, counted exactly by all processes together.

The generic cell rate algorithm: of each of the two it is kept until when it is spent, and one statement for both moves
that ahead or leaves it. Nobody who asks evenly is kept waiting, and a whole minute's worth may come at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hub.store.beside_tables import allowance
from hub.store.engine import built_once, inserting

WINDOW = 60  # seconds
_SECOND = 1_000_000_000  # sums of whole numbers do not drift
_WINDOW = WINDOW * _SECOND
RATE, COST = 6_000, 6_000_000  # of a key for which nothing else is said


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests and cost a minute; any number where nothing is said."""

    rate: int | None = None
    cost: int | None = None


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one of the two: the policy's name, what it grants a minute, what is left, and when all is back.

    `wait` is after how many seconds what was asked can be had; 0 when it was granted, None when never.
    """

    name: str
    quota: int
    left: int
    full: float
    wait: float | None = 0.0


def spend(connection: sa.Connection, caller: str, limits: Limits, cost: int, now: datetime) -> list[Left]:
    """Ask for one request of this cost; what is left of each, and whether it was granted.

    Either both are spent or neither.
    """
    moment = int(now.timestamp() * 1_000_000) * 1000
    asked = {"rate": _share(1, limits.rate), "cost": _share(cost, limits.cost)}
    row = None
    if max(asked.values()) <= _WINDOW:
        row = connection.execute(_statement(connection), {"caller": caller, "now": moment, **asked}).one_or_none()
    granted = row is not None
    if not granted:
        row = connection.execute(_NOW, {"caller": caller}).one_or_none()
    spent = {"rate": row.rate, "cost": row.cost} if row is not None else {"rate": 0, "cost": 0}
    found = []
    for name, quota, told in (("rate", limits.rate, "requests"), ("cost", limits.cost, "cost")):
        if quota is not None:
            full = max(spent[name] - moment, 0)
            late = 0 if granted else max(full + asked[name] - _WINDOW, 0)
            wait = None if asked[name] > _WINDOW else late / _SECOND
            found.append(Left(told, quota, max(_WINDOW - full, 0) * quota // _WINDOW, full / _SECOND, wait))
    return found


def _share(asked: int, quota: int | None) -> int:
    """For how many nanoseconds what is asked uses up the quota."""
    return 0 if quota is None else asked * _WINDOW // quota


@built_once
def _statement(connection: sa.Connection) -> sa.Executable:
    later = sa.func.greatest if connection.dialect.name == "postgresql" else sa.func.max
    a = allowance.c
    now = _number("now")
    added = {one: _number(one) for one in ("rate", "cost")}
    then = {one: later(a[one], now) + added[one] for one in added}
    fits = sa.and_(*(then[one] - now <= _WINDOW for one in then))
    fresh = {"caller": sa.bindparam("caller"), **{one: now + added[one] for one in added}}
    upsert = inserting(connection, allowance).values(fresh)
    upsert = upsert.on_conflict_do_update(index_elements=[a.caller], set_=then, where=fits)
    made: sa.Executable = upsert.returning(a.rate, a.cost)
    return made


def _number(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger())


_NOW = sa.select(allowance.c.rate, allowance.c.cost).where(allowance.c.caller == sa.bindparam("caller"))
