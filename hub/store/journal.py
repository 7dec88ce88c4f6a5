"""The log of what came in: deliveries, payloads as received, source records with all their versions.

Append-only. A record's row only points to the version in force; a late or repeated version never
takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from canonical.findings import Finding, Severity
from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.store import bulk
from hub.store.engine import Prepared, among, built_once, inserting
from hub.store.tables import batch, finding, payload, record, record_version

PAYLOAD = ("batch_id", "position", "system", "entity", "body", "outcome", "received_at")
FINDING = ("batch_id", "position", "record_id", "code", "severity", "field", "place", "message")
VERSION = (
    "record_id", "number", "version", "asserted_at", "received_at", "content_hash", "tombstone", "late",
    "replaced_by", "values", "batch_id", "position",
)  # fmt: skip
RECORD = ("id", "system", "entity", "key", "number", "version", "asserted_at", "content_hash", "state", "status")


@dataclass(frozen=True, slots=True)
class Delivered:
    """One payload of a delivery, and what it was translated to."""

    position: int
    system: str
    entity: str  # as far as it could be told
    body: str
    records: tuple[SourceRecord, ...]
    findings: tuple[Finding, ...]
    failed: bool = False

    @property
    def outcome(self) -> str:
        """Where the payload ended: accepted, rejected (the data's fault) or failed (ours)."""
        if self.failed:
            return "failed"
        return "accepted" if self.records else "rejected"


NEVER = datetime(1, 1, 1, tzinfo=UTC)  # before anything was asserted
Token = tuple[int | None, datetime | None, bytes]


def token(version: int | None, times: tuple[datetime, datetime], content: bytes) -> Token:
    """What tells one version of a record from another. `times` are asserted and received.

    A source that states no time of its own is stamped with the time of arrival, which tells nothing.
    """
    asserted, received = times
    return version, None if asserted == received else asserted, content


@dataclass(slots=True)
class Held:
    """The version of a record that is in force, and every one that was ever seen."""

    number: int = 0
    version: int | None = None
    asserted_at: datetime = NEVER
    content_hash: bytes = b""
    versions: int = 0
    seen: set[Token] = field(default_factory=set)


def open_batch(
    connection: sa.Connection, origin: str, fingerprint: str, now: datetime, *, mapping: str | None = None
) -> tuple[int, int, bool]:
    """Id, position to go on from, and whether it is done: a delivery seen before is found again."""
    named = {"fingerprint": fingerprint}
    found = connection.execute(_BATCH, named).one_or_none()
    if found is None:
        row = {**named, "origin": origin, "mapping": mapping, "position": 0, "state": "open", "started_at": now}
        made = connection.execute(_opened(connection), row).scalar()
        if made is not None:
            return made, 0, False
        found = connection.execute(_BATCH, named).one()  # somebody else brought it in the same moment
    return found.id, found.position, found.state == "done"


_BATCH = sa.select(batch).where(batch.c.fingerprint == sa.bindparam("fingerprint"))


@built_once
def _opened(connection: sa.Connection) -> sa.Executable:
    made: sa.Executable = inserting(connection, batch).on_conflict_do_nothing().returning(batch.c.id)
    return made


def close_batch(connection: sa.Connection, batch_id: int, now: datetime) -> None:
    """Nothing more comes of this delivery."""
    bulk.update(connection, batch, ("id",), [{"id": batch_id, "state": "done", "finished_at": now}])


def keep_payloads(connection: sa.Connection, batch_id: int, delivered: Sequence[Delivered], now: datetime) -> None:
    """The payloads as received, and how far the delivery is."""
    rows = ((batch_id, d.position, d.system, d.entity, d.body, d.outcome, now) for d in delivered)
    bulk.insert(connection, payload, PAYLOAD, rows)
    if delivered:
        last = max(d.position for d in delivered)
        bulk.update(connection, batch, ("id",), [{"id": batch_id, "position": last}])


def held(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Held]:
    """What is in force for these records, with every version that was ever seen."""
    found: dict[int, Held] = {}
    for row in _HELD(connection, ids):
        found[row.id] = Held(row.number, row.version, row.asserted_at, row.content_hash)
    for row in _SEEN(connection, list(found)) if found else ():
        one = found[row.record_id]
        one.versions += 1
        one.seen.add(token(row.version, (row.asserted_at, row.received_at), row.content_hash))
    return found


_HELD = Prepared(
    lambda among: sa.select(
        record.c.id, record.c.number, record.c.version, record.c.asserted_at, record.c.content_hash
    ).where(among(record.c.id))
)
_V = record_version.c
_SEEN = Prepared(
    lambda among: sa.select(_V.record_id, _V.version, _V.asserted_at, _V.received_at, _V.content_hash).where(
        among(_V.record_id)
    )
)


@dataclass(slots=True)
class Entries:
    """Rows to be written for one chunk of a delivery, collected record by record."""

    versions: list[tuple[Any, ...]] = field(default_factory=list)
    created: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    changed: dict[int, dict[str, Any]] = field(default_factory=dict)
    noted: list[tuple[Any, ...]] = field(default_factory=list)  # findings of payloads that made no record
    standing: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)  # of each record's version in force


