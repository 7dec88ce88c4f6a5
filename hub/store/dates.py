"""The dates on which something ends by itself, and up to when they have been followed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from canonical.ids import SourceKey
from hub.store.rule_tables import passed
from hub.store.tables import decision, golden, golden_version, link, record


def followed(connection: sa.Connection) -> dict[str, datetime]:
    """Entity → up to when its dates have been followed."""
    return {row.entity: row.until for row in connection.execute(sa.select(passed))}


def follow(connection: sa.Connection, entity: str, until: datetime) -> None:
    """The dates of an entity have been followed up to this time."""
    if not connection.execute(sa.update(passed).where(passed.c.entity == entity).values(until=until)).rowcount:
        connection.execute(sa.insert(passed).values(entity=entity, until=until))


def decided_by(connection: sa.Connection, entity: str, rules: Collection[str]) -> list[list[int]]:
    """The source records of each live golden record of which one of these rules has decided a field against another."""
    both = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
    query = sa.select(golden_version.c.provenance, golden_version.c.members).join(golden, both)
    query = query.where(golden.c.entity == entity, golden.c.state == "live", golden.c.sources > 1).order_by(golden.c.id)
    rows = connection.execute(query.execution_options(yield_per=1000))
    return [
        [SourceKey.parse(key).record_id for key, _ in members]
        for provenance, members in rows
        if any(rule in rules and losers for _, rule, _, losers in provenance.values())
    ]


def lapsed(connection: sa.Connection, entity: str, now: datetime) -> list[tuple[int, str, str, str]]:
    """Overrides that have ended and still decide a golden value: record, decision, golden id, field."""
    both = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
    columns = (decision.c.left_id, decision.c.id, golden.c.id, decision.c.field, golden_version.c.provenance)
    query = sa.select(*columns).join(record, record.c.id == decision.c.left_id)
    query = query.join(link, sa.and_(link.c.record_id == record.c.id, link.c.until.is_(None)))
    query = query.join(golden, golden.c.id == link.c.golden_id).join(golden_version, both)
    query = query.where(record.c.entity == entity, decision.c.kind == "value", decision.c.undone_at.is_(None))
    query = query.where(decision.c.until <= now, golden_version.c.valid_from < decision.c.until)
    return [
        (record_id, id_, golden_id, field)
        for record_id, id_, golden_id, field, provenance in connection.execute(query.order_by(decision.c.id))
        if field in provenance and provenance[field][1] == f"override {id_}"
    ]
