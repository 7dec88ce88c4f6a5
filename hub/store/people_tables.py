"""Local accounts: people who sign in with a password."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from hub.store.schema import metadata, one_of
from hub.store.types import Utc

person = Table(
    "person",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password", Text, nullable=False),  # as argon2 writes it, with its salt and costs
    Column("failed", Integer, nullable=False),  # tries since the last that succeeded
    Column("locked_until", Utc),
    Column("created_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),  # of the password or the state: sessions from before end
    Column("disabled_at", Utc),
    Column("last_seen_at", Utc),
    one_of("role", "reader", "steward", "approver", "operator", "engineer", "admin"),
)
TABLES = (person,)
