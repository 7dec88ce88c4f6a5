"""Who did what, append-only: each entry's hash covers the one before, so a changed byte shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
import sqlalchemy as sa

from hub.store import cases
from hub.store.tables import audit

_FIRST = bytes(32)
EMPTIED = "forgotten"  # an entry of which only number, time and seal are kept (`hub.store.retention`)
ANCHOR = "forget reads"  # the entry that covers them


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did to what."""

    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(slots=True)
class Asker:
    """A request from outside: its correlation id, the key that it came with, and what has been noted of it."""

    request: str
    key: str | None = None
    trace: str | None = None  # the caller's, if it named one
    noted_in: object = None  # the last transaction with an entry
    saw: dict[str, set[str]] = field(default_factory=dict)  # golden ids by entity

    @property
    def came(self) -> dict[str, str]:
        """What an entry says of where it came from."""
        said = {"request": self.request, "key": self.key, "trace": self.trace}
        return {name: one for name, one in said.items() if one is not None}


ASKER: ContextVar[Asker | None] = ContextVar("asker", default=None)


def saw(entity: str, ids: Iterable[str]) -> None:
    """Note records whose values are handed to whoever is asking, if somebody is."""
    asker = ASKER.get()
    if asker is not None:
        asker.saw.setdefault(entity, set()).update(ids)


def claim(connection: sa.Connection) -> None:
    """Be the only one who adds to the chain until the transaction ends."""
    cases.claim(connection, "audit")


def append(connection: sa.Connection, act: Act, now: datetime) -> None:
    """Add an entry to the chain; within a request, with its id and its key."""
    asker = ASKER.get()
    if asker is not None:
        asker.noted_in = connection.get_transaction()
        act = Act(act.actor, act.action, act.subject, {**act.detail, **asker.came})
    append_all(connection, [(act, now)])


def append_all(connection: sa.Connection, acts: Sequence[tuple[Act, datetime]]) -> None:
    """Add entries to the chain, each with its time, in one statement."""
    claim(connection)
    last = connection.execute(sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)).one_or_none()
    count, previous = (last.id, last.hash) if last else (0, _FIRST)
    rows = []
    for number, (act, at) in enumerate(acts, count + 1):
        row = {"id": number, "at": at, "actor": act.actor, "action": act.action, "subject": act.subject}
        row |= {"detail": dict(act.detail), "previous": previous, "hash": _seal(number, at, act, previous)}
        rows.append(row)
        previous = row["hash"]
    connection.execute(sa.insert(audit), rows)


def verify(connection: sa.Connection) -> int | None:
    """The number of the first entry that is not what was written, or None when the chain holds."""
    previous, expected, emptied = _FIRST, 1, dict[int, list[tuple[int, bytes]]]()
    for row in connection.execute(sa.select(audit).order_by(audit.c.id)):
        if row.id != expected or row.previous != previous or not _stands(row, emptied):
            return expected
        previous, expected = row.hash, expected + 1
    return min((ids[0][0] for ids in emptied.values()), default=None)


def digest(covered: Sequence[tuple[int, bytes]]) -> str:
    """What an anchor says of the entries that it covers: their numbers and seals, in order."""
    return sha256(b"".join(b"%d %b\n" % (number, seal) for number, seal in covered)).hexdigest()


def _stands(row: Any, emptied: dict[int, list[tuple[int, bytes]]]) -> bool:
    """Whether an entry is what was written; an emptied one is kept for its anchor, which takes it out again."""
    if row.action == EMPTIED:
        emptied.setdefault(row.detail.get("anchor", 0), []).append((row.id, row.hash))
        return not (row.actor or row.subject or row.detail.keys() - {"anchor"})
    covered = emptied.pop(row.id, None)
    if covered is not None and (row.action != ANCHOR or row.detail.get("digest") != digest(covered)):
        return False
    act = Act(row.actor, row.action, row.subject, row.detail)
    return bool(row.hash == _seal(row.id, row.at, act, row.previous))


def _seal(number: int, at: datetime, act: Act, previous: bytes) -> bytes:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    body = [number, moment, act.actor, act.action, act.subject, dict(act.detail), previous.hex()]
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
