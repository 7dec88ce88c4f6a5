"""An approved plan → a target: each message sent once, what came back written down, what failed tried again later.

Nothing leaves inside a transaction: an entry is marked as being sent, the transaction ends, the message goes, and
what came back is written in the next. A message carries the key (target, golden id, version), so that sending it
again has no second effect. When it is tried again stands in the store, so that no process tries sooner. As many
calls are made at once as the target allows; parents have been taken before their children go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters.base import Found, Message, Receipt, Status, Target
from adapters.errors import TargetRefuses, TargetUnavailable, UnknownOutcome
from hub.clock import Clock
from hub.errors import NotApproved, NotFound, PlanStale
from hub.flow import gates
from hub.flow.failures import Ending, ending
from hub.flow.lease import Lease
from hub.store import audit, books, failures, plans, sending
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, reading, writing

CHUNK = 200  # messages between two commits
LONGEST = timedelta(minutes=2)  # that we wait for a target before others may go on with the plan
Row = Mapping[str, Any]
Pause = Callable[[float], None]


def apply(
    engine: Engine, target: Target, plan_id: int, clock: Clock, pause: Pause = time.sleep, *, by_hand: bool = True
) -> dict[str, int]:
    """Send what the plan says and nothing else; how many of its records stand in each state.

    Interrupted at any point, it goes on where it was: what was being sent is looked for in the target, once
    its own cut-off has passed, and sent again under the same key only where it is not there. What is to be tried
    again after more than `LONGEST` is left planned, for a later call or for a worker. `by_hand`: a target that did
    not let us in is asked again. Raises NotApproved, PlanStale with the records that have moved on, Conflict while
    another process sends it, or TargetRefuses when the target lets us do no more; what was not sent stays planned.
    """
    lease = Lease(engine, plan_id, clock)
    with lease.held(pause):
        _begin(lease, target, by_hand=by_hand)
        due: datetime | None = clock()
        while due:
            while chunk := _next(lease, target, due):
                _deliver(lease, target, chunk)
                due = max(clock(), due)
            due = _wait(lease, target, due, pause)
        return _finish(lease, target)


def resume(engine: Engine, target: Target, clock: Clock, pause: Pause = time.sleep) -> list[int]:
    """Send on what was begun and left: by a process that is gone, or until a next try; the plans."""
    with reading(engine) as connection:
        left = sending.abandoned(connection, target.name, clock())
    for plan_id in left:
        apply(engine, target, plan_id, clock, pause, by_hand=False)
    return left


def head_of(connection: Connection, plan_id: int) -> Row:
    """A plan's own row, locked. Raises NotFound."""
    head = plans.get(connection, plan_id, lock=True)
    if head is None:
        raise NotFound(f"there is no plan P-{plan_id}.", hint="`hub publish ls` lists them.")
    return head


def _begin(lease: Lease, target: Target, *, by_hand: bool) -> None:
    plan_id = lease.plan_id
    with writing(lease.engine) as connection:
        head = head_of(connection, plan_id)
        if head["target"] != target.name or head["state"] not in ("approved", "running"):
            raise NotApproved(f"plan P-{plan_id} is {head['state']}; nothing was sent.")
        lease.require(connection)
        stale = plans.outdated(connection, plan_id) if head["state"] == "approved" else []
        if head["state"] == "approved" and books.changed_since(connection, head["created_at"]):
            stale.append("the closed books")
        if not stale:
            plans.change(connection, plan_id, state="running")
            sending.doubt(connection, plan_id, lease.clock() + target.capabilities.settle)
            if by_hand:
                gates.looked_at(connection, target.name)
            return
        named = ", ".join(stale[-5:]) + (f" and {len(stale) - 5} more" if len(stale) > 5 else "")
        plans.retire(connection, head, f"{named} changed after it was made")
    raise PlanStale(f"{named} changed after plan P-{plan_id} was made; nothing was sent.")


def _wait(lease: Lease, target: Target, due: datetime, pause: Pause) -> datetime | None:
    """Wait until something may be tried, if that is soon; from when on, or None when there is nothing to wait for."""
    with writing(lease.engine) as connection:
        lease.require(connection)
        soonest = sending.next_try(connection, lease.plan_id, due)
        if soonest is not None:
            soonest = gates.opening(connection, target.name, max(soonest, due))
    if soonest is None or soonest - due > LONGEST:
        return None
    pause((soonest - due).total_seconds())
    return max(lease.clock(), soonest)


