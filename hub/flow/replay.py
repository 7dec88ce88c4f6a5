"""The proof: everything golden, rebuilt from what was received and decided, is what stands, byte for byte.

Records are read as they are in force, matched from nothing but themselves, and judged by the rules in
force with the time at which each golden version was decided as `now`. Nothing is written. What is
taken from the store as a fact, beside sources, decisions, rules and publications, is which golden id
was given to which record: an id that was given out is not derived again. The words of a link are those
of the day on which it was made, and are not compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from canonical.catalogue import ENTITIES
from hub.errors import InvalidRequest
from hub.flow.gather import Gathered
from hub.flow.rejudge import sweep
from hub.flow.times import epochs, fades, moments
from hub.store import overlay, rulesets, standing, waiting
from hub.store.engine import Connection, Engine
from hub.store.verdicts import JUDGED, Subject, Verdict, holders, provenance_document, subject_of
from rules.judge import judge
from rules.judgement import Draft, Judgement
from rules.ruleset import RuleSet, shipped

BOTH_PUBLISHED = "both are published"  # the one reason that a publication alone can give a standing task


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that stands otherwise than it would be rebuilt."""

    subject: str  # a golden id, a source key, a task or a table
    field: str
    stored: Any
    rebuilt: Any


@dataclass(slots=True)
class Proof:
    """How much was rebuilt, and what came out otherwise."""

    records: int = 0
    golden: int = 0
    tasks: int = 0
    seconds: float = 0.0
    differences: int = 0
    first: list[Difference] = field(default_factory=list)

    def note(self, found: Iterable[Difference], keep: int = 20) -> None:
        """Count differences and keep the first of them."""
        for one in found:
            self.differences += 1
            if len(self.first) < keep:
                self.first.append(one)


def verify(engine: Engine, entities: Iterable[str] = tuple(ENTITIES)) -> Proof:
    """Rebuild the golden records of these entities and compare them with what stands. Writes nothing.

    Raises InvalidRequest while records wait to be judged.
    """
    proof, started = Proof(), time.perf_counter()
    with overlay.overlay(engine) as connection:
        if waits := sum(waiting.counts(connection).values()):
            raise InvalidRequest(f"{waits} records wait to be judged.", hint="`hub match run` first.")
        known = rulesets.live(connection, shipped())
        for name in entities:
            if name in known:
                overlay.fill(connection, name)
                for gathered in sweep(connection, known[name].ruleset):
                    _compare(connection, gathered, known[name], proof)
                proof.note(_beside(connection, name))
    proof.seconds = time.perf_counter() - started
    return proof


def _compare(connection: Connection, gathered: Gathered, live: rulesets.Live, proof: Proof) -> None:
    """One case: its golden records, links, tasks and statuses."""
    case = gathered.case
    ids = {id_ for key, id_ in case.links.items() if key in gathered.core}
    stood = {id_: row for id_, row in standing.goldens(connection, ids).items() if row["state"] == "live"}
    decided = {id_: max(row["valid_from"], live.since) for id_, row in stood.items()} or {"": live.since}
    drafts: dict[str, Draft] = {}
    edges = [*moments(case, live.ruleset), *(decided.values() if fades(live.ruleset) else ())]
    for moment, held in epochs(decided, edges).items():
        judgement = judge(case, live.ruleset, moment)
        drafts |= {d.id: d for d in judgement.drafts if d.id in held or (d.id not in stood and d.id not in drafts)}
    verdict = Verdict(live.ruleset, case, gathered.core, judgement, moment)
    mine = {d.id: d for d in drafts.values() if not gathered.core.isdisjoint(d.cluster.members)}
    for id_ in sorted(mine.keys() | stood.keys()):
        found = list(_golden(live.ruleset, stood.get(id_), mine.get(id_), id_))
        if found and id_ in mine and id_ in stood:
            then = _then(connection, verdict, mine[id_], decided[id_])
            found = list(_golden(live.ruleset, stood[id_], then, id_))
        proof.note(found)
    proof.note(_links(verdict))
    proof.note(_tasks(connection, verdict, proof))
    proof.records += len(gathered.core)
    proof.golden += len(mine)


def _then(connection: Connection, verdict: Verdict, draft: Draft, moment: datetime) -> Draft:
    """The golden record judged with what the targets had been sent when it was decided; later sendings are no echo."""
    members = frozenset(draft.cluster.members)
    echoes = members & verdict.case.published.keys()
    if not echoes:
        return draft
    sent = standing.sent_by(connection, echoes, moment)
    judgement = judge(replace(verdict.case.among(members), published=sent), verdict.ruleset, moment)
    return next((one for one in judgement.drafts if one.id == draft.id), draft)


