"""The table of the feed of changes."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from hub.store.schema import Serial, metadata, one_of
from hub.store.types import Utc

change = Table(
    "change",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("golden_id", String(24), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("heir", Text),
    Column("at", Utc, nullable=False),
    one_of("kind", "created", "updated", "merged", "retired"),
    Index(None, "entity", "id"),
)
