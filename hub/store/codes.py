"""Code lists: what a system's code means in canonical words, since when, and which codes nobody has explained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.code_tables import code, mapping, reading
from hub.store.engine import Prepared, among, inserting
from hub.store.tables import batch, finding, payload, record, record_version

UNLISTED = "HUB-3205"
Place = tuple[str, str, str]  # system, entity, canonical field


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a code list."""

    place: Place
    code: str
    value: Any
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class Received:
    """The version of a record that is in force, as it was received: what it takes to read it again."""

    record_id: int
    key: tuple[str, str, str]
    number: int
    batch_id: int
    position: int
    received_at: datetime
    body: str
    mapping: str | None


def in_force(connection: sa.Connection) -> dict[Place, dict[str, Any]]:
    """Every code list: place -> the system's code -> canonical value."""
    found: dict[Place, dict[str, Any]] = {}
    for row in connection.execute(_IN_FORCE):
        found.setdefault((row.system, row.entity, row.field), {})[row.code] = row.value
    return found


_IN_FORCE = sa.select(code).where(code.c.until.is_(None)).order_by(code.c.id)


def entries(connection: sa.Connection, *, ended: bool = False) -> list[dict[str, Any]]:
    """The entries in force, or with `ended` all that ever were, by place and code, the newest of each first."""
    query = sa.select(code).order_by(code.c.system, code.c.entity, code.c.field, code.c.code, code.c.id.desc())
    found = connection.execute(query if ended else query.where(code.c.until.is_(None))).mappings()
    return [dict(row) for row in found]


def put(connection: sa.Connection, made: Listed, now: datetime) -> Any:
    """Put an entry in force in place of what the code meant before; that value, or None."""
    before = end(connection, made.place, made.code, made.author, now)
    system, entity, field = made.place
    row = {
        "system": system, "entity": entity, "field": field, "code": made.code, "value": made.value,
        "reason": made.reason, "author": made.author, "since": now,
    }  # fmt: skip
    connection.execute(sa.insert(code).values(row))
    return before[0] if before else None


def end(connection: sa.Connection, place: Place, word: str, author: str, now: datetime) -> tuple[Any] | None:
    """End the entry of a code; what it meant, or None where there was no entry."""
    system, entity, field = place
    mine = sa.and_(code.c.system == system, code.c.entity == entity, code.c.field == field, code.c.code == word)
    done = sa.update(code).where(mine, code.c.until.is_(None)).values(until=now, ended_by=author)
    row = connection.execute(done.returning(code.c.value)).one_or_none()
    return None if row is None else (row[0],)


def unlisted(connection: sa.Connection) -> list[dict[str, Any]]:
    """Codes that no list explains, in records as they stand: the most frequent first, with one record each."""
    query = sa.select(
        record.c.system, record.c.entity, finding.c.field, finding.c.place.label("code"),
        sa.func.count(sa.distinct(record.c.id)).label("records"), sa.func.min(record.c.key).label("key"),
    ).join(record, record.c.id == finding.c.record_id)  # fmt: skip
    query = query.where(finding.c.code == UNLISTED, finding.c.place.is_not(None), record.c.state == "live")
    query = query.group_by(record.c.system, record.c.entity, finding.c.field, finding.c.place)
    query = query.order_by(sa.desc("records"), record.c.system, record.c.entity, finding.c.field, finding.c.place)
    return [dict(row) for row in connection.execute(query).mappings()]


def saying(connection: sa.Connection, place: Place, word: str) -> list[int]:
    """The records in which this code of this place is not understood."""
    system, entity, field = place
    query = sa.select(record.c.id).join(finding, finding.c.record_id == record.c.id).distinct()
    query = query.where(record.c.system == system, record.c.entity == entity, finding.c.field == field)
    query = query.where(finding.c.code == UNLISTED, finding.c.place == word)
    return sorted(connection.execute(query).scalars())


def pages(connection: sa.Connection, system: str, entity: str, most: int) -> Iterator[list[int]]:
    """All records of a system and entity, page by page."""
    after = -1
    query = sa.select(record.c.id).where(record.c.system == system, record.c.entity == entity)
    while page := list(
        connection.execute(query.where(record.c.id > after).order_by(record.c.id).limit(most)).scalars()
    ):
        yield page
        after = page[-1]


def as_received(connection: sa.Connection, ids: Sequence[int]) -> list[Received]:
    """What these records said last, as it was received, in order of id."""
    v, p = record_version.c, payload.c
    query = sa.select(
        record.c.id, record.c.system, record.c.entity, record.c.key, record.c.number, v.batch_id, v.position,
        v.received_at, p.body, batch.c.mapping,
    )  # fmt: skip
    query = query.join(record_version, sa.and_(v.record_id == record.c.id, v.number == record.c.number))
    query = query.join(payload, sa.and_(p.batch_id == v.batch_id, p.position == v.position))
    query = query.join(batch, batch.c.id == v.batch_id).where(among(connection, record.c.id, ids))
    return [
        Received(row.id, (row.system, row.entity, row.key), row.number, row.batch_id, row.position, row.received_at,
                 row.body, row.mapping)
        for row in connection.execute(query.order_by(record.c.id))
    ]  # fmt: skip


def keep_mapping(connection: sa.Connection, fingerprint: str, name: str, document: str, now: datetime) -> None:
    """Keep a mapping that a delivery is read with, once."""
    if _MAPPED(connection, [fingerprint]).first() is not None:
        return
    row = {"fingerprint": fingerprint, "name": name, "document": document, "since": now}
    connection.execute(inserting(connection, mapping).values(row).on_conflict_do_nothing())


_MAPPED = Prepared(lambda among: sa.select(mapping.c.fingerprint).where(among(mapping.c.fingerprint)))


def read_with(connection: sa.Connection, system: str, fingerprint: str, now: datetime) -> None:
    """From now on the system is read with this mapping, which must have been kept."""
    connection.execute(sa.delete(reading).where(reading.c.system == system))
    connection.execute(sa.insert(reading).values(system=system, fingerprint=fingerprint, since=now))


def readings(connection: sa.Connection) -> dict[str, tuple[str, str]]:
    """The mappings that stand in place of shipped ones: system -> name, document."""
    query = sa.select(reading.c.system, mapping.c.name, mapping.c.document).join(mapping)
    return {row[0]: (row[1], row[2]) for row in connection.execute(query.order_by(reading.c.system))}


def mappings(connection: sa.Connection, fingerprints: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Mappings as they were kept: fingerprint -> name, document."""
    query = sa.select(mapping).where(mapping.c.fingerprint.in_(sorted(set(fingerprints))))
    return {row.fingerprint: (row.name, row.document) for row in connection.execute(query)}
