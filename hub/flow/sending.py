"""An approved plan → a target: each message sent once, what came back written down, what failed tried again later.

Nothing leaves inside a transaction: an entry is marked as being sent, the transaction ends, the message goes, and
what came back is written in the next. A message carries the key (target, golden id, version), so that sending it
again has no second effect. When it is tried again stands in the store, so that no process tries sooner.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from adapters.base import Found, Message, Receipt, Status, Target
from adapters.errors import TargetRefuses
from hub.clock import Clock
from hub.errors import Conflict, NotApproved, NotFound, PlanStale
from hub.flow.failures import ATTEMPTS, Ending, ending
from hub.store import audit, books, failures, plans, sending
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, reading, writing

__all__ = ["ATTEMPTS", "Lease", "apply", "head_of", "resume"]

CHUNK = 200  # messages between two commits
LONGEST = timedelta(minutes=2)  # that we wait for a target before others may go on with the plan
LEASE = timedelta(minutes=5)  # longer than a chunk may take
Row = Mapping[str, Any]
Pause = Callable[[float], None]


def apply(engine: Engine, target: Target, plan_id: int, clock: Clock, pause: Pause = time.sleep) -> dict[str, int]:
    """Send what the plan says and nothing else; how many of its records stand in each state.

    Interrupted at any point, it goes on where it was: what was being sent is looked for in the target, once
    its own cut-off has passed, and sent again under the same key only where it is not there. What is to be tried
    again after more than `LONGEST` is left planned, for a later call or for a worker. Raises NotApproved, PlanStale
    with the records that have moved on, Conflict while another process sends it, or TargetRefuses when the target
    lets us do no more; what was not sent stays planned then.
    """
    lease = Lease(engine, plan_id, f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}", clock)
    lease.keep()
    try:
        _begin(engine, plan_id, target, clock)
        due: datetime | None = clock()
        while due:
            while chunk := _next(lease, target, due):
                lease.keep()
                wait = _deliver(engine, target, chunk, clock)
                if wait:
                    pause(wait)
                due = max(clock(), due + timedelta(seconds=wait))
            due = _wait(lease, due, pause)
        return _finish(engine, target, plan_id, clock)
    finally:
        lease.release()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send a plan, which one process has at a time; it runs out when that process dies."""

    engine: Engine
    plan_id: int
    holder: str
    clock: Clock

    def keep(self, more: timedelta = timedelta()) -> None:
        """Take it, or keep it, for as long as a chunk and `more`. Raises Conflict when another process has it."""
        now = self.clock()
        with writing(self.engine) as connection:
            if plans.get(connection, self.plan_id) is not None and not sending.hold(
                connection, self.plan_id, self.holder, now + LEASE + more, now
            ):
                raise Conflict(
                    f"plan P-{self.plan_id} is being sent by another process; nothing was sent by this one.",
                    hint=f"Look again: one that has died is taken over after {LEASE.total_seconds() / 60:.0f} minutes.",
                )

    def release(self) -> None:
        """Give it back."""
        with writing(self.engine) as connection:
            sending.release(connection, self.plan_id, self.holder)


def resume(engine: Engine, target: Target, clock: Clock, pause: Pause = time.sleep) -> list[int]:
    """Send on what was begun and left: by a process that is gone, or until a next try; the plans."""
    with reading(engine) as connection:
        left = sending.abandoned(connection, target.name, clock())
    for plan_id in left:
        apply(engine, target, plan_id, clock, pause)
    return left


def head_of(connection: Connection, plan_id: int) -> Row:
    """A plan's own row, locked. Raises NotFound."""
    head = plans.get(connection, plan_id, lock=True)
    if head is None:
        raise NotFound(f"there is no plan P-{plan_id}.", hint="`hub publish ls` lists them.")
    return head


