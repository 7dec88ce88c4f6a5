"""Golden versions → a target: planned, approved, applied once, acknowledged.

A plan is saved with the body of each message and a hash over all of them; applying sends exactly
that. Nothing leaves inside a transaction: an entry is marked as being sent, the transaction ends,
the message goes, and what came back is written in the next. A message carries the key (target,
golden id, version), so that sending it again has no second effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from adapters.base import Message, Receipt, Status, Target
from canonical.catalogue import ENTITIES
from hub.clock import Clock
from hub.errors import Conflict, NotApproved, NotFound, PlanStale
from hub.store import audit, plans
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, writing
from hub.store.plans import Owed

CHUNK = 200  # messages between two commits
ATTEMPTS = 5
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
        owing, watermark = plans.owed(connection, target.name)
        lines = _lines(connection, target, owing)
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
        settled = [id_ for line in lines if line.state != "held" for id_ in line.owed.rows]
        plan_id = plans.save(connection, head | {"created_at": now, "created_by": author}, rows, settled)
        audit.append(connection, Act(author, "plan", f"P-{plan_id}", {"target": target.name, "hash": content}), now)
    return plan_id


def approve(engine: Engine, plan_id: int, content_hash: str | None, approver: str, now: datetime) -> None:
    """Approve exactly this content. Raises Conflict for another hash or an author's own plan."""
    with writing(engine) as connection:
        head = _head(connection, plan_id)
        if head["state"] != "draft":
            raise Conflict(f"plan P-{plan_id} is {head['state']}; nothing was changed.")
        if content_hash is not None and not head["content_hash"].startswith(content_hash):
            raise Conflict(f"plan P-{plan_id} has the hash {head['content_hash'][:8]}, not {content_hash[:8]}.")
        if head["created_by"] == approver:
            raise Conflict(f"{approver} made plan P-{plan_id}, so somebody else must approve it.", hint="Four eyes.")
        plans.change(connection, plan_id, state="approved", approved_at=now, approved_by=approver)
        audit.append(connection, Act(approver, "approve", f"P-{plan_id}", {"hash": head["content_hash"]}), now)


def apply(engine: Engine, target: Target, plan_id: int, clock: Clock) -> dict[str, int]:
    """Send what the plan says and nothing else; how many of its records ended in each state.

    Interrupted at any point, it goes on where it was: what was being sent is sent again under the
    same key. Raises NotApproved, or PlanStale with the records that have moved on.
    """
    _begin(engine, plan_id, target.name)
    remote = _Remote(target)
    while _resume_or_claim(engine, remote, plan_id, clock):
        pass
    with writing(engine) as connection:
        plans.change(connection, plan_id, state="done", finished_at=clock())
        result = plans.counts(connection, plan_id)
        unsent = [e["golden_id"] for e in plans.entries(connection, plan_id, ("rejected", "parked", "superseded"))]
        plans.owe_again(connection, target.name, unsent)
        audit.append(connection, Act("worker", "apply", f"P-{plan_id}", result), clock())
    return result


class _Remote:
    """The target for one run: the ids that it gave are looked up as they come in."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def send(self, entries: Sequence[Mapping[str, Any]]) -> list[Receipt]:
        """One receipt per entry, in order."""
        messages = [
            Message(
                target=self.target.name,
                entity=e["entity"],
                golden_id=e["golden_id"],
                version=e["version"],
                action=e["action"],
                body=e["body"],
            )
            for e in entries
        ]
        return self.target.send(messages)


def _lines(connection: Connection, target: Target, owing: Sequence[Owed]) -> list[Planned]:
    """The plan line by line, parents first; a held parent holds its children."""
    ids = [one.golden_id for one in owing]
    goldens = plans.goldens(connection, ids)
    parents = plans.parents(connection, ids)
    there = plans.published(
        connection, target.name, [*ids, *{p for row in parents.values() for p in row.values() if p}]
    )
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
        wanted = parents.get(one.golden_id, {})
        body = target.render(goldens[one.golden_id], {field: id_ for field, id_ in wanted.items() if id_})
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
        if not stale:
            plans.change(connection, plan_id, state="running")
            return
        plans.change(connection, plan_id, state="stale")
        plans.supersede(connection, plan_id)
        plans.owe_again(
            connection, target, [e["golden_id"] for e in plans.entries(connection, plan_id, ("superseded",))]
        )
    named = ", ".join(stale[:5])
    raise PlanStale(f"{len(stale)} records changed after plan P-{plan_id} was made ({named}); nothing was sent.")


def _resume_or_claim(engine: Engine, remote: _Remote, plan_id: int, clock: Clock) -> bool:
    """Send one chunk; whether there was anything to send."""
    with writing(engine) as connection:
        chunk = plans.entries(connection, plan_id, ("sending",))[:CHUNK] or plans.claim(connection, plan_id, CHUNK)
    if not chunk:
        return False
    now = clock()
    receipts = remote.send(chunk)
    rows = [_outcome(entry, receipt, now) for entry, receipt in zip(chunk, receipts, strict=True)]
    with writing(engine) as connection:
        plans.settle(connection, rows)
        accepted = [row for row in rows if row["state"] == "acknowledged"]
        values = plans.goldens(connection, [row["golden_id"] for row in accepted])
        sent = [row | {"values": dict(values[row["golden_id"]].values)} for row in accepted]
        plans.acknowledge(connection, remote.target.name, sent)
    return True


def _outcome(entry: Mapping[str, Any], receipt: Receipt, now: datetime) -> dict[str, Any]:
    """What a receipt makes of an entry: what may pass is tried again, up to a limit."""
    again = receipt.status.passing or receipt.status is Status.UNCERTAIN
    state = "acknowledged" if receipt.status.taken else "rejected"
    if again:
        state = "planned" if entry["attempts"] < ATTEMPTS else "parked"
    return {
        **{name: entry[name] for name in ("plan_id", "position", "golden_id", "attempts", "body", "body_hash")},
        "acknowledged_version": entry["version"], "remote_id": receipt.remote_id or entry["golden_id"],
        "active": entry["action"] != "deactivate", "acknowledged_at": now,
        "state": state, "status": receipt.status, "code": receipt.code, "says": receipt.says, "sent_at": now,
    }  # fmt: skip
