"""The tables of what payloads are read with: mappings as they were, and the code lists beside them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from hub.store.schema import Serial, metadata, only
from hub.store.types import Utc, document

mapping = Table(  # each mapping that a delivery was read with, so that its payloads can be read again
    "mapping",
    metadata,
    Column("fingerprint", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("since", Utc, nullable=False),
)
code = Table(  # a system's code and the canonical one; ended, never erased
    "code",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("value", document()),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("since", Utc, nullable=False),
    Column("until", Utc),
    Column("ended_by", Text),
    Index("uq_code_live", "system", "entity", "field", "code", unique=True, **only("until is null")),
    Index(None, "since"),
)
reading = Table(  # the mapping that a system is read with in place of the shipped one
    "reading",
    metadata,
    Column("system", Text, primary_key=True),
    Column("fingerprint", ForeignKey("mapping.fingerprint"), nullable=False),
    Column("since", Utc, nullable=False),
)
TABLES: tuple[sa.Table, ...] = (mapping, code, reading)
