"""Writing a judgement: golden records and their versions, links, redirects, tasks, and what is owed.

Everything is compared with what stands and only the difference is written, in bulk. Old versions,
links and tasks are ended, never erased.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from canonical.record import Provenance
from hub.store import bulk, changes, questions
from hub.store.engine import Prepared, among
from hub.store.tables import (
    finding,
    golden,
    golden_reference,
    golden_value,
    golden_version,
    link,
    outbox,
    publication,
    record,
    task,
)  # fmt: skip
from rules.case import Case
from rules.forms import folded, texts_at
from rules.judgement import Change, Draft, Judgement, Kind, Question, Retirement
from rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement with what it was made of. `core` are the records that were to be judged again."""

    ruleset: RuleSet
    case: Case
    core: frozenset[SourceKey]
    judgement: Judgement
    now: datetime

    @property
    def changed(self) -> list[Draft]:
        """The golden records that are new or not what they were."""
        return [draft for draft in self.judgement.drafts if draft.change is not Change.UNCHANGED]


def write(connection: sa.Connection, verdict: Verdict) -> None:
    """Write what the judgement changes. Order: what others point to first."""
    _write_golden(connection, verdict)
    _write_versions(connection, verdict)
    _write_lookups(connection, verdict)
    _write_links(connection, verdict)
    _write_retirements(connection, verdict)
    _write_findings(connection, verdict)
    _write_outbox(connection, verdict)
    _write_tasks(connection, verdict)
    _write_changes(connection, verdict)


def _write_changes(connection: sa.Connection, verdict: Verdict) -> None:
    entity, now, priors = verdict.case.entity, verdict.now, verdict.case.priors
    kinds = {Change.CREATE: "created", Change.UPDATE: "updated"}
    rows: list[changes.Row] = [(entity, d.id, d.version, kinds[d.change], None, now) for d in verdict.changed]
    for gone in verdict.judgement.retirements:
        version = priors[gone.id].version if gone.id in priors else 0
        rows.append((entity, gone.id, version, "merged" if gone.heir else "retired", gone.heir, now))
    changes.note(connection, rows)


def _write_golden(connection: sa.Connection, verdict: Verdict) -> None:
    created, updated = [], []
    label = verdict.ruleset.entity.label_of
    for draft in verdict.changed:
        row = {
            "id": draft.id, "version": draft.version, "label": label(dict(draft.values))[:200],
            "sources": len(draft.cluster.members), "content_hash": draft.content_hash, "changed_at": verdict.now,
        }  # fmt: skip
        if draft.change is Change.UPDATE:
            updated.append(row | {"state": "live"})
            continue
        new = {
            "entity": verdict.case.entity, "state": "live", "founder_id": draft.founder.record_id,
            "generation": draft.generation, "published": False, "created_at": verdict.now,
        }  # fmt: skip
        created.append(row | new)
    if created:
        columns = tuple(created[0])
        bulk.insert(connection, golden, columns, (tuple(row.values()) for row in created))
    bulk.update(connection, golden, ("id",), updated)


def _write_versions(connection: sa.Connection, verdict: Verdict) -> None:
    ended = [
        {"golden_id": d.id, "version": d.version - 1, "valid_to": verdict.now} for d in verdict.changed if d.version > 1
    ]
    bulk.update(connection, golden_version, ("golden_id", "version"), ended)
    numbers = {one.key: str(one.version or "") for one in verdict.case.records}
    rows = (
        (
            draft.id, draft.version, dict(draft.values), provenance_document(draft.provenance),
            [[str(key), numbers[key]] for key in draft.cluster.members], verdict.ruleset.version, verdict.now,
        )
        for draft in verdict.changed
    )  # fmt: skip
    columns = ("golden_id", "version", "values", "provenance", "members", "ruleset", "valid_from")
    bulk.insert(connection, golden_version, columns, rows)


def provenance_document(provenance: dict[str, Provenance] | Any) -> dict[str, Any]:
    """Field → [winner, rule, asserted at, [[loser, reason] ...]], as it is stored."""
    return {
        name: [
            str(one.source) if one.source else None, one.rule,
            one.asserted_at.isoformat() if one.asserted_at else None,
            [[str(lost.source), lost.reason] for lost in one.losers],
        ]
        for name, one in provenance.items()
    }  # fmt: skip


