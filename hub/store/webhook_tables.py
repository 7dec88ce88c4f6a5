"""The tables of outgoing webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from hub.store.schema import Serial, metadata, one_of
from hub.store.types import Utc, document

webhook = Table(
    "webhook",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),  # what both sides sign with
    Column("entities", document()),  # only these; all without
    Column("cursor", Text, nullable=False),  # of the feed: what has been told
    Column("state", String(6), nullable=False),
    Column("attempts", Integer, nullable=False),  # in a row without success
    Column("next_at", Utc, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    one_of("state", "active", "paused"),
)
webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("webhook_id", ForeignKey("webhook.id"), nullable=False),
    Column("message", Text, nullable=False),  # its id, the same for every try
    Column("since", Text, nullable=False),  # the cursor before it
    Column("cursor", Text, nullable=False),  # and after it
    Column("events", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("status", Integer),  # of HTTP; empty when nothing came back
    Column("says", Text),
    Column("at", Utc, nullable=False),
    Index(None, "webhook_id", "id"),
)
TABLES: tuple[sa.Table, ...] = (webhook, webhook_delivery)
