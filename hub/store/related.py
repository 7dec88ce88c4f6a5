"""What is known about golden records besides their values: one statement each, for any number of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.conditions import Scope
from hub.store.engine import among
from hub.store.relation_tables import RELATION_CODE, relation_finding
from hub.store.tables import (
    evidence,
    finding,
    golden,
    golden_version,
    link,
    outbox,
    publication,
    record,
    record_version,
)  # fmt: skip

Row = dict[str, Any]
_LAST = 2**62  # behind all ids
ByRecord = dict[str, list[Row]]


def reasons(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Row]:
    """Golden id → provenance and members of the version in force."""
    v = golden_version.c
    query = sa.select(v.golden_id, v.provenance, v.members)
    query = query.join(golden, sa.and_(golden.c.id == v.golden_id, golden.c.version == v.version))
    rows = connection.execute(query.where(among(connection, v.golden_id, ids)))
    return {row[0]: {"provenance": row[1], "members": row[2]} for row in rows}


def sources(connection: sa.Connection, ids: Sequence[str], at: datetime | None = None) -> ByRecord:
    """Golden id → the source records linked to it, with what each says now and why it is linked."""
    v = record_version.c
    query = sa.select(
        link.c.golden_id, link.c.record_id, link.c.reason, link.c.ruleset, link.c.since, record.c.system,
        record.c.entity, record.c.key, record.c.state, record.c.status, v.version, v.asserted_at, v.received_at,
        v["values"],
    )  # fmt: skip
    query = query.join(record, record.c.id == link.c.record_id)
    query = query.join(record_version, sa.and_(v.record_id == record.c.id, v.number == record.c.number))
    query = query.where(among(connection, link.c.golden_id, ids), Scope("", at).linked())
    return _grouped(connection, query.order_by(record.c.system, record.c.key), ids)


def evidence_among(connection: sa.Connection, ids: Sequence[str]) -> ByRecord:
    """Golden id → the evidence kept between its source records, the strongest first."""
    left, right = link.alias("l"), link.alias("r")
    one, other = record.alias("one"), record.alias("other")
    query = sa.select(
        left.c.golden_id, evidence.c.score, evidence.c.parts, one.c.system.label("left_system"), one.c.entity,
        one.c.key.label("left_key"), other.c.system.label("right_system"), other.c.key.label("right_key"),
    )  # fmt: skip
    query = query.select_from(left).join(evidence, evidence.c.left_id == left.c.record_id)
    same = sa.and_(right.c.record_id == evidence.c.right_id, right.c.golden_id == left.c.golden_id)
    query = query.join(right, sa.and_(same, right.c.until.is_(None)))
    query = query.join(one, one.c.id == evidence.c.left_id).join(other, other.c.id == evidence.c.right_id)
    query = query.where(among(connection, left.c.golden_id, ids), left.c.until.is_(None))
    return _grouped(connection, query.order_by(evidence.c.score.desc(), evidence.c.left_id, evidence.c.right_id), ids)


def findings(connection: sa.Connection, ids: Sequence[str]) -> ByRecord:
    """Golden id → the findings that stand with it and with its source records."""
    said = (finding.c.id, finding.c.code, finding.c.severity, finding.c.field, finding.c.message)
    none = sa.null().cast(sa.Text())
    own = sa.select(finding.c.golden_id, *said, none.label("system"), none.label("entity"), none.label("key"))
    own = own.where(among(connection, finding.c.golden_id, ids))
    theirs = sa.select(link.c.golden_id, *said, record.c.system, record.c.entity, record.c.key)
    theirs = theirs.select_from(link).join(record, record.c.id == link.c.record_id)
    theirs = theirs.join(finding, finding.c.record_id == record.c.id)
    theirs = theirs.where(among(connection, link.c.golden_id, ids), link.c.until.is_(None))
    both = sa.union_all(own, theirs, between(connection, ids).add_columns(none, none, none)).subquery()
    return _grouped(connection, sa.select(both).order_by(sa.func.coalesce(both.c.id, _LAST), both.c.message), ids)


def between(connection: sa.Connection, ids: Sequence[str]) -> sa.Select[Any]:
    """What is not as it must be between these golden records and others, as findings."""
    r = relation_finding.c
    return sa.select(
        r.golden_id, sa.null().cast(sa.BigInteger()).label("id"), sa.literal(RELATION_CODE).label("code"), r.severity,
        sa.null().cast(sa.Text()).label("field"), (r.message + " (" + r.rule + ")").label("message"),
    ).where(among(connection, r.golden_id, ids))  # fmt: skip


def histories(connection: sa.Connection, ids: Sequence[str], most: int, before: int | None = None) -> ByRecord:
    """Golden id → its newest versions and one more, to compare the last of them with; those under a number."""
    v = golden_version.c
    place = sa.func.row_number().over(partition_by=v.golden_id, order_by=v.version.desc()).label("place")
    inner = sa.select(v.golden_id, v.version, place).where(among(connection, v.golden_id, ids))
    few = (inner.where(v.version < before) if before is not None else inner).subquery("few")
    both = sa.and_(v.golden_id == few.c.golden_id, v.version == few.c.version)
    query = sa.select(golden_version).join(few, both).where(few.c.place <= most + 1)
    return _grouped(connection, query.order_by(v.version.desc()), ids)


def publications(connection: sa.Connection, ids: Sequence[str]) -> ByRecord:
    """Golden id → what each target has acknowledged of it."""
    query = sa.select(publication).where(among(connection, publication.c.golden_id, ids))
    return _grouped(connection, query.order_by(publication.c.target), ids)


def owed(connection: sa.Connection, ids: Sequence[str]) -> ByRecord:
    """Golden id → the newest thing that each target has still to hear of it."""
    last = sa.func.row_number().over(
        partition_by=(outbox.c.golden_id, outbox.c.target), order_by=outbox.c.id.desc()
    ).label("place")  # fmt: skip
    waits = sa.and_(among(connection, outbox.c.golden_id, ids), outbox.c.state.in_(("pending", "planned")))
    newest = sa.select(outbox, last).where(waits).subquery("newest")
    query = sa.select(newest).where(newest.c.place == 1)
    return _grouped(connection, query.order_by(newest.c.target), ids)


def former_ids(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Golden id → the retired ids that lead to it."""
    query = sa.select(golden.c.heir, golden.c.id).where(among(connection, golden.c.heir, ids)).order_by(golden.c.id)
    found: dict[str, list[str]] = {id_: [] for id_ in ids}
    for heir, id_ in connection.execute(query):
        found[heir].append(id_)
    return found


