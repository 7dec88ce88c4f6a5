"""Read models for the API, the console and the command line: one state, a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from canonical.catalogue import ENTITIES
from canonical.catalogue import entity as entity_named
from canonical.errors import MasterDataError
from canonical.ids import SourceKey
from hub.errors import NotFound
from hub.store import cases, journal, reads
from hub.store import decisions as decisions_store
from hub.store import plans as plans_store
from hub.store.engine import Connection, Engine, reading
from hub.store.verdicts import provenance_document
from rules.why import Ruling, Why, explain

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordView:
    """A golden record with everything that a person may ask of it."""

    asked: str
    golden: Row
    members: Sequence[Row]
    said: Mapping[str, Mapping[str, Any]]  # source key → what its version in force says
    former_ids: Sequence[str]
    history: Sequence[Row]
    children: Sequence[Row]
    published: Sequence[Row]
    findings: Sequence[Row]
    parents: Mapping[str, tuple[str, str]]  # reference field → golden id and label

    @property
    def redirected(self) -> bool:
        """Whether the id asked for is a former one."""
        return bool(self.asked != self.golden["id"])


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of a golden record and why it has its value."""

    name: str
    value: Any
    source: str | None
    rule: str
    asserted_at: str | None
    losers: Sequence[tuple[str, str]]
    personal: bool
    description: str


def find_id(connection: Connection, asked: str) -> str:
    """The golden id that an id or a source key leads to. Raises NotFound."""
    if ":" in asked:
        key = SourceKey.parse(asked)
        found = reads.golden_of(connection, [key]).get(key)
    else:
        found = reads.golden_ids(connection, [asked]).get(asked)
    if found is None:
        raise NotFound(f"there is no record {asked}.")
    return found


def record(engine: Engine, asked: str) -> RecordView:
    """The golden record behind an id or a source key, redirects followed. Raises NotFound."""
    with reading(engine) as connection:
        golden_id = find_id(connection, asked)
        golden = reads.goldens(connection, [golden_id])[golden_id]
        members = reads.members(connection, golden_id)
        ids = [row["id"] for row in members]
        records = journal.load_records(connection, ids)
        return RecordView(
            asked=golden_id if ":" in asked else asked,
            golden=golden,
            members=members,
            said={str(one.key): one.values for one in records.values()},
            former_ids=reads.former_ids(connection, golden_id),
            history=reads.history(connection, golden_id),
            children=reads.children(connection, golden_id),
            published=reads.published(connection, golden_id),
            findings=reads.findings(connection, golden_id=golden_id, record_ids=ids),
            parents=_parents(connection, golden),
        )


