"""What all who send to a target share: whether anything is sent, and when the next call may begin."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, Table, Text

from hub.store.schema import metadata
from hub.store.types import Utc

gate = Table(
    "gate",
    metadata,
    Column("target", Text, primary_key=True),
    Column("fails", Integer, nullable=False),  # trouble with the connection, in a row
    Column("opens_at", Utc),  # nothing is sent before
    Column("refused", Boolean, nullable=False),  # it does not let us in, until somebody has looked
    Column("says", Text),
    Column("turn", Float),  # when the next call would be due at an even pace, in seconds since 1970
)
