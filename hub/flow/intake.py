"""Payload → stored record, once. The same delivery twice changes nothing and raises nothing.

What makes a version newer: the source's own order (version), else the time it asserts, else, when it
says neither, the order of arrival. Anything older is logged as late and never comes into force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from canonical.findings import Finding, Severity
from canonical.record import SourceRecord
from hub.store import journal
from hub.store.codes import Received
from hub.store.engine import Connection
from hub.store.journal import Delivered, Entries, Held


@dataclass(slots=True)
class Taken:
    """What a chunk changed: the records to judge again, by entity, and what needed nothing."""

    touched: dict[str, set[int]] = field(default_factory=dict)
    repeated: int = 0
    late: int = 0


def take_in(connection: Connection, batch_id: int, delivered: Sequence[Delivered], now: datetime) -> Taken:
    """Store a chunk of a delivery: payloads as received, and of each record the versions not seen before."""
    journal.keep_payloads(connection, batch_id, delivered, now)
    ids = sorted({record.key.record_id for one in delivered for record in one.records})
    intake = _Intake(batch_id, journal.held(connection, ids))
    for one in delivered:
        if not one.records:
            intake.entries.noted += journal.finding_rows(batch_id, one.position, one.findings, None)
        for record in one.records:
            intake.enter(record, one)
    journal.write(connection, intake.entries)
    return intake.taken


class _Intake:
    """One chunk: what is in force so far, what will be written."""

    def __init__(self, batch_id: int, in_force: dict[int, Held]) -> None:
        self.batch_id, self.in_force = batch_id, in_force
        self.entries, self.taken = Entries(), Taken()

    def enter(self, record: SourceRecord, payload: Delivered) -> None:
        """Keep a version unless it is known; put it in force unless it is late."""
        record_id = record.key.record_id
        held = self.in_force.get(record_id)
        if held is not None and _known(record, held):
            self.taken.repeated += 1
            return
        late = held is not None and not _newer(record, held)
        twice = held is not None and not _stated(record) and held.asserted_at == record.asserted_at
        held = self.in_force.setdefault(record_id, Held())
        held.versions += 1
        held.seen.add(_token(record))
        self.entries.versions.append(
            _version(record, record_id, held.versions, late, (self.batch_id, payload.position))
        )
        if late:
            self.taken.late += 1
            self.entries.noted += journal.finding_rows(self.batch_id, payload.position, (_LATE,), None)
            return
        self._put_in_force(record, record_id, held)
        found = (*payload.findings, *record.findings, *((_TWICE,) if twice else ()))
        self.entries.standing[record_id] = journal.finding_rows(self.batch_id, payload.position, found, record_id)

    def _put_in_force(self, record: SourceRecord, record_id: int, held: Held) -> None:
        first = held.number == 0
        held.number, held.version = held.versions, record.version
        held.asserted_at, held.content_hash = record.asserted_at, record.content_hash
        entries, state = self.entries, "tombstone" if record.tombstone else "live"
        row = (held.number, record.version, record.asserted_at, record.content_hash, state)
        if first or record_id in entries.created:
            key = record.key
            entries.created[record_id] = (record_id, key.system, key.entity, key.key, *row, "linked")
        else:
            named = dict(zip(("number", "version", "asserted_at", "content_hash", "state"), row, strict=True))
            entries.changed[record_id] = {"id": record_id, **named}
        self.taken.touched.setdefault(record.key.entity, set()).add(record_id)


@dataclass(frozen=True, slots=True)
class Retold:
    """A record in force whose payload is read otherwise now."""

    received: Received
    record: SourceRecord
    findings: tuple[Finding, ...]


def retell(connection: Connection, told: Sequence[Retold]) -> dict[str, set[int]]:
    """Put what payloads are read as now in force, as further versions of what was said; the records that changed."""
    held = journal.held(connection, [one.received.record_id for one in told])
    entries, touched = Entries(), dict[str, set[int]]()
    for one in told:
        record_id, record, place = one.received.record_id, one.record, (one.received.batch_id, one.received.position)
        if held[record_id].content_hash == record.content_hash:
            continue
        number = held[record_id].versions + 1
        entries.versions.append(_version(record, record_id, number, False, place))
        entries.changed[record_id] = {
            "id": record_id, "number": number, "content_hash": record.content_hash,
            "state": "tombstone" if record.tombstone else "live",
        }  # fmt: skip
        entries.standing[record_id] = journal.finding_rows(*place, one.findings, record_id)
        touched.setdefault(record.key.entity, set()).add(record_id)
    journal.write(connection, entries)
    return touched


_LATE = Finding("HUB-3401", "a newer version is in force already", Severity.INFO)


_TWICE = Finding("HUB-3204", "the key stands twice in this delivery, with different content", Severity.WARNING)


def _stated(record: SourceRecord) -> bool:
    """Whether the source orders its versions itself; otherwise they are stamped with the time of arrival."""
    return record.version is not None or record.asserted_at != record.received_at


def _token(record: SourceRecord) -> journal.Token:
    return journal.token(record.version, (record.asserted_at, record.received_at), record.content_hash)


def _known(record: SourceRecord, held: Held) -> bool:
    """Seen before. A record that states neither version nor time is known only while it is in force."""
    if not _stated(record):
        return record.content_hash == held.content_hash
    return _token(record) in held.seen


def _newer(record: SourceRecord, held: Held) -> bool:
    """Whether it takes the place of the version in force. Equal times are ordered by content, not by arrival."""
    if record.version is not None and held.version is not None and record.version != held.version:
        return record.version > held.version
    if not _stated(record):
        return record.asserted_at >= held.asserted_at
    return (record.asserted_at, record.content_hash) > (held.asserted_at, held.content_hash)


def _version(
    record: SourceRecord, record_id: int, number: int, late: bool, origin: tuple[int, int]
) -> tuple[object, ...]:
    replaced_by = str(record.replaced_by) if record.replaced_by else None
    times = (record.asserted_at, record.received_at)
    return (record_id, number, record.version, *times, record.content_hash, record.tombstone, late, replaced_by,
            dict(record.values), *origin)  # fmt: skip
