"""The tables of small notes that no answer may wait for (`hub.store.beside`)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Table, Text

from hub.store.schema import Serial, metadata
from hub.store.types import Utc, document

shown = Table(
    "shown",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", document(), nullable=False),
    sqlite_autoincrement=True,  # an id that was deleted does not come again
)
allowance = Table(
    "allowance",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("rate", BigInteger, nullable=False),  # until when its requests are spent, in nanoseconds since 1970
    Column("cost", BigInteger, nullable=False),  # until when its cost is
)
TABLES: tuple[sa.Table, ...] = (shown, allowance)
