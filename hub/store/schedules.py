"""What runs when, and who runs it: a firing is claimed once, under a lease, by whoever is first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hub.errors import NotFound
from hub.store.engine import inserting
from hub.store.tables import firing, schedule
from hub.store.types import Utc

LEASE = timedelta(minutes=5)


def every(connection: sa.Connection) -> list[Mapping[str, Any]]:
    """All schedules."""
    return [dict(row) for row in connection.execute(sa.select(schedule).order_by(schedule.c.id)).mappings()]


def get(connection: sa.Connection, schedule_id: str) -> Mapping[str, Any]:
    """One schedule. Raises NotFound."""
    row = connection.execute(sa.select(schedule).where(schedule.c.id == schedule_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no schedule {schedule_id}.", hint="`hub schedule ls` lists them.")
    return dict(row)


def put(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Create or replace a schedule by its id."""
    made = inserting(connection, schedule).values(dict(row))
    changed = {name: value for name, value in row.items() if name != "id"}
    connection.execute(made.on_conflict_do_update(index_elements=["id"], set_=changed))


def put_if_none(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Create a schedule unless there is one of this id, whatever it says."""
    connection.execute(inserting(connection, schedule).values(dict(row)).on_conflict_do_nothing())


def claim(connection: sa.Connection, schedule_id: str, fire_at: datetime, holder: str, now: datetime) -> bool:
    """Whether this holder is to run this firing: nobody has claimed it, or the claim has run out unfinished."""
    row = {
        "schedule_id": schedule_id,
        "fire_at": fire_at,
        "state": "claimed",
        "holder": holder,
        "lease_until": now + LEASE,
    }
    made = inserting(connection, firing).values(row).on_conflict_do_nothing().returning(firing.c.schedule_id)
    if connection.execute(made).one_or_none() is not None:
        return True
    mine = sa.and_(firing.c.schedule_id == schedule_id, firing.c.fire_at == fire_at)
    lost = sa.update(firing).where(mine, firing.c.state == "claimed", firing.c.lease_until < now)
    taken = lost.values(holder=holder, lease_until=now + LEASE).returning(firing.c.schedule_id)
    return connection.execute(taken).one_or_none() is not None


def abandoned(connection: sa.Connection, now: datetime) -> list[tuple[str, datetime]]:
    """Firings whose holder has gone silent."""
    query = sa.select(firing.c.schedule_id, firing.c.fire_at)
    query = query.where(firing.c.state == "claimed", firing.c.lease_until < now).order_by(firing.c.fire_at)
    return [(row[0], row[1]) for row in connection.execute(query)]


def latest(connection: sa.Connection) -> dict[str, datetime]:
    """The last firing of each schedule that has had one."""
    query = sa.select(firing.c.schedule_id, sa.func.max(firing.c.fire_at, type_=Utc())).group_by(firing.c.schedule_id)
    return dict(connection.execute(query).all())


def extend(connection: sa.Connection, schedule_id: str, fire_at: datetime, holder: str, now: datetime) -> bool:
    """Keep the lease for longer; False when somebody else has it by now."""
    mine = sa.update(firing).where(
        firing.c.schedule_id == schedule_id, firing.c.fire_at == fire_at, firing.c.holder == holder
    )
    kept = mine.values(lease_until=now + LEASE).returning(firing.c.schedule_id)
    return connection.execute(kept).one_or_none() is not None


def finish(
    connection: sa.Connection, schedule_id: str, fire_at: datetime, outcome: tuple[str, str], now: datetime
) -> None:
    """Write how a firing ended: done or failed, and in words."""
    state, words = outcome
    mine = sa.update(firing).where(firing.c.schedule_id == schedule_id, firing.c.fire_at == fire_at)
    connection.execute(mine.values(state=state, outcome=words[:2000], finished_at=now))


def firings(connection: sa.Connection, most: int = 50) -> list[Mapping[str, Any]]:
    """The newest firings first."""
    query = sa.select(firing).order_by(firing.c.fire_at.desc()).limit(most)
    return [dict(row) for row in connection.execute(query).mappings()]