def _begin(engine: Engine, plan_id: int, target: Target, clock: Clock) -> None:
    with writing(engine) as connection:
        head = head_of(connection, plan_id)
        if head["target"] != target.name or head["state"] not in ("approved", "running"):
            raise NotApproved(f"plan P-{plan_id} is {head['state']}; nothing was sent.")
        stale = plans.outdated(connection, plan_id) if head["state"] == "approved" else []
        if head["state"] == "approved" and books.changed_since(connection, head["created_at"]):
            stale.append("the closed books")
        if not stale:
            plans.change(connection, plan_id, state="running")
            sending.doubt(connection, plan_id, clock() + target.capabilities.settle)
            return
        named = ", ".join(stale[-5:]) + (f" and {len(stale) - 5} more" if len(stale) > 5 else "")
        plans.retire(connection, head, f"{named} changed after it was made")
    raise PlanStale(f"{named} changed after plan P-{plan_id} was made; nothing was sent.")


def _wait(lease: Lease, due: datetime, pause: Pause) -> datetime | None:
    """Wait until something may be tried, if that is soon; from when on, or None when there is nothing to wait for."""
    with reading(lease.engine) as connection:
        soonest = sending.next_try(connection, lease.plan_id)
    if soonest is None or soonest - due > LONGEST:
        return None
    lease.keep(soonest - due)
    pause((soonest - due).total_seconds())
    return max(lease.clock(), soonest)