def fields(golden: Row) -> list[FieldView]:
    """The fields of a golden record in the catalogue's order, each with its provenance."""
    found = []
    for name, field in ENTITIES[golden["entity"]].fields.items():
        if name in golden["values"]:
            source, rule, asserted_at, losers = golden["provenance"][name]
            pairs = [(loser, reason) for loser, reason in losers]
            marks = field.marks
            value = golden["values"][name]
            found.append(FieldView(name, value, source, rule, asserted_at, pairs, marks.personal, marks.description))
    return found


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a field has its value: as it was written down, and as the same rules come to it again.

    `again` is None when it cannot be asked again: nothing stands there, or the rule set version is gone.
    `stands`: what is known now leads to what was written down; otherwise something that the rules look at
    (what a target has acknowledged, say) has changed since, and the next judgement decides anew.
    """

    field: FieldView
    again: Why | None
    stands: bool


def why(engine: Engine, asked: str, name: str) -> tuple[RecordView, Reason]:
    """Which system won a field, by which rule, who lost and why, and what would flip it.

    Raises NotFound, UnknownField.
    """
    view = record(engine, asked)
    entity_named(view.golden["entity"])[name]  # an unknown name is an error with a suggestion
    for field in fields(view.golden):
        if field.name == name:
            with reading(engine) as connection:
                ruling = cases.rulings(connection, [view.golden]).get(view.golden["id"])
            return view, reason(field, view.golden, ruling)
    raise NotFound(f"no system speaks of {name} of {view.golden['id']}.")


@dataclass(frozen=True, slots=True)
class Tie:
    """The evidence between two members of a golden record: log-odds, and what each comparison added."""

    left: str
    right: str
    score: float
    parts: Sequence[tuple[str, float, float]]  # comparison, similarity 0-1, weight in log-odds


def ties(engine: Engine, asked: str) -> tuple[RecordView, list[Tie]]:
    """Why the source records of a golden record are one: the evidence kept between them, the strongest first.

    Raises NotFound.
    """
    view = record(engine, asked)
    named = {row["id"]: f"{row['system']}:{row['entity']}:{row['key']}" for row in view.members}
    with reading(engine) as connection:
        kept = cases.stored_evidence(connection, sorted(named))
    found = [Tie(named[a], named[b], one.score, one.parts) for (a, b), one in kept.items() if a in named and b in named]
    return view, sorted(found, key=lambda tie: (-tie.score, tie.left, tie.right))


def reason(field: FieldView, golden: Row, ruling: Ruling | None) -> Reason:
    """Why a field of a golden record has its value, given what the record was judged by."""
    again = explain(ruling, field.name) if ruling else None
    if again is None:
        return Reason(field, None, stands=False)
    written = golden["provenance"][field.name]
    return Reason(field, again, stands=provenance_document({field.name: again.provenance})[field.name] == written)


def flip_words(found: Why) -> str | None:
    """The smallest change that would flip a field, and what would stand then; None when nothing would."""
    return f"{found.flip.words}: {shown(found.flip.value)}" if found.flip else None


def walk(engine: Engine, key: SourceKey) -> dict[str, Any]:
    """The road of one source record: every row that it left, station by station. Raises NotFound."""
    with reading(engine) as connection:
        versions = journal.versions_of(connection, key.record_id)
        if not versions:
            raise NotFound(f"there is no source record {key}.")
        golden_id = reads.golden_of(connection, [key]).get(key)
        golden = reads.goldens(connection, [golden_id])[golden_id] if golden_id else None
        return {
            "key": str(key),
            "versions": versions,
            "keys": reads.keys_shared(connection, key.record_id),
            "evidence": reads.evidence_about(connection, key.record_id),
            "links": reads.links_of(connection, key.record_id),
            "findings": reads.findings(connection, record_ids=[key.record_id]),
            "golden": golden,
            "outbox": reads.outbox_of(connection, golden_id) if golden_id else [],
            "deliveries": reads.deliveries_of(connection, golden_id) if golden_id else [],
        }


def overview(engine: Engine) -> dict[str, Any]:
    """What there is: per source and entity, golden records, open tasks, what is owed."""
    with reading(engine) as connection:
        return {
            "sources": reads.conservation(connection),
            "golden": {name: reads.golden_counts(connection).get(name, 0) for name in ENTITIES},
            "tasks": reads.task_counts(connection),
            "owed": reads.owed_counts(connection),
        }


def unbalanced(sources: Sequence[Row]) -> list[Row]:
    """The sources of which something has vanished; none, always."""
    ends = ("linked", "review", "waiting", "rejected", "failed")
    return [s for s in sources if s["accepted"] != sum(s[end] for end in ends)]


def shown(value: Any) -> str:
    """A value as a person reads it on one line."""
    if isinstance(value, dict):
        if value.keys() == {"amount", "currency"}:
            return f"{value['amount']} {value['currency']}"
        return ", ".join(shown(part) for part in value.values())
    if isinstance(value, list):
        return "; ".join(shown(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "(empty)" if value is None else str(value)


def _parents(connection: Connection, golden: Row) -> dict[str, tuple[str, str]]:
    """Each reference of a golden record as the golden record that it leads to now."""
    keys: dict[str, SourceKey] = {}
    for name in ENTITIES[golden["entity"]].references:
        if golden["values"].get(name):
            try:
                keys[name] = SourceKey.parse(golden["values"][name])
            except MasterDataError:
                continue
    held = reads.golden_of(connection, list(keys.values()))
    labels = reads.goldens(connection, list(held.values()))
    return {name: (held[key], labels[held[key]]["label"]) for name, key in keys.items() if key in held}


def records(engine: Engine, entity: str, asked: Sequence[str]) -> tuple[dict[str, Row], dict[str, Any]]:
    """Golden rows by the id asked for (redirects followed), and what their references lead to."""
    with reading(engine) as connection:
        led = reads.golden_ids(connection, asked)
        rows = reads.goldens(connection, list(led.values()))
        found = {one: rows[id_] for one, id_ in led.items() if rows[id_]["entity"] == entity}
        return found, _references(connection, list(found.values()))


def page(engine: Engine, entity: str, *, after: str, text: str, first: int) -> tuple[list[Row], dict[str, Any]]:
    """A page of golden rows, and what their references lead to."""
    with reading(engine) as connection:
        rows = reads.page(connection, entity, after=after, text=text, first=first)
        return rows, _references(connection, rows)


def record_by_key(engine: Engine, key: SourceKey) -> tuple[Row | None, dict[str, Any]]:
    """The golden row that a source key belongs to, and what its references lead to."""
    with reading(engine) as connection:
        golden_id = reads.golden_of(connection, [key]).get(key)
        if golden_id is None:
            return None, {}
        row = reads.goldens(connection, [golden_id])[golden_id]
        return row, _references(connection, [row])


def rulings(engine: Engine, rows: Sequence[Row]) -> dict[str, Ruling]:
    """What each of these golden rows was judged by, to ask why."""
    with reading(engine) as connection:
        return cases.rulings(connection, rows)


def tasks(engine: Engine, *, first: int = 50, after: str = "", entities: Collection[str] | None = None) -> list[Row]:
    """Open steward tasks, of these entities or of all, the oldest first."""
    with reading(engine) as connection:
        return reads.tasks(connection, first=first, after=after, entities=entities)


def references(engine: Engine, rows: Sequence[Row]) -> dict[str, Any]:
    """What the references of these golden rows lead to now."""
    with reading(engine) as connection:
        return _references(connection, rows)


def _references(connection: Connection, rows: Sequence[Row]) -> dict[str, Any]:
    """Source key text → the golden record that it leads to now, for every reference of the rows."""
    keys: dict[str, SourceKey] = {}
    for row in rows:
        for name in ENTITIES[row["entity"]].references:
            text = row["values"].get(name)
            if text:
                keys[text] = SourceKey.parse(text)
    held = reads.golden_of(connection, list(keys.values())) if keys else {}
    labels = reads.goldens(connection, sorted(set(held.values()))) if held else {}
    return {
        text: {"id": held[key], "entity": key.entity, "label": labels[held[key]]["label"]}
        for text, key in keys.items()
        if key in held
    }


def plan(engine: Engine, plan_id: int) -> Row:
    """A publish plan's head. Raises NotFound."""
    with reading(engine) as connection:
        return _plan(connection, plan_id)