def _golden(ruleset: RuleSet, row: Mapping[str, Any] | None, draft: Draft | None, id_: str) -> Iterator[Difference]:
    """A golden record field by field."""
    if row is None or draft is None:
        yield Difference(id_, "golden record", row and row["state"], draft and "live")
        return
    yield from _each(id_, "values", row["values"], draft.values)
    yield from _each(id_, "provenance", row["provenance"], provenance_document(draft.provenance))
    said = [[one.code, one.severity.value, one.field, one.message] for one in draft.findings]
    members = [str(key) for key in draft.cluster.members]
    whole = {
        "members": ([key for key, _ in row["members"]], members),
        "sources": (row["sources"], len(members)),
        "label": (row["label"], ruleset.entity.label_of(dict(draft.values))[:200]),
        "findings": (row["findings"], said),
        "content hash": (row["content_hash"].hex(), draft.content_hash.hex()),
    }
    for name, (stored, rebuilt) in whole.items():
        if _bytes(stored) != _bytes(rebuilt):
            yield Difference(id_, name, stored, rebuilt)


def _each(id_: str, part: str, stored: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted(stored.keys() | rebuilt.keys()):
        if name not in stored or name not in rebuilt or _bytes(stored[name]) != _bytes(rebuilt[name]):
            yield Difference(id_, f"{part}.{name}", stored.get(name), rebuilt.get(name))


def _links(verdict: Verdict) -> Iterator[Difference]:
    """Which golden record holds each record; and no golden record that nothing holds."""
    for key, (golden_id, _) in sorted(holders(verdict).items()):
        if key in verdict.core and verdict.case.links.get(key) != golden_id:
            yield Difference(str(key), "link", verdict.case.links.get(key), golden_id)
    held = {verdict.case.links.get(key) for key in verdict.core}
    for gone in verdict.judgement.retirements:
        if gone.id in held:
            yield Difference(gone.id, "state", "live", f"merged into {gone.heir}" if gone.heir else "retired")


def _tasks(connection: Connection, verdict: Verdict, proof: Proof) -> Iterator[Difference]:
    """The questions that are asked, and which records wait for an answer."""
    core = sorted(key.record_id for key in verdict.core)
    named = {one.key.record_id: str(one.key) for one in verdict.case.records}
    questions = verdict.judgement.questions
    asked = {subject_of(q): q for q in questions if q.left in verdict.core or q.right in verdict.core}
    rows = standing.open_tasks(connection, core, JUDGED)
    stood = {(row["kind"], row["left_id"], row["right_id"]): row for row in rows}
    reasons = _reasons(connection, verdict, stood)
    for subject in sorted(asked.keys() | stood.keys(), key=str):
        row, question = stood.get(subject), asked.get(subject)
        about = " ".join([subject[0], *(named.get(id_, str(id_)) for id_ in subject[1:] if id_)])
        if row is None or question is None:
            yield Difference(about, "task", row and row["reason"], question and question.reason)
        elif row["score"] != question.score:
            yield Difference(about, "task score", row["score"], question.score)
        elif row["reason"] not in (question.reason, reasons.get(subject)):
            yield Difference(about, "task reason", row["reason"], question.reason)
    waiting = {id_ for kind, *ids in asked if kind == "match" for id_ in ids}
    for id_, status in sorted(standing.statuses(connection, core).items()):
        if status != ("review" if id_ in waiting else "linked"):
            yield Difference(named[id_], "status", status, "review" if id_ in waiting else "linked")
    proof.tasks += sum(1 for question in asked.values() if question.left in verdict.core)


def _reasons(
    connection: Connection, verdict: Verdict, stood: Mapping[Subject, Mapping[str, Any]]
) -> dict[Subject, str]:
    """Why the questions were asked whose records were both published only afterwards."""
    later = [q for q in verdict.judgement.questions if q.reason == BOTH_PUBLISHED and subject_of(q) in stood]
    if not later:
        return {}
    sent = _sent(connection, verdict.judgement)
    priors = {id_: replace(prior, published=False) for id_, prior in verdict.case.priors.items()}
    before = judge(replace(verdict.case, priors=priors), verdict.ruleset, verdict.now)
    return {
        subject_of(q): q.reason
        for q in before.questions
        if (row := stood.get(subject_of(q))) is not None
        and any(
            at is not None and at >= row["opened_at"] for at in (sent.get(row["left_id"]), sent.get(row["right_id"]))
        )
    }


def _sent(connection: Connection, judgement: Judgement) -> dict[int, datetime]:
    """Source record → when its golden record was first taken by a target."""
    taken = standing.first_taken(connection, [draft.id for draft in judgement.drafts])
    return {
        key.record_id: taken[draft.id]
        for draft in judgement.drafts
        if draft.id in taken
        for key in draft.cluster.members
    }


def _beside(connection: Connection, entity: str) -> Iterator[Difference]:
    """What no case speaks of: keys and evidence as stored, and golden records that no live record holds."""
    differing = overlay.differing(connection, entity)
    if differing is not None:
        table, where, row = differing
        shown = [str(value) for value in row]
        yield Difference(table, "row", *((shown, None) if where == "stored" else (None, shown)))
    lost = standing.unheld(connection, entity)
    if lost is not None:
        yield Difference(lost, "state", "live", "held by nothing")


def _bytes(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
