"""A question seen whole: both sides, what one record of both would say, who would be told, what stands near.

What "after the merge" would be is the judge's own answer about the members of both sides, told that they
are one; nothing is written for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub.errors import NotFound
from hub.store import attention, cases, decisions, echoes, journal, queue, reads
from hub.store.attention import Attention
from hub.store.engine import Connection, Engine, reading
from rules.case import Answer, Case, PairDecision
from rules.judge import judge
from rules.judgement import Draft
from rules.ruleset import RuleSet

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One field: what each side says, what both together would say, and who would win by which rule."""

    name: str
    left: Any
    right: Any
    after: Any
    source: str | None
    rule: str
    losers: Sequence[tuple[str, str]]

    @property
    def kind(self) -> str:
        """How the two sides stand to each other."""
        if self.left == self.right:
            return "same"
        return "one" if self.left is None or self.right is None else "differ"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A field of which the sources of one golden record say different things: what stands, and each other word."""

    field: str
    value: Any
    source: str | None
    rule: str
    others: Sequence[tuple[str, Any, str]]  # source key, what it says, why it does not stand


@dataclass(frozen=True, slots=True)
class Impact:
    """What one target would be told."""

    target: str
    says: str
    fields: Sequence[tuple[str, Any, Any]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a steward looks at before answering."""

    task: Row
    mark: str
    attention: Attention
    comments: Sequence[Row]
    sides: Sequence[Row]  # golden records, or None beside a record that none holds
    members: Sequence[Sequence[str]]
    lines: Sequence[Line]
    joined: bool  # both sides are one golden record already
    evidence: Row | None
    match: float
    review: float
    impact: Sequence[Impact]
    money: Mapping[str, Decimal]
    neighbours: Sequence[Row]
    history: Sequence[Row]
    disagreements: Sequence[Disagreement]  # of a question about one record


def comparison(engine: Engine, rulesets: Mapping[str, RuleSet], task_id: str, now: datetime) -> Comparison:
    """A question about one or two records, seen whole. Raises NotFound."""
    with reading(engine) as connection:
        task = decisions.task_of(connection, task_id)
        if task is None:
            raise NotFound(f"there is no task {task_id}.", hint="`hub review ls` lists the open ones.")
        ids = [id_ for id_ in (task["left_id"], task["right_id"]) if id_]
        asked = journal.load_records(connection, ids)
        held = reads.golden_of(connection, [one.key for one in asked.values()])
        goldens = reads.goldens(connection, sorted(set(held.values())))
        sides = [goldens.get(held.get(asked[id_].key, ""), {}) for id_ in ids]
        joined = len(sides) == 2 and bool(sides[0]) and sides[0].get("id") == sides[1].get("id")
        ruleset = rulesets[task["entity"]]
        draft = _together(connection, ruleset, sides, now) if len(sides) == 2 else None
        own = [dict(asked[id_].values) for id_ in ids]
        values = own if joined else [side.get("values", said) for side, said in zip(sides, own, strict=True)]
        pair, bands = attention.pair_of(task), ruleset.document.matching
        return Comparison(
            task=task,
            mark=attention.mark_of(connection, task),
            attention=attention.of(connection, pair),
            comments=attention.said(connection, pair),
            sides=sides,
            members=[[str(key) for key, _ in side.get("members", [])] for side in sides],
            lines=_lines(task["entity"], values, draft),
            joined=joined,
            evidence=reads.evidence_of(connection, ids[0], ids[1]) if len(ids) == 2 else None,
            match=bands.match,
            review=bands.review,
            impact=[] if joined or len(sides) < 2 else _impact(connection, sides, draft),
            money=_money(connection, sides),
            neighbours=queue.near(connection, ids, task_id),
            history=queue.decided_about(connection, ids),
            disagreements=_disagreements(connection, task, sides[0]) if len(sides) == 1 and sides[0] else [],
        )


@dataclass(frozen=True, slots=True)
class Split:
    """What a golden record is now, what it would be without some sources, and what those would be as one."""

    golden: Row
    leaving: Sequence[str]
    lines: Sequence[tuple[str, Any, Any, Any]]  # field, now, what stays, what leaves


