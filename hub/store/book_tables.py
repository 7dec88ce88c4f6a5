"""The table of closed books."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Table, Text

from hub.store.schema import Serial, metadata
from hub.store.types import Utc

EVERYBODY = "*"
closing = Table(  # reopened, never erased
    "closing",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("books", Text, nullable=False),  # the golden id of the legal entity that keeps them, or everybody's
    Column("through", Date, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("closed_at", Utc, nullable=False),
    Column("reopened_at", Utc),
    Column("reopened_by", Text),
    Index(None, "books"),
)
