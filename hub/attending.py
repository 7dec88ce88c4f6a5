"""Looking at questions together: whoever opens one holds it for a while, puts it off, or says something of it.

None of this is a decision: judging never reads it, and it stays with the pair of source records when a
question is asked anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.errors import Conflict, InvalidRequest, NotFound, require_role
from hub.store import attention, audit, decisions
from hub.store.access import Principal
from hub.store.attention import Attention, Pair
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, writing

HELD = timedelta(minutes=10)
LONGEST = 2000  # characters of a comment
MAY_ATTEND = frozenset({"steward", "approver", "admin"})


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a question until when, and from whom it was taken over."""

    holder: str
    until: datetime
    taken_from: str | None = None


@dataclass(frozen=True, slots=True)
class Attending:
    """What one person may do beside deciding, at one time."""

    engine: Engine
    principal: Principal
    now: datetime

    def claim(self, task_id: str, *, take_over: bool = False, note: str = "") -> Claim:
        """Hold an open question for ten minutes; again, to hold it longer.

        Raises Conflict while somebody else holds it, unless it is taken over, which is said beside the question.
        """
        with self._open(task_id) as (connection, pair, stands):
            other = stands.held_by(self.now)
            if other == self.principal.name:
                other = None
            if other is not None and not take_over:
                raise Conflict(
                    f"{other} holds task {task_id} until {stands.held_until:%H:%M} UTC; nothing was changed.",
                    hint="Take it over, or take another one.",
                )
            if other is not None:
                told = f"took over from {other}" + (f": {note.strip()}" if note.strip() else "")
                attention.say(connection, pair, self.principal.name, told[:LONGEST], self.now)
                self._note(connection, "take over", task_id, {"from": other, "note": note})
            made = Claim(self.principal.name, self.now + HELD, other)
            attention.put(connection, pair, replace(stands, holder=made.holder, held_until=made.until))
        return made

    def release(self, task_id: str) -> None:
        """Hold a question no longer."""
        with self._open(task_id) as (connection, pair, stands):
            if stands.holder == self.principal.name:
                attention.put(connection, pair, replace(stands, holder=None, held_until=None))

    def snooze(self, task_id: str, until: datetime, why: str = "") -> None:
        """Put a question off until a time. Raises InvalidRequest for one that is over."""
        if until <= self.now:
            raise InvalidRequest(f"{until:%Y-%m-%d %H:%M} is over; put it off until a later time.")
        with self._open(task_id) as (connection, pair, stands):
            self._unless_held(task_id, stands)
            if why.strip():
                attention.say(connection, pair, self.principal.name, why.strip()[:LONGEST], self.now)
            attention.put(connection, pair, Attention(snoozed_by=self.principal.name, snoozed_until=until))
            self._note(connection, "snooze", task_id, {"until": until.isoformat()})

    def wake(self, task_id: str) -> None:
        """Ask a question that was put off now."""
        with self._open(task_id) as (connection, pair, stands):
            attention.put(connection, pair, replace(stands, snoozed_by=None, snoozed_until=None))

    def say(self, task_id: str, body: str) -> None:
        """Say something of a question; it stays with the two records. Raises InvalidRequest."""
        text = body.strip()
        if not text or len(text) > LONGEST:
            raise InvalidRequest(f"a comment has 1 to {LONGEST} characters, this one has {len(text)}.")
        with self._task(task_id) as (connection, task):
            attention.say(connection, attention.pair_of(task), self.principal.name, text, self.now)

    @contextmanager
    def _open(self, task_id: str) -> Iterator[tuple[Connection, Pair, Attention]]:
        with self._task(task_id) as (connection, task):
            if task["state"] != "open":
                raise Conflict(f"task {task_id} is closed: {task['closed_by']}. Nothing was changed.")
            pair = attention.pair_of(task)
            yield connection, pair, attention.of(connection, pair)

    @contextmanager
    def _task(self, task_id: str) -> Iterator[tuple[Connection, Mapping[str, Any]]]:
        require_role(self.principal.role, sorted(MAY_ATTEND))
        with writing(self.engine) as connection:
            task = decisions.task_of(connection, task_id)
            if task is None:
                raise NotFound(f"there is no task {task_id}.", hint="`hub review ls` lists the open ones.")
            yield connection, task

    def _unless_held(self, task_id: str, stands: Attention) -> None:
        other = stands.held_by(self.now)
        if other not in (None, self.principal.name):
            raise Conflict(f"{other} holds task {task_id} until {stands.held_until:%H:%M} UTC; nothing was changed.")

    def _note(self, connection: Connection, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        audit.append(connection, Act(self.principal.name, action, subject, detail), self.now)
