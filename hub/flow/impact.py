"""What a judgement would change of what stands, case by case: exact, complete, and the same for any batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from canonical.ids import SourceKey
from hub.flow.stakes import Stakes
from hub.store import simulations, standing
from hub.store.engine import Connection
from hub.store.verdicts import JUDGED, Verdict, newly_owed, provenance_document, subject_of
from rules.judgement import Change, Draft
from rules.ruleset import RuleSet

Row = Mapping[str, Any]


@dataclass(slots=True)
class Impact:
    """The full lists. Each is a set of lines; `document` puts them in order."""

    retold: frozenset[str] = frozenset()  # targets that would be told other fields
    records: int = 0
    splits: list[dict[str, Any]] = field(default_factory=list)
    merges: list[dict[str, Any]] = field(default_factory=list)
    retired: list[dict[str, Any]] = field(default_factory=list)
    founded: list[dict[str, Any]] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)
    findings_gained: list[dict[str, Any]] = field(default_factory=list)
    findings_lost: list[dict[str, Any]] = field(default_factory=list)
    publications: list[dict[str, Any]] = field(default_factory=list)
    reviews_entered: dict[Any, dict[str, Any]] = field(default_factory=dict)
    reviews_left: dict[Any, dict[str, Any]] = field(default_factory=dict)
    touched: int = 0  # golden records that get a new version
    stakes: Stakes = field(default_factory=Stakes)

    def add(self, connection: Connection, verdict: Verdict) -> None:
        """One case; `verdict` must speak of its core alone (`of_core`)."""
        drafts = verdict.judgement.drafts
        ids = {draft.id for draft in drafts} | {gone.id for gone in verdict.judgement.retirements}
        stood = standing.goldens(connection, ids)
        self.records += len(verdict.core)
        self.touched += len(verdict.changed)
        self._identities(verdict, stood)
        self.stakes.add(connection, verdict, stood)
        for draft in verdict.changed:
            if draft.id in stood and draft.change is Change.UPDATE:
                self.fields.extend(_fields(draft, stood[draft.id]))
            self._findings(draft, stood.get(draft.id))
        self._publications(connection, verdict)
        self._reviews(connection, verdict)

    def _identities(self, verdict: Verdict, stood: Mapping[str, Row]) -> None:
        for gone in verdict.judgement.retirements:
            row = stood[gone.id]
            line = {"golden": gone.id, "label": row["label"], "published": row["published"]}
            if gone.heir:
                self.merges.append(line | {"into": gone.heir})
            else:
                self.retired.append(line)
        for draft in verdict.judgement.drafts:
            if draft.change is not Change.CREATE:
                continue
            left: dict[str, list[str]] = {}
            for key in draft.cluster.members:
                before = verdict.case.links.get(key)
                if before is not None:
                    left.setdefault(before, []).append(str(key))
            label = verdict.ruleset.entity.label_of(dict(draft.values))[:200]
            line = {"golden": draft.id, "label": label, "records": [str(key) for key in draft.cluster.members]}
            for before, keys in sorted(left.items()):
                prior = verdict.case.priors.get(before)
                published = prior is not None and prior.published
                self.splits.append(line | {"from": before, "records": keys, "published": published})
            if not left:
                self.founded.append(line)

    def _findings(self, draft: Draft, row: Row | None) -> None:
        had = {tuple(said) for said in row["findings"]} if row else set()
        has = {(one.code, one.severity.value, one.field, one.message) for one in draft.findings}
        for lines, found in ((self.findings_gained, has - had), (self.findings_lost, had - has)):
            lines.extend(
                {"golden": draft.id, "code": code, "severity": severity, "field": name, "message": message}
                for code, severity, name, message in found
            )

    def _publications(self, connection: Connection, verdict: Verdict) -> None:
        for draft in verdict.changed:
            for one in draft.publications:
                self.publications.append({"target": one.target, "golden": draft.id, "action": "upsert"})
        for owed in newly_owed(connection, verdict, self.retold):
            self.publications.append({"target": owed.target, "golden": owed.golden_id, "action": "upsert"})
        gone = [retired.id for retired in verdict.judgement.retirements]
        for target, golden_id in simulations.having(connection, gone):
            self.publications.append({"target": target, "golden": golden_id, "action": "deactivate"})

    def _reviews(self, connection: Connection, verdict: Verdict) -> None:
        core = sorted(key.record_id for key in verdict.core)
        named = {one.key.record_id: str(one.key) for one in verdict.case.records}
        questions = verdict.judgement.questions
        asked = {subject_of(q): q for q in questions if q.left in verdict.core or q.right in verdict.core}
        rows = standing.open_tasks(connection, core, JUDGED)
        stood = {(row["kind"], row["left_id"], row["right_id"]): row for row in rows}
        for subject in asked.keys() - stood.keys():
            question = asked[subject]
            right = str(question.right) if question.right else None
            line = {"kind": question.kind.value, "left": str(question.left), "right": right}
            self.reviews_entered[subject] = line | {"reason": question.reason, "score": question.score}
        for subject in stood.keys() - asked.keys():
            kind, left, second = subject
            line = {"kind": kind, "left": named.get(left, str(left)), "right": named.get(second or 0)}
            row = stood[subject]
            self.reviews_left[subject] = line | {"task": row["id"], "reason": row["reason"], "score": row["score"]}

    def document(self) -> dict[str, Any]:
        """All lists in an order that depends on nothing but their lines."""
        lists: dict[str, Any] = {
            "merges": self.merges, "splits": self.splits, "founded": self.founded, "retired": self.retired,
            "fields": self.fields, "findings_gained": self.findings_gained, "findings_lost": self.findings_lost,
            "publications": self.publications, "reviews_entered": list(self.reviews_entered.values()),
            "reviews_left": list(self.reviews_left.values()), "money": self.stakes.money(),
            "closed": self.stakes.closed,
        }  # fmt: skip
        return {name: sorted(lines, key=_order) for name, lines in lists.items()}

    def counts(self) -> dict[str, Any]:
        """How many of each; publications by target."""
        document = self.document()
        found: dict[str, Any] = {name: len(lines) for name, lines in document.items()}
        targets = sorted({line["target"] for line in document["publications"]})
        found["publications"] = {t: sum(line["target"] == t for line in document["publications"]) for t in targets}
        found["values"] = sum(line["before"] != line["after"] for line in document["fields"])
        return found | {"golden_touched": self.touched}


def retold(base: RuleSet, draft: RuleSet) -> frozenset[str]:
    """The targets that a draft tells other fields than the rules before it."""
    return frozenset(target for target in draft.targets if draft.told(target) != base.told(target))


def of_core(verdict: Verdict) -> Verdict:
    """The verdict without what another case judges: golden records none of whose records is in the core."""
    case, core = verdict.case, verdict.core
    held = {id_ for key, id_ in case.links.items() if key in core}
    held |= {id_ for key, ids in case.inherited.items() if key in core for id_ in ids}
    judgement = verdict.judgement
    drafts = tuple(draft for draft in judgement.drafts if not core.isdisjoint(draft.cluster.members))
    retirements = tuple(gone for gone in judgement.retirements if gone.id in held)
    return replace(verdict, judgement=replace(judgement, drafts=drafts, retirements=retirements))


def _fields(draft: Draft, row: Row) -> Iterator[dict[str, Any]]:
    """The fields whose value, winner or rule changes."""
    provenance = provenance_document(draft.provenance)
    for name in sorted(row["values"].keys() | draft.values.keys()):
        before, after = row["values"].get(name), draft.values.get(name)
        old, new = row["provenance"].get(name), provenance.get(name)
        if before != after or (old and old[:2]) != (new and new[:2]):
            yield {
                "golden": draft.id, "label": row["label"], "field": name, "before": before, "after": after,
                "from": _system(old), "to": _system(new), "rule": [old and old[1], new and new[1]],
                "published": row["published"],
            }  # fmt: skip


def _system(provenance: Any) -> str | None:
    """The system that gave a value; a steward where no source did."""
    if provenance is None:
        return None
    return SourceKey.parse(provenance[0]).system if provenance[0] else "steward"


def _order(line: Mapping[str, Any]) -> str:
    return "\0".join(str(line.get(name)) for name in ("golden", "field", "left", "right", "target", "code", "message"))
