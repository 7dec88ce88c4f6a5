"""The tables of who may ask: API keys and what each of them sees, and what was answered to whom."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from hub.store.schema import metadata, one_of
from hub.store.types import Utc, document

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("revoked_at", Utc),
    Column("entities", document()),  # only these; all without
    Column("hidden", document()),  # groups of fields that it does not see
    Column("expires_at", Utc),
    Column("last_used_at", Utc),  # to the minute
    Column("heir", String(16)),  # the key that it was rotated to
    Column("rate", Integer),  # requests a minute; any number without
    Column("cost", Integer),  # cost a minute
    one_of("role", "reader", "steward", "approver", "operator", "engineer", "admin"),
)
answered = Table(
    "answered",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("holder", String(36), nullable=False),  # the run that may commit
    Column("started_at", Utc, nullable=False),
    Column("lease_until", Utc, nullable=False),
    Column("steps", Integer, nullable=False),  # transactions that it has committed
    Column("status", Integer),
    Column("content_type", Text),
    Column("body", LargeBinary),  # sealed
    Index(None, "started_at"),
)
TABLES: tuple[sa.Table, ...] = (api_key, answered)
