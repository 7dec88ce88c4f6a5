"""What pages and answers are made of: each read is a fixed number of statements, whatever the page size."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from hub.store import related
from hub.store.audit import saw
from hub.store.engine import Prepared, among
from hub.store.relation_tables import relation_finding
from hub.store.tables import (
    audit,
    batch,
    decision,
    delivery,
    evidence,
    finding,
    golden,
    golden_reference,
    golden_value,
    golden_version,
    hot_key,
    link,
    match_key,
    outbox,
    payload,
    plan,
    plan_entry,
    publication,
    record,
    task,
    waiting,
)  # fmt: skip
from rules.forms import folded

Row = Mapping[str, Any]
_CURRENT = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
_VALUES = (golden_version.c["values"], golden_version.c.provenance, golden_version.c.members, golden_version.c.ruleset)


def golden_ids(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Asked id → the live (or retired) golden id that it leads to; ids that never were are left out."""
    query = sa.select(golden.c.id, sa.func.coalesce(golden.c.heir, golden.c.id))
    return dict(connection.execute(query.where(among(connection, golden.c.id, ids))).all())


def goldens(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Row]:
    """Golden records by id with values and provenance in force."""
    query = sa.select(golden, *_VALUES).join(golden_version, _CURRENT).where(among(connection, golden.c.id, ids))
    return {row["id"]: row for row in _shown(connection.execute(query))}


def page(connection: sa.Connection, entity: str, *, after: str = "", text: str = "", first: int = 50) -> list[Row]:
    """Live golden records of an entity in order of id, after a given one; `text` is found in indexed values."""
    query = sa.select(golden, *_VALUES).join(golden_version, _CURRENT)
    query = query.where(golden.c.entity == entity, golden.c.state == "live", golden.c.id > after)
    if text:
        start = folded(text)
        found = sa.select(golden_value.c.golden_id).where(golden_value.c.entity == entity)
        found = found.where(golden_value.c.value >= start, golden_value.c.value < start + "\U0010ffff")
        query = query.where(golden.c.id.in_(found))
    return _shown(connection.execute(query.order_by(golden.c.id).limit(first)))


def _shown(rows: sa.CursorResult[Any]) -> list[Row]:
    """Golden rows that whoever is asking is given."""
    found: list[Row] = [dict(row) for row in rows.mappings()]
    for row in found:
        saw(row["entity"], (row["id"],))
    return found


def by_value(connection: sa.Connection, entity: str, field: str, value: str) -> list[str]:
    """Ids of live golden records whose indexed field has exactly this value, letter case and accents apart."""
    query = sa.select(golden_value.c.golden_id).where(golden_value.c.entity == entity, golden_value.c.field == field)
    return list(
        connection.execute(
            query.where(golden_value.c.value == folded(value)).order_by(golden_value.c.golden_id)
        ).scalars()
    )


def golden_of(connection: sa.Connection, keys: Sequence[SourceKey]) -> dict[SourceKey, str]:
    """Source key → the golden id that its record belongs to now, redirects followed."""
    named = {key.record_id: key for key in keys}
    return {named[id_]: golden_id for id_, golden_id in _GOLDEN_OF(connection, named)}


_GOLDEN_OF = Prepared(
    lambda among: (
        sa.select(link.c.record_id, sa.func.coalesce(golden.c.heir, golden.c.id))
        .join(golden, golden.c.id == link.c.golden_id)
        .where(link.c.until.is_(None), among(link.c.record_id))
    )
)


def members(connection: sa.Connection, golden_id: str) -> list[Row]:
    """The source records linked to a golden record, each with its link, the newest statement first."""
    query = sa.select(record, link.c.reason, link.c.since).join(link, link.c.record_id == record.c.id)
    query = query.where(link.c.golden_id == golden_id, link.c.until.is_(None)).order_by(record.c.system, record.c.key)
    return [dict(row) for row in connection.execute(query).mappings()]


def former_ids(connection: sa.Connection, golden_id: str) -> list[str]:
    """The retired ids that lead here."""
    return list(
        connection.execute(sa.select(golden.c.id).where(golden.c.heir == golden_id).order_by(golden.c.id)).scalars()
    )


def history(connection: sa.Connection, golden_id: str) -> list[Row]:
    """Every version of a golden record, the newest first."""
    query = sa.select(golden_version).where(golden_version.c.golden_id == golden_id)
    return [dict(row) for row in connection.execute(query.order_by(golden_version.c.version.desc())).mappings()]


def children(connection: sa.Connection, golden_id: str, most: int = 200) -> list[Row]:
    """Live golden records that refer to this one, with the field that does."""
    child, through = golden.alias("child"), golden.alias("through")
    query = sa.select(child.c.id, child.c.entity, child.c.label, golden_reference.c.field)
    query = query.join(golden_reference, golden_reference.c.golden_id == child.c.id)
    query = query.join(link, sa.and_(link.c.record_id == golden_reference.c.parent_id, link.c.until.is_(None)))
    query = query.join(through, through.c.id == link.c.golden_id)
    query = query.where(sa.func.coalesce(through.c.heir, through.c.id) == golden_id, child.c.state == "live")
    return [dict(row) for row in connection.execute(query.order_by(child.c.entity, child.c.id).limit(most)).mappings()]