def _write_lookups(connection: sa.Connection, verdict: Verdict) -> None:
    updated = [draft.id for draft in verdict.changed if draft.change is Change.UPDATE]
    for table in (golden_value, golden_reference):
        _forget(connection, table, updated)
    entity = verdict.ruleset.entity
    values = sorted(
        {
            (entity.name, field, folded(text), draft.id)
            for draft in verdict.changed
            for field in entity.indexed
            for text in texts_at(draft.values, field) or texts_at(draft.values, f"{field}.number")
        }
    )
    bulk.insert(connection, golden_value, ("entity", "field", "value", "golden_id"), values)
    references = (
        (draft.id, field, SourceKey.parse(draft.values[field]).record_id)
        for draft in verdict.changed
        for field in entity.references
        if draft.values.get(field)
    )
    bulk.insert(connection, golden_reference, ("golden_id", "field", "parent_id"), references)


def _forget(connection: sa.Connection, table: sa.Table, golden_ids: Sequence[str]) -> None:
    """Take out what the table keeps of these golden records."""
    if golden_ids:
        _DELETE[table.name](connection, golden_ids)


def _deletion(table: sa.Table) -> Prepared:
    return Prepared(lambda among: sa.delete(table).where(among(table.c.golden_id)))


_DELETE = {table.name: _deletion(table) for table in (golden_value, golden_reference, finding)}


def _write_links(connection: sa.Connection, verdict: Verdict) -> None:
    moved, rows = [], []
    for key, (golden_id, reason) in sorted(holders(verdict).items()):
        before = verdict.case.links.get(key)
        if before != golden_id:
            if before is not None:
                moved.append(key.record_id)
            rows.append((key.record_id, golden_id, reason, verdict.ruleset.version, verdict.now))
    if moved:
        live = sa.and_(among(connection, link.c.record_id, moved), link.c.until.is_(None))
        connection.execute(sa.update(link).where(live).values(until=verdict.now))
    bulk.insert(connection, link, ("record_id", "golden_id", "reason", "ruleset", "since"), rows)


def holders(verdict: Verdict) -> dict[SourceKey, tuple[str, str]]:
    """Which golden record holds each record, and why; one that was replaced follows its successor."""
    found = {
        key: (draft.id, draft.cluster.reasons[key])
        for draft in verdict.judgement.drafts
        for key in draft.cluster.members
    }
    for one in verdict.case.records:
        if one.tombstone and one.replaced_by in found:
            found[one.key] = (found[one.replaced_by][0], "replaced")
    return found


def _write_retirements(connection: sa.Connection, verdict: Verdict) -> None:
    for retired in verdict.judgement.retirements:
        state = "merged" if retired.heir else "retired"
        change = {"state": state, "heir": retired.heir, "changed_at": verdict.now}
        connection.execute(sa.update(golden).where(golden.c.id == retired.id).values(change))
        if retired.heir:  # whoever led to it leads on, so that a redirect is always one step
            connection.execute(sa.update(golden).where(golden.c.heir == retired.id).values(heir=retired.heir))
    gone = [retired.id for retired in verdict.judgement.retirements]
    for table in (golden_value, golden_reference):
        _forget(connection, table, gone)
    _owe_deactivations(connection, verdict, verdict.judgement.retirements)


def _owe_deactivations(connection: sa.Connection, verdict: Verdict, retired: Iterable[Retirement]) -> None:
    """Targets that have a retired record are told so."""
    ids = [one.id for one in retired]
    if not ids:
        return
    there = sa.select(publication.c.target, publication.c.golden_id, publication.c.acknowledged_version)
    rows = [
        (row.target, verdict.case.entity, row.golden_id, row.acknowledged_version, "deactivate", "pending", verdict.now)
        for row in connection.execute(
            there.where(among(connection, publication.c.golden_id, ids), publication.c.active)
        )
    ]
    columns = ("target", "entity", "golden_id", "version", "action", "state", "created_at")
    bulk.insert(connection, outbox, columns, rows)


def _write_findings(connection: sa.Connection, verdict: Verdict) -> None:
    updated = [draft.id for draft in verdict.changed if draft.change is Change.UPDATE]
    _forget(connection, finding, updated)
    rows = (
        (draft.id, one.code, one.severity.value, one.field, one.message)
        for draft in verdict.changed
        for one in draft.findings
    )
    bulk.insert(connection, finding, ("golden_id", "code", "severity", "field", "message"), rows)


def _write_outbox(connection: sa.Connection, verdict: Verdict) -> None:
    rows = (
        (
            one.target,
            verdict.case.entity,
            draft.id,
            draft.version,
            "upsert",
            one.waits_for,
            one.held,
            "pending",
            verdict.now,
        )
        for draft in verdict.changed
        for one in draft.publications
    )
    bulk.insert(connection, outbox, _OWED, rows)


_OWED = ("target", "entity", "golden_id", "version", "action", "waits_for", "held", "state", "created_at")


@dataclass(frozen=True, slots=True)
class NewlyOwed:
    """A golden version that stands, and that the rules now send to a target which has never been owed it."""

    target: str
    golden_id: str
    version: int
    waits_for: str | None
    held: str | None
    row: int | None = None  # the outbox row of this version, where it has gone before