def _finish(lease: Lease, target: Target) -> dict[str, int]:
    """End the plan if all of it has ended: what was not taken is owed again."""
    plan_id, now = lease.plan_id, lease.clock()
    with writing(lease.engine) as connection:
        lease.require(connection)
        result = plans.counts(connection, plan_id)
        if result.keys() & {"planned", "sending"}:
            return result
        plans.change(connection, plan_id, state="done", finished_at=now)
        unsent = plans.entries(connection, plan_id, ("rejected", "parked", "superseded", "held"))
        plans.owe_again(connection, target.name, [entry["golden_id"] for entry in unsent])
        audit.append(connection, Act("worker", "apply", f"P-{plan_id}", result), now)
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
        lease.require(connection)
        most = gates.passing(connection, target.name, due, CHUNK)
        lost = sending.unknown(connection, lease.plan_id, most, due)
        chunk = lost
        while not chunk and (rows := sending.ready(connection, lease.plan_id, most, due)):
            free = _freed(connection, target, rows, due)
            chunk = sending.claim(connection, lease.plan_id, free)
        there = plans.published(connection, target.name, [id_ for one in chunk for id_ in _named(one)])
    if not chunk:
        return None
    try:
        return _Chunk(chunk, there, _looked_for(target, lost) if lost else {})
    except TargetUnavailable as error:
        _lost(lease, target, error)
        raise


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


def _deliver(lease: Lease, target: Target, chunk: _Chunk) -> None:
    """Send one chunk and write what came back, call by call. Raises TargetRefuses when nothing more should be sent.

    A call of which nothing is known leaves its entries marked as being sent; its error is raised when the others
    have ended.
    """
    now = lease.clock()
    found = [entry for entry in chunk.entries if entry["golden_id"] in chunk.known]
    if found:
        _write(lease, target, found, [chunk.known[entry["golden_id"]] for entry in found], now)
    refused: Receipt | None = None
    trouble: Exception | None = None
    for entries, receipts in _answered(target, chunk):
        if isinstance(receipts, Exception):
            trouble = trouble or receipts
            _lost(lease, target, receipts)
            continue
        _write(lease, target, entries, receipts, now)
        refused = refused or next((one for one in receipts if one.status.halting), None)
    if trouble:
        raise trouble
    if refused:
        raise TargetRefuses(f"{target.name} stops us: {refused.says}. What was not sent stays planned.")


def _lost(lease: Lease, target: Target, error: Exception) -> None:
    """Tell all senders that a call came to nothing."""
    with writing(lease.engine) as connection:
        lease.require(connection)
        gates.lost(connection, target.name, str(error), lease.clock())


def _answered(target: Target, chunk: _Chunk) -> Iterator[tuple[Sequence[Row], list[Receipt] | Exception]]:
    """What came back of the calls that a chunk takes, in the order in which they ended."""
    wanted = [entry for entry in chunk.entries if entry["golden_id"] not in chunk.known]
    at_once = target.capabilities.parallel
    size = max(1, min(-(-len(wanted) // at_once), target.capabilities.batch)) if at_once > 1 else CHUNK
    calls = [wanted[start : start + size] for start in range(0, len(wanted), size)]

    def call(entries: Sequence[Row]) -> list[Receipt] | Exception:
        try:
            return target.send([_message(target.name, one, chunk.there) for one in entries])
        except (TargetUnavailable, UnknownOutcome) as error:
            return error

    if len(calls) < 2:
        yield from ((entries, call(entries)) for entries in calls)
        return
    with ThreadPoolExecutor(at_once) as pool:
        begun = {pool.submit(call, entries): entries for entries in calls}
        for ended in as_completed(begun):
            yield begun[ended], ended.result()


def _write(lease: Lease, target: Target, entries: Sequence[Row], receipts: Sequence[Receipt], now: datetime) -> None:
    """Write what became of entries, and what the target has now."""
    settle = target.capabilities.settle
    with writing(lease.engine) as connection:
        lease.require(connection)
        tried = failures.of(connection, target.name, [entry["golden_id"] for entry in entries])
        rows = [
            _outcome(entry, receipt, ending(entry, receipt, tried.get(entry["golden_id"]), now, settle))
            for entry, receipt in zip(entries, receipts, strict=True)
        ]
        sending.settle(connection, rows)
        accepted = [row for row in rows if row["state"] == "acknowledged"]
        values = plans.goldens(connection, [row["golden_id"] for row in accepted])
        sent = [row | {"values": dict(values[row["golden_id"]].values)} for row in accepted]
        sending.acknowledge(connection, target.name, sent)
        failures.forget(connection, target.name, sorted(tried.keys() & {row["golden_id"] for row in accepted}))
        failures.put(connection, target.name, [row["failure"] for row in rows if row["failure"]])
        gates.heard(connection, target.name, receipts, now)


def _named(entry: Row) -> list[str]:
    """The golden record of an entry, and the one that it was merged into."""
    return [entry["golden_id"], *([entry["heir"]] if entry["heir"] else [])]


def _message(target: str, entry: Row, known: Mapping[str, Row]) -> Message:
    names = ("entity", "golden_id", "version", "action", "body", "heir")
    there = known.get(entry["golden_id"])
    bound = {"remote_id": there["remote_id"], "expected": there["remote_version"]} if there else {}
    remote = {one: known[one]["remote_id"] for one in _named(entry)[1:] if one in known}
    return Message(target, **{name: entry[name] for name in names}, **bound, remote_ids=remote)


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
