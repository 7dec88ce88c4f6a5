"""Golden versions → a target: planned, approved, applied once, acknowledged.

A plan is saved with the body of each message and a hash over all of them; applying sends exactly
that. Nothing leaves inside a transaction: an entry is marked as being sent, the transaction ends,
the message goes, and what came back is written in the next. A message carries the key (target,
golden id, version), so that sending it again has no second effect.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import orjson

from adapters.base import Found, Message, Receipt, Status, Target
from adapters.errors import TargetRefuses
from canonical.catalogue import ENTITIES
from hub.clock import Clock
from hub.errors import Conflict, NotApproved, NotFound, PlanStale
from hub.flow.approvals import asked_of_plan, lapse, standing_for
from hub.flow.books import ask_for_closed
from hub.flow.relations import holding
from hub.store import audit, books, plans, rulesets
from hub.store.access import Principal
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, reading, writing
from hub.store.plans import Owed
from rules.ruleset import RuleSet, shipped

CHUNK = 200  # messages between two commits
LONGEST = timedelta(minutes=2)  # that we wait for a target before we try again
LEASE = timedelta(minutes=5)  # longer than a chunk may take
ATTEMPTS = 5
SCHEDULE = "schedule"  # the role of what approves by itself, as long as nobody is asked
_ORDER = {name: place for place, name in enumerate(ENTITIES)}


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of a plan before it is saved."""

    owed: Owed
    action: str
    state: str
    body: Mapping[str, Any]
    changes: Mapping[str, list[Any]]
    reason: str | None

    @property
    def hash(self) -> bytes:
        """16 bytes over what would be sent."""
        return blake2b(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def make_plan(engine: Engine, target: Target, author: str, now: datetime) -> int:
    """Read everything that is owed to the target and save what would be sent; the plan's id."""
    with writing(engine) as connection:
        inforce = rulesets.in_force(connection, shipped())
        lapse(connection, inforce, now)
        owing, watermark = plans.owed(connection, target.name)
        owing = [one for one in owing if one.entity in target.entities]  # the rest waits for a target that takes it
        lines = _lines(connection, target, owing, inforce)
        rows = [
            (
                place, line.owed.entity, line.owed.golden_id, line.owed.version, line.action, line.state,
                dict(line.body), line.hash, dict(line.changes), line.reason,
            )
            for place, line in enumerate(lines)
        ]  # fmt: skip
        content = blake2b(
            b"".join(f"{row[2]}{row[3]}{row[4]}".encode() + row[7] for row in rows), digest_size=16
        ).hexdigest()
        head = {"target": target.name, "state": "draft", "content_hash": content, "watermark": watermark}
        head["needs"] = asked_of_plan(inforce, [(o.owed.entity, o.action) for o in lines if o.state == "planned"])
        settled = [id_ for line in lines if line.state != "held" for id_ in line.owed.rows]
        plan_id = plans.save(connection, head | {"created_at": now, "created_by": author}, rows, settled)
        audit.append(connection, Act(author, "plan", f"P-{plan_id}", {"target": target.name, "hash": content}), now)
    return plan_id


def approve(
    engine: Engine, plan_id: int, content_hash: str | None, approver: str, now: datetime, *, role: str = "approver"
) -> None:
    """Approve exactly this content. Raises Conflict for another hash or an author's own plan, or NotPermitted."""
    with writing(engine) as connection:
        head = _head(connection, plan_id)
        if head["state"] != "draft":
            raise Conflict(f"plan P-{plan_id} is {head['state']}; nothing was changed.")
        if content_hash is not None and not head["content_hash"].startswith(content_hash):
            raise Conflict(f"plan P-{plan_id} has the hash {head['content_hash'][:8]}, not {content_hash[:8]}.")
        able = {"approver", "admin", *([head["needs"]] if head["needs"] else [SCHEDULE])}
        if head["created_by"] in standing_for(connection, Principal(approver, role), able, now):
            made = f"{head['created_by']} made plan P-{plan_id}"
            raise Conflict(f"{made}, so somebody else must approve it.", hint="Four eyes.")
        plans.change(connection, plan_id, state="approved", approved_at=now, approved_by=approver)
        audit.append(connection, Act(approver, "approve", f"P-{plan_id}", {"hash": head["content_hash"]}), now)


def apply(
    engine: Engine, target: Target, plan_id: int, clock: Clock, pause: Callable[[float], None] = time.sleep
) -> dict[str, int]:
    """Send what the plan says and nothing else; how many of its records ended in each state.

    Interrupted at any point, it goes on where it was: what was being sent is looked for in the target, once
    its own cut-off has passed, and sent again under the same key only where it is not there. Raises
    NotApproved, PlanStale with the records that have moved on, Conflict while another process sends it, or
    TargetRefuses when the target lets us do no more; what was not sent stays planned then.
    """
    lease = Lease(engine, plan_id, f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}", clock)
    lease.keep()
    try:
        _begin(engine, plan_id, target.name)
        while chunk := _resume_or_claim(lease, target, pause):
            lease.keep()
            if wait := _deliver(engine, target, chunk, clock):
                pause(wait)
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
            if plans.get(connection, self.plan_id) is not None and not plans.hold(
                connection, self.plan_id, self.holder, now + LEASE + more, now
            ):
                raise Conflict(
                    f"plan P-{self.plan_id} is being sent by another process; nothing was sent by this one.",
                    hint=f"Look again: one that has died is taken over after {LEASE.total_seconds() / 60:.0f} minutes.",
                )

    def release(self) -> None:
        """Give it back."""
        with writing(self.engine) as connection:
            plans.release(connection, self.plan_id, self.holder)


def resume(engine: Engine, target: Target, clock: Clock) -> list[int]:
    """Send on what another process has begun and left; the plans."""
    with reading(engine) as connection:
        left = plans.abandoned(connection, target.name, clock())
    for plan_id in left:
        apply(engine, target, plan_id, clock)
    return left


def _finish(engine: Engine, target: Target, plan_id: int, clock: Clock) -> dict[str, int]:
    """End the plan: what was not taken is owed again."""
    with writing(engine) as connection:
        plans.change(connection, plan_id, state="done", finished_at=clock())
        result = plans.counts(connection, plan_id)
        unsent = [e["golden_id"] for e in plans.entries(connection, plan_id, ("rejected", "parked", "superseded"))]
        plans.owe_again(connection, target.name, unsent)
        audit.append(connection, Act("worker", "apply", f"P-{plan_id}", result), clock())
    return result


def counted(engine: Engine, plan_id: int) -> dict[str, int]:
    """How many records of a plan stand in each state."""
    with reading(engine) as connection:
        return plans.counts(connection, plan_id)


def _lines(
    connection: Connection, target: Target, owing: Sequence[Owed], inforce: Mapping[str, RuleSet]
) -> list[Planned]:
    """The plan line by line, parents first; a held parent holds its children."""
    ids = [one.golden_id for one in owing]
    goldens = plans.goldens(connection, ids)
    parents = plans.parents(connection, ids)
    there = plans.published(
        connection, target.name, [*ids, *{p for row in parents.values() for p in row.values() if p}]
    )
    owing = ask_for_closed(connection, inforce, owing, goldens, there)
    broken = holding(connection, inforce, [(o.entity, o.golden_id) for o in owing if o.action != "deactivate"])
    owing = [replace(one, held=one.held or broken.get(one.golden_id)) for one in owing]
    lines: list[Planned] = []
    going = {id_ for id_, row in there.items() if row["active"]}
    depth = _depths(parents, sorted(ids))
    for one in sorted(
        owing, key=lambda o: (o.action == "deactivate", _ORDER[o.entity], depth[o.golden_id], o.golden_id)
    ):
        before = there.get(one.golden_id)
        if one.action == "deactivate":
            lines.append(Planned(one, "deactivate", "planned", dict(before["body"]) if before else {}, {}, None))
            continue
        told = inforce[one.entity].told(target.name)
        wanted = {field: id_ for field, id_ in parents.get(one.golden_id, {}).items() if field in told}
        shown = goldens[one.golden_id].only(told)
        body = target.render(shown, {field: id_ for field, id_ in wanted.items() if id_})
        reason = _held(target, one, wanted, going)
        if not reason:
            going.add(one.golden_id)
        lines.append(_line(one, body, before, reason))
    return lines


def _depths(parents: Mapping[str, Mapping[str, str | None]], planned: Sequence[str]) -> dict[str, int]:
    """How long the chain of records above each one is that are in the plan too; a circle ends where it closes."""
    here, known = frozenset(planned), dict[str, int]()

    def of(golden_id: str, below: frozenset[str]) -> int:
        if golden_id not in known and golden_id not in below:
            above = [parent for parent in parents.get(golden_id, {}).values() if parent in here]
            known[golden_id] = max((1 + of(parent, below | {golden_id}) for parent in above if parent), default=0)
        return known.get(golden_id, 0)

    return {golden_id: of(golden_id, frozenset()) for golden_id in planned}


def _held(target: Target, one: Owed, parents: Mapping[str, str | None], going: set[str]) -> str | None:
    """Why a record may not leave yet, or None."""
    if one.held:
        return f"rule {one.held} is not met"
    if one.waits_for:
        return f"waits for an approval by {one.waits_for}"
    for field, parent in sorted(parents.items()):
        if ENTITIES[one.entity].references[field] not in target.entities:
            continue
        if parent is None:
            return f"{field} is not here yet"
        if parent not in going:
            return f"{field} {parent} is not in {target.name}"
    return None


def _line(one: Owed, body: Mapping[str, Any], before: Mapping[str, Any] | None, reason: str | None) -> Planned:
    old = before["body"] if before else {}
    names = sorted(old.keys() | body.keys())
    changes = {name: [old.get(name), body.get(name)] for name in names if old.get(name) != body.get(name)}
    action = "create" if before is None else "update" if changes or not before["active"] else "unchanged"
    if reason:
        return Planned(one, action, "held", body, changes, reason)
    state = "acknowledged" if action == "unchanged" else "planned"
    return Planned(one, action, state, body, changes, None if changes else "the target has it so")


def _head(connection: Connection, plan_id: int) -> Mapping[str, Any]:
    head = plans.get(connection, plan_id, lock=True)
    if head is None:
        raise NotFound(f"there is no plan P-{plan_id}.", hint="`hub publish ls` lists them.")
    return head


def _begin(engine: Engine, plan_id: int, target: str) -> None:
    with writing(engine) as connection:
        head = _head(connection, plan_id)
        if head["target"] != target or head["state"] not in ("approved", "running"):
            raise NotApproved(f"plan P-{plan_id} is {head['state']}; nothing was sent.")
        stale = plans.outdated(connection, plan_id) if head["state"] == "approved" else []
        if head["state"] == "approved" and books.changed_since(connection, head["created_at"]):
            stale.append("the closed books")
        if not stale:
            plans.change(connection, plan_id, state="running")
            return
        plans.change(connection, plan_id, state="stale")
        plans.supersede(connection, plan_id)
        plans.owe_again(
            connection, target, [e["golden_id"] for e in plans.entries(connection, plan_id, ("superseded",))]
        )
    named = ", ".join(stale[-5:]) + (f" and {len(stale) - 5} more" if len(stale) > 5 else "")
    raise PlanStale(f"{named} changed after plan P-{plan_id} was made; nothing was sent.")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Entries that are marked as being sent, what is known there of their records, and what was found out already."""

    entries: Sequence[Mapping[str, Any]]
    there: Mapping[str, Mapping[str, Any]]
    known: Mapping[str, Receipt]


def _resume_or_claim(lease: Lease, target: Target, pause: Callable[[float], None]) -> _Chunk | None:
    """The next entries: first those whose outcome is unknown, looked for in the target; None when all have ended."""
    engine, plan_id = lease.engine, lease.plan_id
    with writing(engine) as connection:
        unknown = plans.entries(connection, plan_id, ("sending",))[:CHUNK]
        if unknown:
            plans.count_attempt(connection, plan_id, [entry["position"] for entry in unknown])
        chunk = unknown or plans.claim(connection, plan_id, CHUNK)
        there = plans.published(connection, target.name, [entry["golden_id"] for entry in chunk])
    if not chunk:
        return None
    if unknown:
        lease.keep(target.capabilities.settle)
        pause(target.capabilities.settle.total_seconds())
        chunk = [{**entry, "attempts": entry["attempts"] + 1} for entry in unknown]
    return _Chunk(chunk, there, _looked_for(target, unknown) if unknown else {})


def _looked_for(target: Target, entries: Sequence[Mapping[str, Any]]) -> dict[str, Receipt]:
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
    rows = [_outcome(entry, said[entry["golden_id"]], now) for entry in chunk.entries]
    with writing(engine) as connection:
        plans.settle(connection, rows)
        accepted = [row for row in rows if row["state"] == "acknowledged"]
        values = plans.goldens(connection, [row["golden_id"] for row in accepted])
        sent = [row | {"values": dict(values[row["golden_id"]].values)} for row in accepted]
        plans.acknowledge(connection, target.name, sent)
    refused = [one for one in receipts if one.status.halting]
    if refused:
        raise TargetRefuses(f"{target.name} stops us: {refused[0].says}. What was not sent stays planned.")
    return max((min(one.wait, LONGEST).total_seconds() for one in receipts if one.wait), default=0.0)


def _message(target: str, entry: Mapping[str, Any], there: Mapping[str, Any] | None) -> Message:
    names = ("entity", "golden_id", "version", "action", "body")
    bound = {"remote_id": there["remote_id"], "expected": there["remote_version"]} if there else {}
    return Message(target, **{name: entry[name] for name in names}, **bound)


def _outcome(entry: Mapping[str, Any], receipt: Receipt, now: datetime) -> dict[str, Any]:
    """What a receipt makes of an entry: what may pass is tried again, up to a limit."""
    state = "acknowledged" if receipt.status.taken else "rejected"
    if receipt.status.passing or receipt.status is Status.UNCERTAIN:
        again = "planned" if receipt.status.passing else "sending"  # uncertain: to be looked for, not sent again
        state = again if entry["attempts"] < ATTEMPTS else "parked"
    return {
        **{name: entry[name] for name in ("plan_id", "position", "golden_id", "attempts", "body", "body_hash")},
        "acknowledged_version": entry["version"], "remote_id": receipt.remote_id or entry["golden_id"],
        "remote_version": receipt.version,
        "active": entry["action"] != "deactivate", "acknowledged_at": now,
        "state": state, "status": receipt.status, "code": receipt.code, "says": receipt.says, "sent_at": now,
    }  # fmt: skip
