"""Records that were taken in and wait to be judged: a queue in the database, so that nothing is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from hub.store import bulk
from hub.store.engine import Prepared
from hub.store.tables import record, waiting


def add(connection: sa.Connection, entity: str, ids: Iterable[int]) -> None:
    """Let these records wait; those that do already are left as they are."""
    listed = sorted(ids)
    there = set(_THERE(connection, listed).scalars())
    bulk.insert(connection, waiting, ("record_id", "entity"), ((id_, entity) for id_ in listed if id_ not in there))


def add_all(connection: sa.Connection, entity: str) -> None:
    """Let every record of the entity wait."""
    there = sa.select(waiting.c.record_id).where(waiting.c.entity == entity)
    every = sa.select(record.c.id, record.c.entity).where(record.c.entity == entity, record.c.id.not_in(there))
    connection.execute(sa.insert(waiting).from_select(["record_id", "entity"], every))


def first(connection: sa.Connection, entity: str, most: int) -> list[int]:
    """The next records of the entity that wait, in order of id."""
    query = sa.select(waiting.c.record_id).where(waiting.c.entity == entity)
    return list(connection.execute(query.order_by(waiting.c.record_id).limit(most)).scalars())


def done(connection: sa.Connection, ids: Collection[int]) -> None:
    """These wait no more."""
    _DONE(connection, ids)


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many records wait, by entity."""
    query = sa.select(waiting.c.entity, sa.func.count()).group_by(waiting.c.entity)
    return dict(connection.execute(query).all())


_THERE = Prepared(lambda among: sa.select(waiting.c.record_id).where(among(waiting.c.record_id)))
_DONE = Prepared(lambda among: sa.delete(waiting).where(among(waiting.c.record_id)))
