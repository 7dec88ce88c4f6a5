"""The tables of relations: what is not as it must be between golden records, up to which change."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text

from hub.store.schema import metadata
from hub.store.types import Utc

RELATION_CODE = "HUB-3504"
relation_finding = Table(
    "relation_finding",
    metadata,
    Column("golden_id", ForeignKey("golden.id"), primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("severity", String(7), nullable=False),
    Column("effect", String(7), nullable=False),
    Column("message", Text, nullable=False),
    Column("since", Utc, nullable=False),
)
relation_mark = Table(
    "relation_mark",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("rules", String(32), nullable=False),  # of the relations that were asked
    Column("change", BigInteger, nullable=False),  # looked at up to here
    Column("after", String(24)),  # while all records are looked at: those up to here have been
)
TABLES = (relation_finding, relation_mark)
