"""What would become of some payloads: taken in and judged as they would be, and then nothing of it is kept.

The work is done by the code of intake in a transaction that is always rolled back, so it cannot tell another
story than intake does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import uuid4

from adapters.base import Target
from adapters.decode import Payload
from adapters.mapping import MappedSource
from canonical.catalogue import ENTITIES
from canonical.record import GoldenRecord
from hub.clock import Clock
from hub.flow.ingest import Report, Translator
from hub.flow.intake import take_in
from hub.flow.relations import unmet
from hub.flow.resolve import resolve
from hub.store import cases, codes, journal, plans, reads, standing
from hub.store.engine import Connection, Engine, reading, trying
from hub.store.journal import Delivered
from rules.conditions import trace
from rules.draft import facts_about
from rules.judgement import Change, Draft, Judgement
from rules.ruleset import RuleSet

MOST = 50  # payloads of one trial: others wait while it lasts
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """What a trial is made with: rules in force or drafts, the source, the targets by name."""

    rulesets: Mapping[str, RuleSet]
    source: MappedSource
    targets: Mapping[str, Target]
    clock: Clock


def attempt(engine: Engine, bench: Bench, payloads: Iterable[Payload]) -> list[Document]:
    """For each payload: its records, their candidates with evidence, what becomes of golden records, what leaves."""
    report = Report("trial")
    with reading(engine) as connection:
        translator = Translator(bench.source.with_codes(codes.in_force(connection)), bench.clock, report)
    delivered = [translator.translate(place, one) for place, one in enumerate(islice(payloads, MOST), 1)]
    now = bench.clock()
    with trying(engine) as connection:
        batch_id, _, _ = journal.open_batch(connection, "trial", uuid4().hex, now)
        for name in ENTITIES:
            cases.claim(connection, name)
        taken = take_in(connection, batch_id, delivered, now)
        decided = resolve(connection, bench.rulesets, taken.touched, now)
        return [_told(connection, bench, one, decided) for one in delivered]


def _told(connection: Connection, bench: Bench, one: Delivered, decided: Mapping[str, Judgement]) -> Document:
    return {
        "place": one.position,
        "outcome": one.outcome,
        "findings": [_finding(f) for f in (*one.findings, *(f for r in one.records for f in r.findings))],
        "records": [
            {
                "key": str(record.key),
                "values": dict(record.values),
                "candidates": _candidates(connection, bench, record.key.entity, record.key.record_id),
                "golden": [
                    _golden(connection, bench, draft, record.key.entity)
                    for draft in decided[record.key.entity].drafts
                    if record.key in draft.cluster.members
                ],
                "asks": [
                    {"kind": q.kind.value, "left": str(q.left), "right": q.right and str(q.right), "reason": q.reason}
                    for q in decided[record.key.entity].questions
                    if record.key in (q.left, q.right)
                ],
            }
            for record in one.records
            if record.key.entity in decided
        ],
    }


def _finding(found: Any) -> Document:
    return {"code": found.code, "field": found.field, "message": found.message, "next": found.hint}


def _candidates(connection: Connection, bench: Bench, entity: str, record_id: int) -> list[Document]:
    matching = bench.rulesets[entity].document.matching
    return [
        {
            "key": f"{row['system']}:{row['entity']}:{row['key']}",
            "score": row["score"],
            "verdict": "match" if row["score"] >= matching.match else "review",
            "parts": [
                {"comparison": name, "similarity": like, "weight": weight} for name, like, weight in row["parts"]
            ],
        }
        for row in reads.evidence_about(connection, record_id)
    ]


def _golden(connection: Connection, bench: Bench, draft: Draft, entity: str) -> Document:
    """One golden record as it would be: what changes, which rules fired, what each target would see."""
    ruleset = bench.rulesets[entity]
    before = standing.version(connection, draft.id, draft.version - 1) if draft.change is Change.UPDATE else None
    old = before["values"] if before else {} if draft.change is Change.CREATE else draft.values
    changed = {
        name: {"before": old.get(name), "after": draft.values.get(name), "rule": _rule(draft, name)}
        for name in ruleset.entity.fields
        if old.get(name) != draft.values.get(name)
    }
    return {
        "id": draft.id,
        "change": draft.change.value,
        "version": draft.version,
        "members": [str(key) for key in draft.cluster.members],
        "changed": changed,
        "findings": [_finding(one) for one in draft.findings],
        "relations": [
            {"rule": one.rule.id, "effect": one.rule.effect, "message": one.rule.message}
            for one in unmet(connection, ruleset, [draft.id])
        ],
        "leaves": [_leaving(connection, bench, draft, entity, one) for one in draft.publications],
        "rules": _trace(connection, ruleset, draft),
    }


def _rule(draft: Draft, name: str) -> str | None:
    found = draft.provenance.get(name)
    return found.rule if found else None


def _leaving(connection: Connection, bench: Bench, draft: Draft, entity: str, one: Any) -> Document:
    """What a target would be sent, in its own words where the target is known here."""
    target = bench.targets.get(one.target)
    ruleset = bench.rulesets[entity]
    told = ruleset.told(one.target)
    led = plans.parents(connection, [draft.id]).get(draft.id, {})
    parents = {name: id_ for name, id_ in led.items() if id_ and name in told}
    golden = GoldenRecord(draft.id, entity, draft.version, draft.values, {}, (), ruleset.version).only(told)
    body = target.render(golden, parents) if target is not None and entity in target.entities else None
    return {"target": one.target, "rule": one.rule, "waits_for": one.waits_for, "held": one.held, "body": body}


def _trace(connection: Connection, ruleset: RuleSet, draft: Draft) -> list[Document]:
    """Every rule with a condition: whether it fired, and for each of its tests what was asked and what is."""
    members: Sequence[Any] = [
        one
        for one in journal.load_records(connection, [key.record_id for key in draft.cluster.members]).values()
        if not one.tombstone
    ]
    facts = facts_about(ruleset, members, known=draft.change is not Change.CREATE, published=False)
    fired = ruleset.applicable(facts)
    return [
        {
            "rule": name,
            "fired": name in fired,
            "tests": [
                {"fact": test.fact, "asked": list(test.values), "is": value, "holds": holds}
                for test, value, holds in trace(condition, facts)
            ],
        }
        for name, condition in ruleset.conditions.items()
        if trace(condition, facts)
    ]