def split(
    engine: Engine, rulesets: Mapping[str, RuleSet], asked: str, leaving: Collection[str], now: datetime
) -> Split:
    """A golden record judged again without the sources that leave; nothing is written. Raises NotFound."""
    with reading(engine) as connection:
        golden = reads.goldens(connection, [asked]).get(asked)
        if golden is None:
            raise NotFound(f"there is no record {asked}.")
        members = [key for key, _ in golden["members"]]
        gone = [key for key in members if key in leaving]
        ruleset = rulesets[golden["entity"]]
        stay = _judged(connection, ruleset, [key for key in members if key not in leaving], now)
        left = _judged(connection, ruleset, gone, now)
    rows = [
        (name, golden["values"].get(name), *(draft.values.get(name) if draft else None for draft in (stay, left)))
        for name in ENTITIES[golden["entity"]].fields
    ]
    return Split(golden, gone, [row for row in rows if any(said is not None for said in row[1:])])


def _together(connection: Connection, ruleset: RuleSet, sides: Sequence[Row], now: datetime) -> Draft | None:
    """What the judge says of the members of both sides."""
    return _judged(connection, ruleset, [key for side in sides for key, _ in side.get("members", [])], now)


def _judged(connection: Connection, ruleset: RuleSet, members: Sequence[str], now: datetime) -> Draft | None:
    """What the judge says of these source records, told that they are one."""
    keys = sorted({SourceKey.parse(key) for key in members})
    records = list(journal.load_records(connection, [key.record_id for key in keys]).values())
    live = tuple(sorted((one for one in records if not one.tombstone), key=lambda one: one.key))
    if not live:
        return None
    by_id = {one.key.record_id: one for one in live}
    told = tuple(PairDecision(live[0].key, one.key, Answer.SAME, "if they are one") for one in live[1:])
    said = cases.overrides(connection, {id_: one.key for id_, one in by_id.items()})
    case = Case(
        ruleset.entity.name, live, decisions=told, overrides=said,
        published=echoes.published_there(connection, by_id),
    )  # fmt: skip
    drafts = judge(case, ruleset, now).drafts
    return drafts[0] if len(drafts) == 1 else None


def _disagreements(connection: Connection, task: Row, golden: Row) -> list[Disagreement]:
    """Those that the question names first, then the others in the order of the entity's fields."""
    keys = [SourceKey.parse(key) for key, _ in golden["members"]]
    records = journal.load_records(connection, [key.record_id for key in keys])
    said = {str(one.key): one.values for one in records.values() if not one.tombstone}
    found = []
    for name in ENTITIES[golden["entity"]].fields:
        if name not in golden["provenance"]:
            continue
        source, rule, _, losers = golden["provenance"][name]
        stands = golden["values"].get(name)
        others = [
            (key, said[key][name], why) for key, why in losers if said.get(key, {}).get(name) not in (None, stands)
        ]
        if others:
            found.append(Disagreement(name, stands, source, rule, others))
    return sorted(found, key=lambda one: one.field not in task["reason"])


def _lines(entity: str, values: Sequence[Row], draft: Draft | None) -> list[Line]:
    left, right = values[0], values[1] if len(values) > 1 else {}
    after: Mapping[str, Any] = draft.values if draft else {}
    found = []
    for name in ENTITIES[entity].fields:
        if left.get(name) is None and right.get(name) is None and after.get(name) is None:
            continue
        why = draft.provenance.get(name) if draft else None
        losers = [(str(one.source), one.reason) for one in why.losers] if why else []
        source = str(why.source) if why and why.source else None
        rule = why.rule if why else ""
        found.append(Line(name, left.get(name), right.get(name), after.get(name), source, rule, losers))
    return found


def _impact(connection: Connection, sides: Sequence[Row], draft: Draft | None) -> list[Impact]:
    """What targets that have one of the sides would be told when they become one."""
    found = []
    there = [(side, row) for side in sides if side for row in reads.published(connection, side["id"]) if row["active"]]
    kept: set[str] = set()
    for _, row in sorted(there, key=lambda pair: pair[1]["acknowledged_at"]):
        if draft is None:
            continue
        if row["target"] in kept:
            found.append(Impact(row["target"], f"deactivates {row['remote_id']}", []))
            continue
        kept.add(row["target"])
        changed = [(n, row["values"].get(n), draft.values.get(n)) for n in row["values"].keys() | draft.values.keys()]
        fields = sorted((one for one in changed if one[1] != one[2]), key=lambda one: one[0])
        says = f"updates {row['remote_id']}: {len(fields)} field{'s' if len(fields) != 1 else ''}"
        found.append(Impact(row["target"], says if fields else f"keeps {row['remote_id']} as it is", fields))
    return found


def _money(connection: Connection, sides: Sequence[Row]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for amounts in queue.money(connection, [side["id"] for side in sides if side]).values():
        for currency, amount in amounts.items():
            sums[currency] = sums.get(currency, Decimal()) + amount
    return sums
