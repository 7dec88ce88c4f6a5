"""Requests with an idempotency key: each is done once, whoever repeats it, in whichever process, whatever is cut off.

A run holds the key by a lease, and each of its transactions notes itself in the row of the key (`step`), which fails
once somebody else has taken over. So of a run that was cut off it is known whether it had an effect: without, the next
one runs; with, it is refused unless running again does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from hub.errors import AnswerLost, Conflict, KeyReused, StillRunning
from hub.store.access_tables import answered
from hub.store.engine import inserting

KEPT = timedelta(hours=24)  # an answer, from when its request came
LEASE = timedelta(minutes=1)  # renewed with each transaction


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: whose, under which key, known by the hash of what it says, and the run that it is."""

    caller: str
    key: str
    fingerprint: bytes
    run: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; the body as it was sealed."""

    status: int
    content_type: str
    body: bytes


def begin(connection: sa.Connection, asked: Asked, now: datetime, *, again: bool = False) -> Answer | None:
    """The answer that was given, or None: this run may start. With `again` it may after one that was cut off, too.

    Raises KeyReused, StillRunning, AnswerLost.
    """
    connection.execute(sa.delete(answered).where(answered.c.started_at <= now - KEPT))
    row = {"caller": asked.caller, "key": asked.key, "fingerprint": asked.fingerprint, "holder": asked.run,
           "started_at": now, "lease_until": now + LEASE, "steps": 0}  # fmt: skip
    fresh = inserting(connection, answered).values(row).on_conflict_do_nothing().returning(answered.c.key)
    if connection.execute(fresh).one_or_none() is not None:
        return None
    here = sa.and_(answered.c.caller == asked.caller, answered.c.key == asked.key)
    found = connection.execute(sa.select(answered).where(here).with_for_update()).one()
    if found.fingerprint != asked.fingerprint:
        raise KeyReused(f"the key {asked.key[:40]} came with another request at {found.started_at:%Y-%m-%d %H:%M}.")
    if found.status is not None:
        return Answer(found.status, found.content_type, found.body)
    if found.lease_until > now:
        raise StillRunning(f"the request with the key {asked.key[:40]} is under way.")
    if found.steps and not again:
        raise AnswerLost(f"the request with the key {asked.key[:40]} was done, and cut off before its answer was kept.")
    taken = {"holder": asked.run, "lease_until": now + LEASE}
    connection.execute(sa.update(answered).where(here).values(**taken))
    return None


def step(connection: sa.Connection, asked: Asked, now: datetime) -> None:
    """Note a transaction of this run, with it. Raises Conflict when somebody else has taken over."""
    noted = {"steps": answered.c.steps + 1, "lease_until": now + LEASE}
    if connection.execute(_mine(asked).values(noted).returning(answered.c.key)).one_or_none() is None:
        raise Conflict(f"the request with the key {asked.key[:40]} is done by somebody else; nothing was changed.")


def keep(connection: sa.Connection, asked: Asked, answer: Answer) -> None:
    """Keep what is answered."""
    told = {"status": answer.status, "content_type": answer.content_type, "body": answer.body}
    connection.execute(_mine(asked).values(told))


def leave(connection: sa.Connection, asked: Asked, now: datetime) -> None:
    """Give the key back without an answer: forgotten where nothing was done, else as if cut off."""
    mine = sa.and_(answered.c.caller == asked.caller, answered.c.key == asked.key, answered.c.holder == asked.run)
    connection.execute(sa.delete(answered).where(mine, answered.c.steps == 0))
    connection.execute(_mine(asked).values(lease_until=now))


def _mine(asked: Asked) -> sa.Update:
    a = answered.c
    return sa.update(answered).where(a.caller == asked.caller, a.key == asked.key, a.holder == asked.run)
