"""The table of delegations: who lends whom a role's approvals, for how long and why."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from hub.store.schema import Serial, metadata
from hub.store.types import Utc

delegation = Table(  # taken back, never erased
    "delegation",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("role", Text, nullable=False),
    Column("lender", Text, nullable=False),
    Column("borrower", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Column("ended_at", Utc),
    Index(None, "borrower"),
)
