"""The tables of rules: immutable versions, what a draft would change, and who put which version in force."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from hub.store.schema import Serial, metadata, one_of, only
from hub.store.types import Utc, document

ruleset = Table(
    "ruleset",
    metadata,
    Column("version", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("activated_at", Utc, nullable=False),
    one_of("state", "live", "retired"),
    Index("uq_ruleset_live_entity", "entity", unique=True, **only("state = 'live'")),
)
simulation = Table(
    "simulation",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("base", Text, nullable=False),  # the version that was in force
    Column("version", Text, nullable=False),  # of the draft
    Column("document", Text, nullable=False),
    Column("mark", document(), nullable=False),  # how far the store was, in what matters to judgement
    Column("records", Integer, nullable=False),
    Column("counts", document(), nullable=False),
    Column("report", document(), nullable=False),  # the full lists
    Column("created_at", Utc, nullable=False),  # the `now` of the judgement
    Column("created_by", Text, nullable=False),
    Index(None, "entity", "version"),
)
promotion = Table(
    "promotion",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("simulation_id", ForeignKey("simulation.id"), nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Index(None, "entity", "id"),
)
passed = Table(  # up to when the dates of an entity's rules and overrides have been followed
    "passed",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("until", Utc, nullable=False),
)