def published(connection: sa.Connection, golden_id: str) -> list[Row]:
    """What each target has of a golden record."""
    query = sa.select(publication).where(publication.c.golden_id == golden_id).order_by(publication.c.target)
    return [dict(row) for row in connection.execute(query).mappings()]


def findings(connection: sa.Connection, *, golden_id: str = "", record_ids: Sequence[int] = ()) -> list[Row]:
    """The findings that stand with a golden record and its source records."""
    about = sa.or_(finding.c.golden_id == golden_id, among(connection, finding.c.record_id, record_ids))
    found = connection.execute(sa.select(finding).where(about).order_by(finding.c.id)).mappings()
    others = connection.execute(related.between(connection, [golden_id]).order_by(relation_finding.c.rule)).mappings()
    nowhere = dict.fromkeys(("record_id", "place", "batch_id", "position"))
    rows: list[Row] = [dict(row) for row in found]
    return rows + [{**nowhere, **row} for row in others]


def tasks(
    connection: sa.Connection,
    *,
    state: str = "open",
    after: str = "",
    first: int = 50,
    ids: Sequence[str] | None = None,
    entities: Collection[str] | None = None,
) -> list[Row]:
    """Steward tasks, oldest first, with the two source keys and golden records that each asks about."""
    left, right = record.alias("l"), record.alias("r")
    left_link, right_link = link.alias("ll"), link.alias("rl")
    left_golden, right_golden = golden.alias("lg"), golden.alias("rg")
    query = sa.select(
        task, left.c.system.label("left_system"), left.c.key.label("left_key"), left_golden.c.id.label("left_golden"),
        left_golden.c.label.label("left_label"), right.c.system.label("right_system"), right.c.key.label("right_key"),
        right_golden.c.id.label("right_golden"), right_golden.c.label.label("right_label"), evidence.c.parts,
        left.c.number.label("left_number"), left_golden.c.version.label("left_version"),
        right.c.number.label("right_number"), right_golden.c.version.label("right_version"),
    ).join(left, left.c.id == task.c.left_id).join(right, right.c.id == task.c.right_id, isouter=True)  # fmt: skip
    for side, tie, end in ((left, left_link, left_golden), (right, right_link, right_golden)):
        query = query.join(tie, sa.and_(tie.c.record_id == side.c.id, tie.c.until.is_(None)), isouter=True)
        query = query.join(end, end.c.id == tie.c.golden_id, isouter=True)
    scalar = ("least", "greatest") if connection.dialect.name == "postgresql" else ("min", "max")
    low, high = (getattr(sa.func, name) for name in scalar)
    pair = sa.and_(
        evidence.c.left_id == low(task.c.left_id, task.c.right_id),
        evidence.c.right_id == high(task.c.left_id, task.c.right_id),
    )
    query = query.join(evidence, pair, isouter=True).where(task.c.state == state, task.c.id > after)
    if ids is not None:
        query = query.where(among(connection, task.c.id, ids))
    if entities is not None:
        query = query.where(task.c.entity.in_(sorted(entities)))
    return [dict(row) for row in connection.execute(query.order_by(task.c.id).limit(first)).mappings()]


def task_counts(connection: sa.Connection) -> dict[str, int]:
    """Open tasks by kind."""
    query = sa.select(task.c.kind, sa.func.count()).where(task.c.state == "open").group_by(task.c.kind)
    return dict(connection.execute(query).all())


def golden_counts(connection: sa.Connection) -> dict[str, int]:
    """Live golden records by entity."""
    query = sa.select(golden.c.entity, sa.func.count()).where(golden.c.state == "live").group_by(golden.c.entity)
    return dict(connection.execute(query).all())


