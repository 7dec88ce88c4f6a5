"""What a target did not take: one row per golden record that it lacks in its newest version because of that."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from hub.store.schema import metadata, one_of
from hub.store.types import Utc

failure = Table(
    "failure",
    metadata,
    Column("target", Text, primary_key=True),
    Column("golden_id", ForeignKey("golden.id"), primary_key=True),
    Column("version", Integer, nullable=False),  # a newer one is tried anew, unless it is parked
    Column("state", String(7), nullable=False),  # tried again by itself, given up, or set aside by somebody
    Column("status", String(12)),
    Column("code", Text),
    Column("says", Text),
    Column("tries", Integer, nullable=False),  # of this version since somebody replayed it
    Column("since", Utc, nullable=False),
    Column("next_at", Utc),  # not tried before
    Column("author", Text),  # who parked it, and why
    Column("reason", Text),
    one_of("state", "waiting", "dead", "parked"),
)
