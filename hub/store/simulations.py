"""What drafts of rules would change, kept with how far the store was when it was asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.engine import among
from hub.store.rule_tables import simulation
from hub.store.tables import decision, golden, publication, record, record_version


@dataclass(frozen=True, slots=True)
class Simulation:
    """One draft against the version in force, over all live records of its entity."""

    entity: str
    base: str
    version: str
    document: str
    mark: list[Any]
    records: int
    counts: Mapping[str, Any]
    report: Mapping[str, Any]
    created_at: datetime
    created_by: str
    id: int = 0


def save(connection: sa.Connection, made: Simulation) -> int:
    """Keep a simulation; its id."""
    row = {name: getattr(made, name) for name in simulation.c.keys() if name != "id"}  # noqa: SIM118
    row |= {"counts": dict(made.counts), "report": dict(made.report)}
    return int(connection.execute(sa.insert(simulation).values(row).returning(simulation.c.id)).scalar_one())


def get(connection: sa.Connection, simulation_id: int) -> Simulation | None:
    """A simulation with its full lists."""
    query = sa.select(simulation).where(simulation.c.id == simulation_id)
    row = connection.execute(query).mappings().one_or_none()
    return Simulation(**row) if row else None


def by_another(connection: sa.Connection, version: str, author: str) -> int | None:
    """The newest simulation of a draft that was not made by this author."""
    query = sa.select(sa.func.max(simulation.c.id)).where(simulation.c.version == version)
    return connection.execute(query.where(simulation.c.created_by != author)).scalar()


def latest(connection: sa.Connection, most: int = 50) -> list[dict[str, Any]]:
    """The newest simulations without their lists."""
    wanted = [column for column in simulation.columns if column.name not in ("report", "document", "mark")]
    query = sa.select(*wanted).order_by(simulation.c.id.desc()).limit(most)
    return [dict(row) for row in connection.execute(query).mappings()]


def mark(connection: sa.Connection, entity: str) -> list[Any]:
    """How far the store is in everything that judgement of an entity reads: equal marks, equal answers.

    Versions and decisions are only ever added, a golden version only counts up, and a publication is
    only replaced by a later one; so counts and newest times tell whether anything was.
    """
    count, highest, total = sa.func.count, sa.func.max, sa.func.sum
    said = sa.select(count()).select_from(record_version).join(record, record.c.id == record_version.c.record_id)
    decided = sa.select(count(), highest(decision.c.id), count(decision.c.undone_at))
    decided = decided.join(record, record.c.id == decision.c.left_id)
    agreed = sa.select(golden.c.state, golden.c.published, count(), total(golden.c.version))
    agreed = agreed.where(golden.c.entity == entity).group_by(golden.c.state, golden.c.published)
    sent = sa.select(count(), highest(publication.c.acknowledged_at), total(publication.c.acknowledged_version))
    sent = sent.join(golden, golden.c.id == publication.c.golden_id).where(golden.c.entity == entity)
    queries = (
        said.where(record.c.entity == entity, ~record_version.c.late),
        decided.where(record.c.entity == entity),
        agreed.order_by(golden.c.state, golden.c.published),
        sent,
    )
    return [[[_plain(value) for value in row] for row in connection.execute(query)] for query in queries]


def pairs_decided(connection: sa.Connection, entity: str) -> list[tuple[str, int, int]]:
    """What stewards have answered about pairs of live records, undone answers left out: answer, left, right."""
    left, right = record.alias("l"), record.alias("r")
    query = sa.select(decision.c.kind, decision.c.left_id, decision.c.right_id)
    query = query.join(left, left.c.id == decision.c.left_id).join(right, right.c.id == decision.c.right_id)
    query = query.where(left.c.entity == entity, left.c.state == "live", right.c.state == "live")
    query = query.where(decision.c.undone_at.is_(None), decision.c.kind.in_(("same", "different")))
    return [(row[0], row[1], row[2]) for row in connection.execute(query.order_by(decision.c.id))]


def overrides_ending(connection: sa.Connection, entity: str, after: datetime, until: datetime) -> list[tuple[int, str]]:
    """The records on which an override ends in this time, each with the field."""
    query = sa.select(decision.c.left_id, decision.c.field).join(record, record.c.id == decision.c.left_id)
    query = query.where(record.c.entity == entity, decision.c.kind == "value", decision.c.undone_at.is_(None))
    query = query.where(decision.c.until > after, decision.c.until <= until).order_by(decision.c.id)
    return [(row[0], row[1]) for row in connection.execute(query)]


def having(connection: sa.Connection, ids: Collection[str]) -> list[tuple[str, str]]:
    """The targets that have these golden records now: target, golden id."""
    query = sa.select(publication.c.target, publication.c.golden_id).where(publication.c.active)
    return [
        (r[0], r[1]) for r in connection.execute(query.where(among(connection, publication.c.golden_id, sorted(ids))))
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | bool) else int(value)
