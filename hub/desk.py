"""What a steward may do: answer a question, set a value, take an answer back.

Each command is a decision in the journal, followed by judging the records it speaks of again. That
is why an undo restores everything: the decision ends, and the same judge looks at the same sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.catalogue import entity as entity_named
from canonical.ids import SourceKey
from hub.errors import Conflict, Contradiction, InvalidRequest, NotFound, NotPermitted
from hub.flow.resolve import resolve
from hub.store import audit, decisions, journal, plans
from hub.store.access import Principal
from hub.store.audit import Act
from hub.store.decisions import Decision
from hub.store.engine import Connection, Engine, writing
from rules.case import spoken
from rules.ruleset import RuleSet

MAY_DECIDE = frozenset({"steward", "admin"})


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one person at one time."""

    engine: Engine
    rulesets: Mapping[str, RuleSet]
    principal: Principal
    now: datetime

    def answer(self, task_id: str, answer: str, reason: str) -> str:
        """Answer a match task with `same` or `different`; the decision's id. Raises Conflict if it is closed."""
        self._permit(MAY_DECIDE)
        if answer not in ("same", "different"):
            raise InvalidRequest(f"{answer!r} is no answer to a match task.", hint="Answer `same` or `different`.")
        with writing(self.engine) as connection:
            task = decisions.task_of(connection, task_id)
            if task is None or task["right_id"] is None:
                raise NotFound(f"there is no match task {task_id}.")
            if task["state"] != "open":
                raise Conflict(f"task {task_id} is closed: {task['closed_by']}. Your decision was not applied.")
            left = SourceKey(task["system"], task["left_entity"], task["key"])
            right = SourceKey(task["right_system"], task["right_entity"], task["right_key"])
            made = Decision(answer, left, right, reason, self.principal.name)
            decision_id = self._decide(connection, made)
            decisions.close_task(connection, task_id, decision_id, self.now)
        return decision_id

    def decide(self, answer: str, left: SourceKey, right: SourceKey, reason: str) -> str:
        """Say of any two source records that they are the same or different; the decision's id."""
        self._permit(MAY_DECIDE)
        if left == right or left.entity != right.entity or answer not in ("same", "different"):
            raise InvalidRequest("a decision is `same` or `different`, about two records of one entity.")
        with writing(self.engine) as connection:
            known = decisions.keys_of(connection, {left.record_id, right.record_id})
            for key in (left, right):
                if key.record_id not in known:
                    raise NotFound(f"there is no source record {key}.")
            return self._decide(connection, Decision(answer, left, right, reason, self.principal.name))

    def override(
        self,
        key: SourceKey,
        field: str,
        value: Any,
        *,
        reason: str,
        until: datetime | None = None,
        while_said: bool = False,
    ) -> str:
        """Set a field of whatever golden record holds this source record; the decision's id.

        It stands for ever, `until` a time, or with `while_said` as long as the source record says of the
        field what it says now.
        """
        self._permit(MAY_DECIDE)
        if until is not None and until <= self.now:
            raise InvalidRequest(f"{until:%Y-%m-%d %H:%M} is over; a value may stand until a later time.")
        normal, finding = entity_named(key.entity)[field].read(value)
        if finding is not None and normal is None:
            raise InvalidRequest(f"{field}: {finding.message}", hint=finding.hint)
        with writing(self.engine) as connection:
            said = journal.load_records(connection, [key.record_id]).get(key.record_id)
            if said is None:
                raise NotFound(f"there is no source record {key}.")
            seen = spoken(said.values, field) if while_said else None
            made = Decision("value", key, None, reason, self.principal.name, field, normal, until, seen)
            return self._decide(connection, made)

    def detach(self, key: SourceKey, reason: str) -> list[str]:
        """Take a source record out of its golden record and keep it out: different from each that stays; the decisions.

        Each can be undone alone; with the last of them undone, the rules alone decide again.
        """
        self._permit(MAY_DECIDE)
        with writing(self.engine) as connection:
            held = decisions.held_with(connection, key.record_id)
            if held is None:
                raise NotFound(f"there is no source record {key}.")
            if not held:
                raise Conflict(f"{key} is alone in its golden record; there is nothing to detach it from.")
            others = list(decisions.keys_of(connection, held).values())
            return [
                self._decide(connection, Decision("different", key, other, reason, self.principal.name))
                for other in sorted(others)
            ]

    def undo(self, decision_id: str) -> None:
        """Take a decision back; everything that followed from it alone is undone with it."""
        self._permit(MAY_DECIDE)
        with writing(self.engine) as connection:
            row = decisions.undo(connection, decision_id, self.principal.name, self.now)
            if row is None:
                raise Conflict(f"decision {decision_id} is not in force; nothing was changed.")
            ids = {id_ for id_ in (row["left_id"], row["right_id"]) if id_}
            self._judge_again(connection, decisions.keys_of(connection, ids))
            self._note(connection, "undo", decision_id, {"kind": row["kind"]})

    def approve(self, golden_id: str, target: str, version: int, reason: str) -> None:
        """Let a publication go that waits for an approval. Raises Conflict when it is not the version that was seen.

        Who decided about the record cannot approve what follows from it.
        """
        if not reason.strip():
            raise InvalidRequest("an approval needs a reason.", hint="Say in a few words why it may leave.")
        with writing(self.engine) as connection:
            asked = [
                one for one in plans.waiting(connection) if (one["golden_id"], one["target"]) == (golden_id, target)
            ]
            if not asked:
                raise NotFound(f"nothing of {golden_id} waits to leave for {target}.", hint="`hub publish waiting`.")
            (row,) = asked
            self._permit(frozenset({row["waits_for"], "approver", "admin"}))
            if row["version"] != version:
                raise Conflict(
                    f"{golden_id} is at version {row['version']} by now, not {version}; nothing was approved."
                )
            if self.principal.name in decisions.authors_about(connection, golden_id):
                raise NotPermitted(
                    f"{self.principal.name} decided about {golden_id}, so somebody else must approve it.",
                    hint="Four eyes.",
                )
            if not plans.let_go(connection, row["id"], self.principal.name, self.now):
                raise Conflict(f"{golden_id} does not wait any more; nothing was changed.")
            detail = {"target": target, "version": version, "waited_for": row["waits_for"], "reason": reason}
            self._note(connection, "approve", golden_id, detail)

    def _decide(self, connection: Connection, made: Decision) -> str:
        if not made.reason.strip():
            raise InvalidRequest("a decision needs a reason.", hint="Say in a few words how you know.")
        keys = {key.record_id: key for key in (made.left, made.right) if key}
        if made.right is not None:
            self._refuse_contradiction(connection, made, made.right)
        decision_id = decisions.add(connection, made, self.now)
        self._judge_again(connection, keys)
        subject = " ".join(str(key) for key in keys.values())
        self._note(
            connection, made.kind, subject, {"decision": decision_id, "reason": made.reason, "field": made.field}
        )
        return decision_id

    def _refuse_contradiction(self, connection: Connection, made: Decision, right: SourceKey) -> None:
        """A = B, B = C and A ≠ C cannot all stand: refuse the last, showing the path."""
        from_left = decisions.same_edges(connection, made.left.record_id)
        if made.kind == "different":
            if right.record_id in from_left:
                raise Contradiction(
                    f"earlier decisions say that they are the same: {_path(connection, from_left, right)}."
                )
            return
        from_right = decisions.same_edges(connection, right.record_id)
        against = decisions.different_among(connection, set(from_left), set(from_right))
        if against is not None:
            named = decisions.keys_of(connection, {against["left_id"], against["right_id"]})
            apart = " ≠ ".join(str(key) for key in named.values())
            raise Contradiction(f"{against['author']} decided that {apart} ({against['reason']}).")

    def _judge_again(self, connection: Connection, keys: Mapping[int, SourceKey]) -> None:
        touched: dict[str, set[int]] = {}
        for id_, key in keys.items():
            touched.setdefault(key.entity, set()).add(id_)
        resolve(connection, self.rulesets, touched, self.now)

    def _note(self, connection: Connection, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        audit.append(connection, Act(self.principal.name, action, subject, detail), self.now)

    def _permit(self, roles: frozenset[str]) -> None:
        if self.principal.role not in roles:
            raise NotPermitted(f"{self.principal.role} may not do this; {' or '.join(sorted(roles))} may.")


def _path(connection: Connection, reached: Mapping[int, tuple[int, str]], end: SourceKey) -> str:
    steps = [end.record_id]
    while reached[steps[-1]][0] != steps[-1]:
        steps.append(reached[steps[-1]][0])
    named = decisions.keys_of(connection, set(steps))
    return " = ".join(str(named[id_]) for id_ in reversed(steps))