def led_at(connection: sa.Connection, ids: Sequence[str], at: datetime) -> dict[str, str]:
    """Asked id → the golden id that it led to at that time."""
    query = sa.select(golden.c.id, _led(at)).where(among(connection, golden.c.id, ids))
    return {row[0]: row[1] for row in connection.execute(query)}


def holders(connection: sa.Connection, record_ids: Sequence[int], at: datetime) -> dict[int, str]:
    """Source record → the golden id that it belonged to at that time, redirects of then followed."""
    then = Scope("", at).linked()
    query = sa.select(link.c.record_id, _led(at)).join(golden, golden.c.id == link.c.golden_id)
    rows = connection.execute(query.where(among(connection, link.c.record_id, record_ids), then).order_by(link.c.id))
    return {row[0]: row[1] for row in rows}


def versions_at(connection: sa.Connection, ids: Sequence[str], at: datetime) -> dict[str, Row]:
    """The version of each of these golden records that stood at that time; those that did not are left out."""
    v = golden_version.c
    then = sa.and_(v.valid_from <= at, sa.or_(v.valid_to.is_(None), v.valid_to > at))
    state = sa.case((golden.c.changed_at <= at, golden.c.state), else_="live").label("state")
    query = sa.select(
        golden.c.id, golden.c.entity, state, golden.c.published, golden.c.created_at, v.valid_from.label("changed_at"),
        v.version, v["values"], v.ruleset, v.provenance, v.members,
    )  # fmt: skip
    query = query.join(golden_version, v.golden_id == golden.c.id).where(among(connection, golden.c.id, ids), then)
    rows = connection.execute(query.order_by(v.version)).mappings()
    return {row["id"]: _plain(row) for row in rows}


def _led(at: datetime) -> sa.ColumnElement[str]:
    """A golden record's id at that time, or that of its heir if it had one by then."""
    had = sa.and_(golden.c.heir.is_not(None), golden.c.changed_at <= at)
    return sa.case((had, golden.c.heir), else_=golden.c.id)


def _grouped(connection: sa.Connection, query: sa.Select[Any], ids: Sequence[str]) -> ByRecord:
    found: ByRecord = {id_: [] for id_ in ids}
    for row in connection.execute(query).mappings():
        found[row["golden_id"]].append(_plain(row))
    return found


def _plain(row: Mapping[Any, Any]) -> Row:
    return {str(name): value for name, value in row.items()}
