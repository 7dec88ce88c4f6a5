"""Blocking keys and evidence of a whole entity, made anew when the rules of who is who change."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from hub.store import bulk
from hub.store.cases import Edge
from hub.store.tables import evidence, hot_key, match_key, record
from rules.case import Evidence


def forget(connection: sa.Connection, entity: str) -> None:
    """Drop what is kept of who shares which key and how alike they are."""
    mine = sa.select(record.c.id).where(record.c.entity == entity)
    connection.execute(sa.delete(match_key).where(match_key.c.record_id.in_(mine)))
    connection.execute(sa.delete(evidence).where(evidence.c.left_id.in_(mine)))
    connection.execute(sa.delete(hot_key).where(hot_key.c.entity == entity))


def add_evidence(connection: sa.Connection, found: Mapping[Edge, Evidence]) -> None:
    """Keep the evidence of pairs of which none was kept."""
    rows = ((left, right, one.score, one.parts) for (left, right), one in found.items())
    bulk.insert(connection, evidence, ("left_id", "right_id", "score", "parts"), rows)
