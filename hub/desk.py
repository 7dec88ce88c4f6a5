"""What a steward may do: answer a question, set a value, take an answer back.

Each command is a decision in the journal, followed by judging the records it speaks of again. That
is why an undo restores everything: the decision ends, and the same judge looks at the same sources.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from uuid_utils import uuid7

from canonical.catalogue import entity as entity_named
from canonical.ids import SourceKey
from hub.errors import Conflict, Contradiction, InvalidRequest, NotFound, NotPermitted, require_reason, require_role
from hub.flow import approvals
from hub.flow.resolve import resolve
from hub.store import attention, audit, cases, confirming, decisions, journal, plans
from hub.store.access import Principal
from hub.store.audit import Act
from hub.store.decisions import Decision
from hub.store.engine import Connection, Engine, reading, writing
from rules.case import spoken
from rules.ruleset import RuleSet

MAY_DECIDE = frozenset({"steward", "admin"})


@dataclass(frozen=True, slots=True)
class Batch:
    """Decisions that one undo takes back: by what each answers, and what was skipped, with why."""

    id: str
    made: Mapping[str, str]
    skipped: Sequence[tuple[str, str]]

    @property
    def decisions(self) -> list[str]:
        """The decisions' ids."""
        return list(self.made.values())


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one person at one time."""

    engine: Engine
    rulesets: Mapping[str, RuleSet]
    principal: Principal
    now: datetime
    seen: str | None = None  # ID@VERSION of the golden record that a decision is about; refused once it has moved on

    def answer(self, task_id: str, answer: str, reason: str, *, seen: str | None = None) -> str:
        """Answer a question about two records: `same`, `different` or `related`; the decision's id.

        Raises Conflict when it is closed, when somebody else holds it, or when it is not what was `seen` any
        more, naming who and what.
        """
        self._permit(MAY_DECIDE)
        with writing(self.engine) as connection:
            task = self._asked(connection, task_id, seen)
            left = SourceKey(task["system"], task["left_entity"], task["key"])
            right = SourceKey(task["right_system"], task["right_entity"], task["right_key"])
            made = Decision(answer, left, right, reason, self.principal.name)
            decision_id = self._decide(connection, made, anew=task["kind"] == "reconfirm")
            self._settle(connection, task, decision_id)
        return decision_id

    def answer_all(self, task_ids: Sequence[str], answer: str, reason: str) -> Batch:
        """Answer many questions alike, in one step that one undo takes back; what cannot be is skipped, with why."""
        self._permit(MAY_DECIDE)
        batch, skipped = str(uuid7()), list[tuple[str, str]]()
        made: dict[str, tuple[str, Mapping[str, Any]]] = {}
        with writing(self.engine) as connection:
            for task_id in dict.fromkeys(task_ids):
                try:
                    task = self._asked(connection, task_id, None)
                    left = SourceKey(task["system"], task["left_entity"], task["key"])
                    right = SourceKey(task["right_system"], task["right_entity"], task["right_key"])
                    said = Decision(answer, left, right, reason, self.principal.name, batch=batch)
                    self._refuse(connection, said)
                    made[task_id] = (decisions.add(connection, said, self.now), task)
                except (Conflict, Contradiction, NotFound) as error:
                    skipped.append((task_id, error.message))
            ids = {id_ for _, task in made.values() for id_ in (task["left_id"], task["right_id"])}
            self._judge_again(connection, decisions.keys_of(connection, ids))
            confirming.remember(connection, [decision_id for decision_id, _ in made.values()])
            for decision_id, task in made.values():
                self._settle(connection, task, decision_id)
            detail = {"answer": answer, "reason": reason, "decided": len(made), "skipped": len(skipped)}
            self._note(connection, "answer all", batch, detail)
        return Batch(batch, {task_id: decision_id for task_id, (decision_id, _) in made.items()}, skipped)

    def decide(self, answer: str, left: SourceKey, right: SourceKey, reason: str) -> str:
        """Say of any two source records that they are the same, different or related; the decision's id."""
        self._permit(MAY_DECIDE)
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
            self._unmoved(connection, key)
            said = journal.load_records(connection, [key.record_id]).get(key.record_id)
            if said is None:
                raise NotFound(f"there is no source record {key}.")
            seen = spoken(said.values, field) if while_said else None
            made = Decision("value", key, None, reason, self.principal.name, field, normal, until, seen)
            return self._decide(connection, made)

    def detach(self, key: SourceKey, reason: str, *, block: bool = True) -> list[str]:
        """Take a source record out of its golden record: different from each that stays; the decisions.

        With `block` for good; without, only until what speaks for and against them changes. Each decision can
        be undone alone; with the last of them undone, the rules alone decide again.
        """
        self._permit(MAY_DECIDE)
        with writing(self.engine) as connection:
            self._unmoved(connection, key)
            held = decisions.held_with(connection, key.record_id)
            if held is None:
                raise NotFound(f"there is no source record {key}.")
            if not held:
                raise Conflict(f"{key} is alone in its golden record; there is nothing to detach it from.")
            return self._part(connection, {key.record_id}, held, reason, block=block).decisions

    def split(self, keys: Collection[SourceKey], reason: str, *, block: bool = True) -> Batch:
        """Take source records of one golden record out of it together. Raises Conflict when that leaves nothing.

        What `block` says of `detach` holds here.
        """
        self._permit(MAY_DECIDE)
        mine = {key.record_id for key in keys}
        with writing(self.engine) as connection:
            held = (decisions.held_with(connection, min(mine)) if mine else None) or set()
            if not mine - {min(mine, default=0)} <= held or not held - mine:
                raise Conflict(
                    "a split takes some records of one golden record out of it, not all; nothing was changed."
                )
            return self._part(connection, mine, held - mine, reason, block=block)

    def undo_merge(self, golden_id: str, reason: str, *, block: bool = True) -> Batch:
        """Part what was the golden record `golden_id`, merged into another since, from what it was merged with.

        Decisions that say the two are the same end. With `block` the two stay apart for good, without, until
        what speaks for and against them changes. Raises Conflict when they are not together.
        """
        self._permit(MAY_DECIDE)
        with writing(self.engine) as connection:
            mine, theirs = decisions.merged_sides(connection, golden_id)
            if not mine or not theirs:
                raise Conflict(f"what was {golden_id} is not merged with anything now; nothing was changed.")
            return self._part(connection, mine, theirs, reason, block=block)

    def undo(self, decision_id: str) -> None:
        """Take a decision back; everything that followed from it alone is undone with it."""
        if self._take_back([decision_id], decision_id) == 0:
            raise Conflict(f"decision {decision_id} is not in force; nothing was changed.")

    def undo_batch(self, batch: str) -> int:
        """Take back all decisions of a batch that are in force; how many. Raises Conflict when none is."""
        with reading(self.engine) as connection:
            ids = decisions.of_batch(connection, batch)
        if not ids or (count := self._take_back(ids, batch)) == 0:
            raise Conflict(f"no decision of batch {batch} is in force; nothing was changed.")
        return count

    def approve(self, golden_id: str, target: str, version: int, reason: str) -> None:
        """Let a publication go that waits for an approval. Raises Conflict when it is not the version that was seen.

        Who decided about the record cannot approve what follows from it.
        """
        require_reason(reason, "an approval", "Say in a few words why it may leave.")
        with writing(self.engine) as connection:
            asked = [
                one for one in plans.waiting(connection) if (one["golden_id"], one["target"]) == (golden_id, target)
            ]
            if not asked:
                raise NotFound(f"nothing of {golden_id} waits to leave for {target}.", hint="`hub publish waiting`.")
            (row,) = asked
            able = {row["waits_for"], "approver", "admin"}
            standing = approvals.standing_for(connection, self.principal, able, self.now)
            if row["version"] != version:
                raise Conflict(
                    f"{golden_id} is at version {row['version']} by now, not {version}; nothing was approved."
                )
            if authors := sorted(standing & decisions.authors_about(connection, golden_id)):
                raise NotPermitted(
                    f"{authors[0]} decided about {golden_id}, so somebody else must approve it.",
                    hint="Four eyes.",
                )
            if not plans.let_go(connection, row["id"], self.principal.name, self.now):
                raise Conflict(f"{golden_id} does not wait any more; nothing was changed.")
            detail = {"target": target, "version": version, "waited_for": row["waits_for"], "reason": reason}
            if lenders := sorted(standing - {self.principal.name}):
                detail["for"] = lenders
            self._note(connection, "approve", golden_id, detail)

    def _unmoved(self, connection: Connection, *keys: SourceKey) -> None:
        """Refuse what is decided about other golden records, or other versions of them, than the one that was seen."""
        if self.seen is None:
            return
        for entity in sorted({key.entity for key in keys}):
            cases.claim(connection, entity)
        now = {key: decisions.standing_of(connection, key.record_id) for key in keys}
        if self.seen not in now.values():
            told = ", ".join(f"{key} stands in {one}" for key, one in now.items())
            raise Conflict(f"{told}, and you saw {self.seen[:80]}; nothing was changed.")

    def _asked(self, connection: Connection, task_id: str, seen: str | None) -> Mapping[str, Any]:
        """The open question, if it may be answered by this person now."""
        task = decisions.task_of(connection, task_id)
        if task is None or task["right_id"] is None:
            raise NotFound(f"there is no task {task_id} about two records.")
        if task["state"] != "open" or (seen is not None and seen != attention.mark_of(connection, task)):
            happened = attention.latest_about(connection, task)
            what = f"is closed ({task['closed_by']})" if task["state"] != "open" else "changed while you looked"
            raise Conflict(f"task {task_id} {what}: {happened}. Your decision was not applied.")
        stands = attention.of(connection, attention.pair_of(task))
        if stands.held_by(self.now) not in (None, self.principal.name):
            raise Conflict(
                f"{stands.holder} holds task {task_id} until {stands.held_until:%H:%M} UTC. "
                "Your decision was not applied.",
                hint="Take it over first, or take another one.",
            )
        return task

    def _settle(self, connection: Connection, task: Mapping[str, Any], decision_id: str) -> None:
        decisions.close_task(connection, task["id"], decision_id, self.now)
        attention.clear(connection, attention.pair_of(task))

    def _part(self, connection: Connection, mine: set[int], theirs: set[int], reason: str, *, block: bool) -> Batch:
        """Say that each of these records is another than each of those."""
        _give_reason(reason)
        known, batch = decisions.keys_of(connection, mine | theirs), str(uuid7())
        self._end(connection, ["same"], mine, theirs, ended_for=batch)
        made = []
        for left in sorted(known[id_] for id_ in mine):
            for right in sorted(known[id_] for id_ in theirs):
                parted = Decision("different", left, right, reason, self.principal.name, batch=batch, lapses=not block)
                self._refuse(connection, parted)
                made.append(decisions.add(connection, parted, self.now))
        self._judge_again(connection, known)
        confirming.remember(connection, made)
        apart = " ≠ ".join(", ".join(sorted(str(known[id_]) for id_ in side)) for side in (mine, theirs))
        self._note(connection, "part", apart, {"batch": batch, "reason": reason, "for good": block})
        return Batch(batch, {id_: id_ for id_ in made}, [])

    def _take_back(self, ids: Sequence[str], named: str) -> int:
        self._permit(MAY_DECIDE)
        with writing(self.engine) as connection:
            rows = decisions.undo(connection, ids, self.principal.name, self.now)
            if rows:
                rows += self._restore(connection, sorted({row["batch"] or row["id"] for row in rows}))
                touched = {id_ for row in rows for id_ in (row["left_id"], row["right_id"]) if id_}
                known = decisions.keys_of(connection, touched)
                self._unmoved(connection, *known.values())
                self._judge_again(connection, known)
                self._note(connection, "undo", named, {"kind": rows[0]["kind"], "decisions": len(rows)})
        return sum(1 for row in rows if row["undone_at"])

    def _end(
        self, connection: Connection, kinds: Sequence[str], left: set[int], right: set[int], *, ended_for: str
    ) -> None:
        """End what was decided between these records and those, until what it ended for is taken back."""
        old = decisions.in_force(connection, kinds, left, right)
        decisions.undo(connection, old, self.principal.name, self.now, ended_for=ended_for)

    def _restore(self, connection: Connection, enders: Sequence[str]) -> list[Mapping[str, Any]]:
        """Put in force again what ended for these. Raises Contradiction where something later stands in the way."""
        found = list[Mapping[str, Any]]()
        for row in decisions.ended_for(connection, enders):
            named = decisions.keys_of(connection, {row["left_id"], row["right_id"]})
            left, right = named[row["left_id"]], named[row["right_id"]]
            self._refuse_contradiction(
                connection, Decision(row["kind"], left, right, row["reason"], row["author"]), right
            )
            decisions.restore(connection, row["id"])
            found.append({**row, "undone_at": None})
        return found

    def _decide(self, connection: Connection, made: Decision, *, anew: bool = False) -> str:
        """Decide; `anew`, what was decided otherwise about the pair gives way."""
        if anew and made.right is not None:
            others = [kind for kind in confirming.PAIRS if kind != made.kind]
            self._end(connection, others, {made.left.record_id}, {made.right.record_id}, ended_for=made.id)
        self._refuse(connection, made)
        keys = {key.record_id: key for key in (made.left, made.right) if key}
        decision_id = decisions.add(connection, made, self.now)
        self._judge_again(connection, keys)
        if made.right is not None:
            confirming.remember(connection, [decision_id])
            decisions.settled_with(connection, sorted(keys), decision_id, self.now)
        subject = " ".join(str(key) for key in keys.values())
        self._note(
            connection, made.kind, subject, {"decision": decision_id, "reason": made.reason, "field": made.field}
        )
        return decision_id

    def _refuse(self, connection: Connection, made: Decision) -> None:
        """Refuse what is no decision, and what contradicts one."""
        _give_reason(made.reason)
        if made.right is None:
            return
        if made.left == made.right or made.left.entity != made.right.entity or made.kind not in confirming.PAIRS:
            raise InvalidRequest("a decision is `same`, `different` or `related`, about two records of one entity.")
        self._refuse_contradiction(connection, made, made.right)

    def _refuse_contradiction(self, connection: Connection, made: Decision, right: SourceKey) -> None:
        """A = B, B = C and A ≠ C cannot all stand: refuse the last, showing the path."""
        from_left = decisions.same_edges(connection, made.left.record_id)
        if made.kind != "same":
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
        require_role(self.principal.role, sorted(roles))


def _give_reason(reason: str) -> None:
    require_reason(reason, "a decision", "Say in a few words how you know.")


def _path(connection: Connection, reached: Mapping[int, tuple[int, str]], end: SourceKey) -> str:
    steps = [end.record_id]
    while reached[steps[-1]][0] != steps[-1]:
        steps.append(reached[steps[-1]][0])
    named = decisions.keys_of(connection, set(steps))
    return " = ".join(str(named[id_]) for id_ in reversed(steps))