def plan_with_entries(engine: Engine, plan_id: int) -> tuple[Row, list[Row]]:
    """A publish plan and its entries in the order of sending. Raises NotFound."""
    with reading(engine) as connection:
        return _plan(connection, plan_id), plans_store.entries(connection, plan_id)


def plans(engine: Engine) -> list[Row]:
    """The newest publish plans."""
    with reading(engine) as connection:
        return reads.plans(connection)


def _plan(connection: Connection, plan_id: int) -> Row:
    head = plans_store.get(connection, plan_id)
    if head is None:
        raise NotFound(f"there is no plan P-{plan_id}.", hint="`hub publish ls` lists them.")
    return head


def decisions(engine: Engine) -> list[Row]:
    """What people decided, the newest first."""
    with reading(engine) as connection:
        return reads.decisions(connection)


def question(engine: Engine, task_id: str) -> dict[str, Any]:
    """A task with both records side by side and the evidence about them. Raises NotFound."""
    with reading(engine) as connection:
        task = decisions_store.task_of(connection, task_id)
        if task is None:
            raise NotFound(f"there is no task {task_id}.")
        sides = journal.load_records(connection, [id_ for id_ in (task["left_id"], task["right_id"]) if id_])
        left, right = sides[task["left_id"]], sides.get(task["right_id"] or 0)
        held = reads.golden_of(connection, [side.key for side in sides.values()])
        goldens = reads.goldens(connection, list(held.values()))
        proof = reads.evidence_of(connection, task["left_id"], task["right_id"]) if right else None
    both = [(n, left.values.get(n), right.values.get(n) if right else None) for n in ENTITIES[task["entity"]].fields]
    rows = [row for row in both if row[1:] != (None, None)]
    return {
        "task": task, "left": left, "right": right, "rows": rows, "evidence": proof,
        "left_golden": goldens.get(held.get(left.key, "")),
        "right_golden": goldens.get(held.get(right.key, "")) if right else None,
    }  # fmt: skip
