"""The tables of what targets have against what they were sent."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from hub.store.schema import Serial, metadata, one_of, only
from hub.store.types import Utc, document

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("target", Text, nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc),
    Column("complete", Boolean, nullable=False, default=False),  # everything was read, so what is missing is known
    Column("read", Integer, nullable=False, default=0),
    Column("counts", document()),
    Column("trouble", Text),
    Index(None, "target", "id"),
)
drift = Table(
    "drift",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("target", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("subject", Text, nullable=False),  # the golden id, or the target's own key where nobody sent it
    Column("golden_id", Text),
    Column("remote_id", Text),
    Column("kind", String(9), nullable=False),
    Column("cause", Text, nullable=False),
    Column("fields", document(), nullable=False),  # field -> [as sent, as it is there], in the target's words
    Column("there", document()),  # the whole record there
    Column("version", Text),  # of the record there
    Column("amount", document()),  # the money that the golden record speaks of
    Column("since", Utc, nullable=False),
    Column("seen_in", ForeignKey("reconciliation.id"), nullable=False),
    Column("state", String(8), nullable=False),
    Column("until", Utc),  # of an accepted one
    Column("author", Text),
    Column("reason", Text),
    Column("closed_at", Utc),
    one_of("kind", "missing", "extra", "different"),
    one_of("state", "open", "accepted", "closed"),
    Index("uq_drift_standing", "target", "entity", "subject", unique=True, **only("state <> 'closed'")),
    Index(None, "seen_in"),
)
heard = Table(
    "heard",
    metadata,
    Column("target", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("until", Utc, nullable=False),  # the newest change there that was read, by the target's own clock
)
TABLES: tuple[sa.Table, ...] = (reconciliation, drift, heard)
