"""What stood at a time, and what had been stated by a time: the two clocks of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.store.engine import among
from hub.store.tables import golden, golden_version, link, record, record_version


def holder_at(connection: sa.Connection, record_id: int, at: datetime) -> str | None:
    """The golden record that held a source record at that time."""
    then = sa.and_(link.c.since <= at, sa.or_(link.c.until.is_(None), link.c.until > at))
    query = sa.select(link.c.golden_id).where(link.c.record_id == record_id, then).order_by(link.c.id.desc())
    return connection.execute(query.limit(1)).scalar()


def ended(connection: sa.Connection, golden_id: str, at: datetime) -> tuple[str, str | None] | None:
    """State and heir of a golden id that was no longer live at that time, else None."""
    query = sa.select(golden.c.state, golden.c.heir)
    query = query.where(golden.c.id == golden_id, golden.c.state != "live", golden.c.changed_at <= at)
    row = connection.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def version_at(connection: sa.Connection, golden_id: str, at: datetime) -> Mapping[str, Any] | None:
    """The version of a golden record that was in force at that time."""
    v = golden_version.c
    query = sa.select(golden_version, golden.c.entity).join(golden, golden.c.id == v.golden_id)
    query = query.where(v.golden_id == golden_id, v.valid_from <= at, sa.or_(v.valid_to.is_(None), v.valid_to > at))
    row = connection.execute(query.order_by(v.version.desc()).limit(1)).mappings().one_or_none()
    return dict(row) if row else None


def asserted_by(connection: sa.Connection, ids: Sequence[int], at: datetime) -> dict[int, SourceRecord]:
    """The newest version of each record among those that its source had asserted by that time."""
    v = record_version.c
    columns = (record.c.system, record.c.entity, record.c.key, *record_version.columns)
    query = sa.select(*columns).join(record, record.c.id == v.record_id)
    query = query.where(among(connection, v.record_id, ids), v.asserted_at <= at)
    newest: dict[int, Any] = {}
    for found in connection.execute(query).mappings():
        row = dict(found)
        before = newest.get(row["record_id"])
        if before is None or _order(row) > _order(before):
            newest[row["record_id"]] = row
    return {id_: _record(row) for id_, row in newest.items()}


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """As intake orders versions: the source's own order, its time, then arrival or content."""
    stated = row["version"] is not None or row["asserted_at"] != row["received_at"]
    last = 0 if stated else row["number"]
    return (row["version"] or 0, row["asserted_at"], last, row["content_hash"])


def _record(row: Mapping[str, Any]) -> SourceRecord:
    return SourceRecord(
        key=SourceKey(row["system"], row["entity"], row["key"]),
        values=row["values"],
        asserted_at=row["asserted_at"],
        received_at=row["received_at"],
        version=row["version"],
        content_hash=row["content_hash"],
        tombstone=row["tombstone"],
        replaced_by=SourceKey.parse(row["replaced_by"]) if row["replaced_by"] else None,
    )