def conservation(connection: sa.Connection) -> list[dict[str, Any]]:
    """Per system and entity: accepted = linked + review + waiting + rejected + failed, in records and refused payloads.

    Linked counts what a golden record holds, and what no golden record need hold since the source says
    that it is gone. A live record that nothing holds has failed.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}

    def line(system: str, entity: str) -> dict[str, Any]:
        zero = {"accepted": 0, "linked": 0, "review": 0, "waiting": 0, "rejected": 0, "failed": 0}
        return found.setdefault((system, entity), {"system": system, "entity": entity, **zero})

    live = sa.exists().where(link.c.record_id == record.c.id, link.c.until.is_(None))
    status = sa.case(
        (sa.exists().where(waiting.c.record_id == record.c.id), "waiting"),
        (sa.and_(record.c.status == "linked", record.c.state == "live", ~live), "failed"),
        else_=record.c.status,
    )
    by = (record.c.system, record.c.entity, status)
    for system, entity, state, count in connection.execute(sa.select(*by, sa.func.count()).group_by(*by)):
        line(system, entity)[state] += count
        line(system, entity)["accepted"] += count
    ended = (payload.c.system, payload.c.entity, payload.c.outcome)
    refused = sa.select(*ended, sa.func.count()).where(payload.c.outcome != "accepted").group_by(*ended)
    for system, entity, outcome, count in connection.execute(refused):
        line(system, entity)[outcome] += count
        line(system, entity)["accepted"] += count
    return [found[key] for key in sorted(found)]


def keys_shared(connection: sa.Connection, record_id: int) -> list[Row]:
    """How many records share each blocking key of a record, and whether the key is too common to count."""
    other = match_key.alias("other")
    sharing = sa.select(sa.func.count()).where(other.c.key == match_key.c.key).scalar_subquery()
    hot = sa.exists().where(hot_key.c.key == match_key.c.key)
    query = sa.select(match_key.c.key, sharing.label("records"), hot.label("too_common"))
    return [dict(row) for row in connection.execute(query.where(match_key.c.record_id == record_id)).mappings()]


def evidence_about(connection: sa.Connection, record_id: int) -> list[Row]:
    """The evidence kept of a record and others, the strongest first."""
    this, that = evidence.c.left_id, evidence.c.right_id
    found: list[Row] = []
    for mine, other in ((this, that), (that, this)):
        query = sa.select(record.c.system, record.c.entity, record.c.key, evidence.c.score, evidence.c.parts)
        query = query.join(record, record.c.id == other).where(mine == record_id)
        found += [dict(row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda row: (-row["score"], row["system"], row["key"]))


def evidence_of(connection: sa.Connection, one: int, other: int) -> Row | None:
    """The evidence kept of a pair."""
    pair = sa.and_(evidence.c.left_id == min(one, other), evidence.c.right_id == max(one, other))
    row = connection.execute(sa.select(evidence).where(pair)).mappings().one_or_none()
    return dict(row) if row else None


def links_of(connection: sa.Connection, record_id: int) -> list[Row]:
    """Every golden record that a record has been linked to, the newest link first."""
    query = sa.select(link).where(link.c.record_id == record_id).order_by(link.c.id.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def outbox_of(connection: sa.Connection, golden_id: str) -> list[Row]:
    """What was owed to targets of a golden record, the newest first."""
    query = sa.select(outbox).where(outbox.c.golden_id == golden_id).order_by(outbox.c.id.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def deliveries_of(connection: sa.Connection, golden_id: str) -> list[Row]:
    """Every attempt to send a golden record, the newest first."""
    both = sa.and_(delivery.c.plan_id == plan_entry.c.plan_id, delivery.c.position == plan_entry.c.position)
    query = sa.select(delivery, plan_entry.c.version, plan_entry.c.action, plan.c.target).join(plan_entry, both)
    query = query.join(plan, plan.c.id == plan_entry.c.plan_id).where(plan_entry.c.golden_id == golden_id)
    return [dict(row) for row in connection.execute(query.order_by(delivery.c.id.desc())).mappings()]


def plans(connection: sa.Connection, most: int = 50) -> list[Row]:
    """Publish plans, the newest first."""
    return [dict(row) for row in connection.execute(sa.select(plan).order_by(plan.c.id.desc()).limit(most)).mappings()]


def owed_counts(connection: sa.Connection) -> dict[str, int]:
    """Golden records owed to each target."""
    query = sa.select(outbox.c.target, sa.func.count(sa.distinct(outbox.c.golden_id))).where(
        outbox.c.state == "pending"
    )
    return dict(connection.execute(query.group_by(outbox.c.target)).all())


def decisions(connection: sa.Connection, most: int = 100) -> list[Row]:
    """What people decided, the newest first, with the source keys."""
    left, right = record.alias("l"), record.alias("r")
    query = sa.select(decision, left.c.system.label("left_system"), left.c.key.label("left_key"),
                      right.c.system.label("right_system"), right.c.key.label("right_key"))  # fmt: skip
    query = query.join(left, left.c.id == decision.c.left_id).join(
        right, right.c.id == decision.c.right_id, isouter=True
    )
    return [dict(row) for row in connection.execute(query.order_by(decision.c.id.desc()).limit(most)).mappings()]


def batches(connection: sa.Connection, most: int = 50) -> list[Row]:
    """Deliveries, the newest first."""
    return [
        dict(row) for row in connection.execute(sa.select(batch).order_by(batch.c.id.desc()).limit(most)).mappings()
    ]


def audit_entries(connection: sa.Connection, most: int = 100) -> list[Row]:
    """The audit log, the newest entry first."""
    return [
        dict(row) for row in connection.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(most)).mappings()
    ]