def finding_rows(
    batch_id: int, position: int, found: Iterable[Finding], record_id: int | None
) -> list[tuple[Any, ...]]:
    """Findings as rows: with the payload, and with the record when it is in force."""
    return [
        (batch_id, position, record_id, one.code, one.severity.value, one.field, one.place, one.message[:2000])
        for one in found
    ]


def write(connection: sa.Connection, entries: Entries) -> None:
    """Write what was collected: new records, versions, pointers; findings in place of those of older versions."""
    bulk.insert(connection, record, RECORD, entries.created.values())
    bulk.insert(connection, record_version, VERSION, entries.versions)
    bulk.update(connection, record, ("id",), list(entries.changed.values()))
    if entries.changed:
        connection.execute(sa.delete(finding).where(among(connection, finding.c.record_id, sorted(entries.changed))))
    rows = [*entries.noted, *(row for rows in entries.standing.values() for row in rows)]
    bulk.insert(connection, finding, FINDING, rows)


def load_records(connection: sa.Connection, ids: Sequence[int]) -> dict[int, SourceRecord]:
    """The version in force of each record, tombstones included."""
    return {row[0]: _record(row) for row in _IN_FORCE(connection, ids)}


_IN_FORCE = Prepared(
    lambda among: sa.select(
        record.c.id, record.c.system, record.c.entity, record.c.key, record_version.c["values"],
        record_version.c.asserted_at, record_version.c.received_at, record_version.c.version,
        record_version.c.content_hash, record_version.c.tombstone, record_version.c.replaced_by,
    )
    .join(record_version, sa.and_(_V.record_id == record.c.id, _V.number == record.c.number))
    .where(among(record.c.id))
)  # fmt: skip


def versions_of(connection: sa.Connection, record_id: int) -> list[Mapping[str, Any]]:
    """Every version of a record, the newest first, with its payload as received."""
    body = sa.select(payload.c.body).where(
        payload.c.batch_id == record_version.c.batch_id, payload.c.position == record_version.c.position
    )
    query = sa.select(record_version, body.scalar_subquery().label("body"), batch.c.origin)
    query = query.join(batch, batch.c.id == record_version.c.batch_id)
    query = query.where(record_version.c.record_id == record_id).order_by(record_version.c.number.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def findings_of(connection: sa.Connection, record_ids: Sequence[int]) -> dict[int, list[Finding]]:
    """The findings that stand with each record's version in force."""
    found: dict[int, list[Finding]] = {}
    query = sa.select(finding).where(among(connection, finding.c.record_id, record_ids)).order_by(finding.c.id)
    for row in connection.execute(query):
        one = Finding(row.code, row.message, Severity(row.severity), row.field, row.place)
        found.setdefault(row.record_id, []).append(one)
    return found


def _record(row: Any) -> SourceRecord:
    return SourceRecord(
        key=SourceKey(row[1], row[2], row[3]),
        values=row[4],
        asserted_at=row[5],
        received_at=row[6],
        version=row[7],
        content_hash=row[8],
        tombstone=row[9],
        replaced_by=SourceKey.parse(row[10]) if row[10] else None,
    )
