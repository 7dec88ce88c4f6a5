"""Tables of the steward's desk: who looks at a question, who put it off until when, what was said of it.

They are keyed to the pair of source records, so they stay when a question is asked anew, and judging
never reads them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from hub.store.schema import Serial, metadata
from hub.store.types import Utc

attention = Table(
    "attention",
    metadata,
    Column("one", BigInteger, ForeignKey("record.id"), primary_key=True, autoincrement=False),
    Column("other", BigInteger, primary_key=True, autoincrement=False),  # the larger id; 0 where there is one record
    Column("holder", Text),
    Column("held_until", Utc),
    Column("snoozed_by", Text),
    Column("snoozed_until", Utc),
)
comment = Table(
    "comment",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("one", BigInteger, ForeignKey("record.id"), nullable=False),
    Column("other", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Index(None, "one", "other"),
)
TABLES = (attention, comment)