def newly_owed(connection: sa.Connection, verdict: Verdict, retold: Collection[str] = ()) -> list[NewlyOwed]:
    """What other rules would send of golden records that stay as they are; everything, to targets told otherwise."""
    same = [d for d in verdict.judgement.drafts if d.change is Change.UNCHANGED and d.publications]
    o = outbox.c
    query = sa.select(o.target, o.golden_id, o.version, o.id).where(o.action == "upsert")
    query = query.where(among(connection, o.golden_id, sorted(draft.id for draft in same)))
    known = {tuple(key): id_ for *key, id_ in connection.execute(query)} if same else {}
    return [
        NewlyOwed(
            one.target,
            draft.id,
            draft.version,
            one.waits_for,
            one.held,
            known.get((one.target, draft.id, draft.version)),
        )
        for draft in same
        for one in draft.publications
        if one.target in retold or (one.target, draft.id, draft.version) not in known
    ]


def owe(connection: sa.Connection, verdict: Verdict, owed: Iterable[NewlyOwed]) -> None:
    """Write what is newly owed; a row that has gone before is owed again."""
    new, before = [], []
    again = {"state": "pending", "approved_at": None, "approved_by": None, "created_at": verdict.now}
    for one in owed:
        if one.row is not None:
            before.append({"id": one.row, "waits_for": one.waits_for, "held": one.held, **again})
        else:
            new.append((one.target, verdict.case.entity, one.golden_id, one.version, "upsert", one.waits_for, one.held,
                        "pending", verdict.now))  # fmt: skip
    bulk.update(connection, outbox, ("id",), before)
    bulk.insert(connection, outbox, _OWED, new)


Subject = tuple[str, int, int | None]


def _write_tasks(connection: sa.Connection, verdict: Verdict) -> None:
    """Open what is newly asked, close what nobody asks any more, and mark the records that wait."""
    core = sorted(key.record_id for key in verdict.core)
    asked = {subject_of(q): q for q in verdict.judgement.questions if q.left in verdict.core or q.right in verdict.core}
    standing = {(row.kind, row.left_id, row.right_id): row for row in _STANDING(connection, core)}
    answered = [row.id for subject, row in standing.items() if subject not in asked and subject[0] in JUDGED]
    bulk.update(connection, task, ("id",), _reworded(asked, standing))
    questions.withdraw(connection, answered, verdict.now)
    new = (
        (verdict.case.entity, *subject, q.reason, q.score)
        for subject, q in sorted(asked.items(), key=lambda pair: (pair[0][0], pair[1].left))
        if subject not in standing
    )
    questions.ask(connection, new, verdict.now)
    _mark_waiting(connection, verdict, standing.keys() | asked.keys())


def _reworded(asked: Mapping[Subject, Question], standing: Mapping[Subject, Any]) -> list[dict[str, Any]]:
    """Tasks that are asked for another reason than when they were opened."""
    return [
        {"id": row.id, "reason": asked[subject].reason, "score": asked[subject].score}
        for subject, row in standing.items()
        if subject in asked and (row.reason, row.score) != (asked[subject].reason, asked[subject].score)
    ]


JUDGED = frozenset({Kind.MATCH.value, Kind.FINDING.value, Kind.VALUE.value})  # the judge asks, and withdraws


def _mark_waiting(connection: sa.Connection, verdict: Verdict, subjects: Iterable[Subject]) -> None:
    """A record with an open question about who it is stands in review, every other one is linked."""
    concerned = sorted({key.record_id for key in verdict.core} | {id_ for s in subjects for id_ in s[1:] if id_})
    waiting = set(_WAITING(connection, concerned).scalars())
    for status, ids in (("review", waiting), ("linked", set(concerned) - waiting)):
        if ids:
            _STAND(connection, sorted(ids), stands=status)


_OPEN = sa.and_(questions.OPEN, task.c.kind == "match")
_STANDING = Prepared(
    lambda among: sa.select(task).where(questions.OPEN, sa.or_(among(task.c.left_id), among(task.c.right_id)))
)
_WAITING = Prepared(
    lambda among: sa.union_all(
        sa.select(task.c.left_id).where(_OPEN, among(task.c.left_id)),
        sa.select(task.c.right_id).where(_OPEN, among(task.c.right_id)),
    )
)
_STAND = Prepared(
    lambda among: (
        sa.update(record)
        .where(among(record.c.id), record.c.status != sa.bindparam("stands"))
        .values(status=sa.bindparam("stands"))
    )
)


def subject_of(question: Question) -> Subject:
    """What a task is about: of two open ones, no two have the same."""
    return question.kind.value, question.left.record_id, question.right.record_id if question.right else None