def _finish(engine: Engine, target: Target, plan_id: int, clock: Clock) -> dict[str, int]:
    """End the plan if all of it has ended: what was not taken is owed again."""
    with writing(engine) as connection:
        result = plans.counts(connection, plan_id)
        if result.keys() & {"planned", "sending"}:
            return result
        plans.change(connection, plan_id, state="done", finished_at=clock())
        unsent = plans.entries(connection, plan_id, ("rejected", "parked", "superseded", "held"))
        plans.owe_again(connection, target.name, [entry["golden_id"] for entry in unsent])
        audit.append(connection, Act("worker", "apply", f"P-{plan_id}", result), clock())
    return result


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Entries that are marked as being sent, what is known there of their records, and what was found out already."""

    entries: Sequence[Row]
    there: Mapping[str, Row]
    known: Mapping[str, Receipt]


def _next(lease: Lease, target: Target, due: datetime) -> _Chunk | None:
    """The next entries: first those whose outcome is to be looked for by now; None when nothing may be tried."""
    with writing(lease.engine) as connection:
        lost = sending.unknown(connection, lease.plan_id, CHUNK, due)
        chunk = lost
        while not chunk and (rows := sending.ready(connection, lease.plan_id, CHUNK, due)):
            free = _freed(connection, target, rows, due)
            chunk = sending.claim(connection, lease.plan_id, free)
        there = plans.published(connection, target.name, [entry["golden_id"] for entry in chunk])
    if not chunk:
        return None
    return _Chunk(chunk, there, _looked_for(target, lost) if lost else {})


def _freed(connection: Connection, target: Target, rows: Sequence[Row], due: datetime) -> list[Row]:
    """The entries whose parents are there; of the others it is noted that they wait.

    Those whose parent goes now are left for the next chunk, unless the target takes a batch whole or not at all.
    """
    above = sorted({parent for row in rows for parent in row["after"] or ()})
    if not above:
        return list(rows)
    there = plans.published(connection, target.name, above)
    standing = sending.standing(connection, rows[0]["plan_id"], above)
    going: list[Row] = []
    along: set[str] = set()  # go now, or in the next chunk
    whole = target.capabilities.atomic_batch
    later: list[dict[str, Any]] = []
    for row in rows:
        wanting = [one for one in row["after"] or () if standing[one]["state"] != "acknowledged"]
        ended = [one for one in wanting if standing[one]["state"] not in ("planned", "sending")]
        lacking = [one for one in ended if one not in there or not there[one]["active"]]
        kept = {"plan_id": row["plan_id"], "position": row["position"], "state": "planned", "reason": row["reason"]}
        if lacking:
            later.append(kept | {"state": "held", "reason": f"{lacking[0]} is not in {target.name}", "next_at": None})
        elif waits := [one for one in wanting if one not in ended and not (whole and one in along)]:
            if along.intersection(waits):
                along.add(row["golden_id"])
                continue
            tries = (standing[one]["next_at"] for one in waits)
            later.append(kept | {"next_at": max((at for at in tries if at), default=due) + timedelta(seconds=1)})
        else:
            along.add(row["golden_id"])
            going.append(row)
    sending.put_off(connection, later)
    return going


def _looked_for(target: Target, entries: Sequence[Row]) -> dict[str, Receipt]:
    """What the target has of entries whose answer was lost: a receipt for each that has ended; others go again."""
    found: dict[str, list[Found]] = {}
    for entity in dict.fromkeys(entry["entity"] for entry in entries):
        ids = [entry["golden_id"] for entry in entries if entry["entity"] == entity]
        for one in target.find(entity, ids):
            found.setdefault(str(one.golden_id), []).append(one)
    known: dict[str, Receipt] = {}
    for entry in entries:
        golden_id, here = entry["golden_id"], found.get(entry["golden_id"], [])
        if len(here) > 1:
            says = f"it is there {len(here)} times: {', '.join(one.remote_id for one in here)}"
            known[golden_id] = Receipt(Status.DUPLICATE, here[0].remote_id, "twice", says)
        elif here and entry["action"] != "deactivate" and dict(here[0].body) == entry["body"]:
            known[golden_id] = Receipt(Status.REPLAYED, here[0].remote_id, version=here[0].version)
    return known


def _deliver(engine: Engine, target: Target, chunk: _Chunk, clock: Clock) -> float:
    """Send one chunk and write what came back; the seconds that the target asks us to wait, at most `LONGEST`.

    Raises TargetRefuses when nothing more should be sent.
    """
    wanted = [entry for entry in chunk.entries if entry["golden_id"] not in chunk.known]
    now = clock()
    receipts = target.send([_message(target.name, entry, chunk.there.get(entry["golden_id"])) for entry in wanted])
    said = dict(chunk.known) | {e["golden_id"]: receipt for e, receipt in zip(wanted, receipts, strict=True)}
    with writing(engine) as connection:
        tried = failures.of(connection, target.name, [entry["golden_id"] for entry in chunk.entries])
        settle, rows = target.capabilities.settle, list[dict[str, Any]]()
        for entry in chunk.entries:
            receipt = said[entry["golden_id"]]
            rows.append(_outcome(entry, receipt, ending(entry, receipt, tried.get(entry["golden_id"]), now, settle)))
        sending.settle(connection, rows)
        accepted = [row for row in rows if row["state"] == "acknowledged"]
        values = plans.goldens(connection, [row["golden_id"] for row in accepted])
        sent = [row | {"values": dict(values[row["golden_id"]].values)} for row in accepted]
        sending.acknowledge(connection, target.name, sent)
        failures.forget(connection, target.name, sorted(tried.keys() & {row["golden_id"] for row in accepted}))
        failures.put(connection, target.name, [row["failure"] for row in rows if row["failure"]])
    refused = [one for one in receipts if one.status.halting]
    if refused:
        raise TargetRefuses(f"{target.name} stops us: {refused[0].says}. What was not sent stays planned.")
    return max((min(one.wait, LONGEST).total_seconds() for one in receipts if one.wait), default=0.0)


def _message(target: str, entry: Row, there: Row | None) -> Message:
    names = ("entity", "golden_id", "version", "action", "body")
    bound = {"remote_id": there["remote_id"], "expected": there["remote_version"]} if there else {}
    return Message(target, **{name: entry[name] for name in names}, **bound)


def _outcome(entry: Row, receipt: Receipt, end: Ending) -> dict[str, Any]:
    """What is written of an entry that was sent."""
    return {
        **{name: entry[name] for name in ("plan_id", "position", "golden_id", "body", "body_hash")},
        "acknowledged_version": entry["version"], "remote_id": receipt.remote_id or entry["golden_id"],
        "remote_version": receipt.version, "active": entry["action"] != "deactivate",
        "acknowledged_at": end.at, "sent_at": end.at, "state": end.state, "next_at": end.next_at,
        "failure": end.failure,
        "attempt": entry["attempts"] if end.counts else 0, "attempts": entry["attempts"] - (not end.counts),
        "status": receipt.status, "code": receipt.code, "says": receipt.says,
    }  # fmt: skip
