"""Who did what, append-only: each entry's hash covers the one before, so a changed byte shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
import sqlalchemy as sa

from hub.store import cases
from hub.store.tables import audit

_FIRST = bytes(32)


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did to what."""

    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def append(connection: sa.Connection, act: Act, now: datetime) -> None:
    """Add an entry to the chain."""
    cases.claim(connection, "audit")
    last = connection.execute(sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)).one_or_none()
    number, previous = (last.id + 1, last.hash) if last else (1, _FIRST)
    row = {"id": number, "at": now, "actor": act.actor, "action": act.action, "subject": act.subject}
    row |= {"detail": dict(act.detail), "previous": previous, "hash": _seal(number, now, act, previous)}
    connection.execute(sa.insert(audit).values(row))


def verify(connection: sa.Connection) -> int | None:
    """The number of the first entry that is not what was written, or None when the chain holds."""
    previous, expected = _FIRST, 1
    for row in connection.execute(sa.select(audit).order_by(audit.c.id)):
        act = Act(row.actor, row.action, row.subject, row.detail)
        if row.id != expected or row.previous != previous or row.hash != _seal(row.id, row.at, act, previous):
            return expected
        previous, expected = row.hash, expected + 1
    return None


def _seal(number: int, at: datetime, act: Act, previous: bytes) -> bytes:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    body = [number, moment, act.actor, act.action, act.subject, dict(act.detail), previous.hex()]
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
