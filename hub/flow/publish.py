"""Golden versions → a target: planned, approved, or discarded. `sending` applies what was approved.

A plan is saved with the body of each message and a hash over all of them; applying sends exactly that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from adapters.base import Target
from canonical.catalogue import ENTITIES
from canonical.record import GoldenRecord
from hub.errors import Conflict, require_reason, require_role
from hub.flow.approvals import asked_of_plan, lapse, standing_for
from hub.flow.books import ask_for_closed
from hub.flow.failures import why_not_again
from hub.flow.relations import holding
from hub.flow.sending import apply, head_of, resume
from hub.store import audit, failures, plans, rulesets
from hub.store.access import Principal
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, reading, writing
from hub.store.plans import Owed
from rules.ruleset import RuleSet, shipped

__all__ = ["SCHEDULE", "apply", "approve", "counted", "discard", "make_plan", "resume"]

SCHEDULE = "schedule"  # the role of what approves by itself, as long as nobody is asked
POSTED = frozenset({"invoice", "payment"})  # what a merge of parents does not move
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
    after: Sequence[str] = ()  # golden ids of this plan that must be there first
    heir: str | None = None  # into which a record that is deactivated was merged

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
                list(line.after), line.heir,
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
        head = head_of(connection, plan_id)
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


def discard(engine: Engine, plan_id: int, who: Principal, reason: str, now: datetime) -> None:
    """Do not send a plan of which nothing was sent yet; what it would have sent is owed again.

    Raises NotFound, NotPermitted, InvalidRequest without a reason, or Conflict once its sending has begun.
    """
    require_reason(reason, "discarding a plan")
    with writing(engine) as connection:
        head = head_of(connection, plan_id)
        if who.name != head["created_by"]:
            require_role(who.role, ("approver", "operator", "admin"))
        if head["state"] not in ("draft", "approved"):
            raise Conflict(f"plan P-{plan_id} is {head['state']}; nothing was changed.")
        plans.retire(connection, head, f"discarded by {who.name}: {reason}")
        detail = {"hash": head["content_hash"], "reason": reason}
        audit.append(connection, Act(who.name, "discard plan", f"P-{plan_id}", detail), now)


def counted(engine: Engine, plan_id: int) -> dict[str, int]:
    """How many records of a plan stand in each state."""
    with reading(engine) as connection:
        return plans.counts(connection, plan_id)


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is to know of the records that are owed."""

    inforce: Mapping[str, RuleSet]
    goldens: Mapping[str, GoldenRecord]
    parents: Mapping[str, Mapping[str, str | None]]
    there: Mapping[str, Mapping[str, Any]]  # what the target has, of their parents and heirs too
    heirs: Mapping[str, str]
    merged: Mapping[str, Sequence[str]]  # parent → those that were merged into it
    not_again: Mapping[str, str]  # given up, or parked


def _lines(
    connection: Connection, target: Target, owing: Sequence[Owed], inforce: Mapping[str, RuleSet]
) -> list[Planned]:
    """The plan line by line, parents first; a held parent holds its children."""
    known = _known(connection, target, owing, inforce)
    owing = ask_for_closed(connection, inforce, owing, known.goldens, known.there)
    broken = holding(connection, inforce, [(o.entity, o.golden_id) for o in owing if o.action != "deactivate"])
    owing = [replace(one, held=one.held or broken.get(one.golden_id)) for one in owing]
    lines: list[Planned] = []
    going = {id_ for id_, row in known.there.items() if row["active"]}
    awaited = {one.golden_id for one in owing}
    depth = _depths(known.parents, sorted(awaited))
    for one in sorted(
        owing, key=lambda o: (o.action == "deactivate", _ORDER[o.entity], depth[o.golden_id], o.golden_id)
    ):
        if one.action == "deactivate":
            lines.append(_ending(target, one, known, awaited - going))
            continue
        lines.append(_told(target, one, known, going))
        if lines[-1].state != "held":
            going.add(one.golden_id)
    sent = {line.owed.golden_id for line in lines if line.state == "planned"}
    return [replace(line, after=[id_ for id_ in line.after if id_ in sent]) for line in lines]


def _known(connection: Connection, target: Target, owing: Sequence[Owed], inforce: Mapping[str, RuleSet]) -> _Known:
    ids = [one.golden_id for one in owing]
    parents, heirs = plans.parents(connection, ids), plans.heirs(connection, ids)
    above = sorted({parent for row in parents.values() for parent in row.values() if parent})
    there = plans.published(connection, target.name, [*ids, *above, *heirs.values()])
    tried = failures.of(connection, target.name, ids)
    reasons = {one.golden_id: why_not_again(tried.get(one.golden_id), one.version) for one in owing}
    return _Known(
        inforce, plans.goldens(connection, ids), parents, there, heirs, plans.merged_into(connection, above),
        {id_: why for id_, why in reasons.items() if why},
    )  # fmt: skip


def _told(target: Target, one: Owed, known: _Known, going: set[str]) -> Planned:
    """What the target is told of a record that lives."""
    before = known.there.get(one.golden_id)
    told = known.inforce[one.entity].told(target.name)
    above = {field: id_ for field, id_ in known.parents.get(one.golden_id, {}).items() if field in told}
    shown = known.goldens[one.golden_id].only(told)
    posted = _as_posted(target, shown, above, before["body"], known.merged) if before and one.entity in POSTED else {}
    wanted = {field: id_ for field, id_ in above.items() if field not in posted}
    body = target.render(shown, {field: id_ for field, id_ in (wanted | posted).items() if id_})
    reason = _held(target, one, wanted, going) or known.not_again.get(one.golden_id)
    after = [id_ for field, id_ in sorted(wanted.items()) if id_ and _taken(target, one.entity, field)]
    return replace(_line(one, body, before, reason), after=after)


def _as_posted(
    target: Target,
    shown: GoldenRecord,
    above: Mapping[str, str | None],
    sent: Mapping[str, Any],
    merged: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Where a posted document stands under a record that was merged since: the fields, and that record.

    Found by rendering: the one with which the document reads as it was sent. It stays there.
    """
    given = {field: id_ for field, id_ in above.items() if id_}
    now, found = target.render(shown, given), dict[str, str]()
    for field, heir in given.items():
        for old in merged.get(heir, ()):
            then = target.render(shown, given | {field: old})
            moved = [name for name in then.keys() | now.keys() if then.get(name) != now.get(name)]
            if moved and all(then.get(name) == sent.get(name) for name in moved):
                found[field] = old
    return found


def _ending(target: Target, one: Owed, known: _Known, awaited: Collection[str]) -> Planned:
    """A record that is no more: deactivated there, or put down to its heir once that is there."""
    before, heir = known.there.get(one.golden_id), known.heirs.get(one.golden_id)
    reason = known.not_again.get(one.golden_id)
    if heir in awaited:
        reason = f"its heir {heir} is not in {target.name}"
    body = dict(before["body"]) if before else {}
    line = Planned(one, "deactivate", "held" if reason else "planned", body, {}, reason)
    return replace(line, heir=heir, after=[heir] if heir else [])


def _taken(target: Target, entity: str, field: str) -> bool:
    """Whether what a field refers to is something that the target takes."""
    return ENTITIES[entity].references[field] in target.entities


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
        if not _taken(target, one.entity, field):
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
