"""The tables: one schema for SQLite and PostgreSQL. What must hold is held by the database.

Ids: a source record's is the number made of its source key; golden ids are text; journals count.
Time columns are aware UTC. `migrations/` creates and changes these tables; a test compares the two.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from hub.store.access_tables import TABLES as ACCESS
from hub.store.beside_tables import TABLES as NOTES
from hub.store.book_tables import closing
from hub.store.change_table import change
from hub.store.code_tables import TABLES as CODES
from hub.store.delegation_table import delegation
from hub.store.desk_tables import TABLES as DESK
from hub.store.drift_tables import TABLES as DRIFT
from hub.store.failure_table import failure
from hub.store.gate_table import gate
from hub.store.people_tables import TABLES as PEOPLE
from hub.store.relation_tables import TABLES as RELATIONS
from hub.store.rule_tables import passed, promotion, ruleset, simulation
from hub.store.schema import Serial, metadata
from hub.store.schema import one_of as _one_of
from hub.store.schema import only as _only
from hub.store.types import Utc, document
from hub.store.webhook_tables import TABLES as WEBHOOKS

BESIDE = (
    *(ruleset, simulation, promotion, passed),
    *(*CODES, *DESK, *DRIFT, *WEBHOOKS, *ACCESS, *PEOPLE, *RELATIONS, *NOTES),
    *(change, closing, delegation, failure, gate),
)  # tables which stand in rooms of their own

# ── what came in ────────────────────────────────────────────────────────────────────────────────
batch = Table(
    "batch",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("origin", Text, nullable=False),  # a file name, "api", "webhook"
    Column("fingerprint", String(64), nullable=False, unique=True),  # content and mapping: one delivery, once
    Column("mapping", String(32)),  # what its payloads were read with
    Column("position", BigInteger, nullable=False, default=0),  # payloads committed: where to go on
    Column("state", String(8), nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc),
    _one_of("state", "open", "done"),
)
payload = Table(
    "payload",
    metadata,
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("body", Text, nullable=False),  # as received
    Column("outcome", String(8), nullable=False),
    Column("received_at", Utc, nullable=False),
    _one_of("outcome", "accepted", "rejected", "failed"),
    Index(None, "system", "outcome"),
)
record = Table(
    "record",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the version in force
    Column("version", BigInteger),  # the source's own order
    Column("asserted_at", Utc, nullable=False),
    Column("content_hash", LargeBinary(16), nullable=False),
    Column("state", String(9), nullable=False),
    Column("status", String(8), nullable=False),
    sa.UniqueConstraint("system", "entity", "key"),
    _one_of("state", "live", "tombstone"),
    _one_of("status", "linked", "review", "failed"),
    Index(None, "entity", "system", "status"),
)
waiting = Table(  # records that were taken in and are to be judged later
    "waiting",
    metadata,
    Column("record_id", ForeignKey("record.id"), primary_key=True, autoincrement=False),
    Column("entity", Text, nullable=False),
    Index(None, "entity", "record_id"),
)
record_version = Table(
    "record_version",
    metadata,
    Column("record_id", ForeignKey("record.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("version", BigInteger),
    Column("asserted_at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("content_hash", LargeBinary(16), nullable=False),
    Column("tombstone", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),  # arrived after a newer one: logged, never in force
    Column("replaced_by", Text),
    Column("values", document(), nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    sa.ForeignKeyConstraint(["batch_id", "position"], ["payload.batch_id", "payload.position"]),
    Index(None, "record_id", "content_hash"),
    Index(None, "replaced_by", **_only("replaced_by is not null")),
)
finding = Table(
    "finding",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("batch_id", BigInteger, ForeignKey("batch.id")),
    Column("position", BigInteger),
    Column("record_id", ForeignKey("record.id")),
    Column("golden_id", ForeignKey("golden.id")),
    Column("code", String(16), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("field", Text),
    Column("place", Text),
    Column("message", Text, nullable=False),
    Index(None, "record_id"),
    Index(None, "golden_id"),
    Index(None, "batch_id", "position"),
    _one_of("severity", "info", "warning", "error"),
)

# ── who is who ──────────────────────────────────────────────────────────────────────────────────
match_key = Table(
    "match_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", ForeignKey("record.id"), primary_key=True),
    Index(None, "record_id"),
    sqlite_with_rowid=False,
)
hot_key = Table(  # keys that more records share than the rule set allows: they bring nobody together
    "hot_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("entity", Text, nullable=False),
)
evidence = Table(
    "evidence",
    metadata,
    Column("left_id", ForeignKey("record.id"), primary_key=True),
    Column("right_id", ForeignKey("record.id"), primary_key=True),
    Column("score", Float, nullable=False),
    Column("parts", document(), nullable=False),
    Index(None, "right_id"),
)
decision = Table(
    "decision",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(9), nullable=False),
    Column("left_id", ForeignKey("record.id"), nullable=False),
    Column("right_id", ForeignKey("record.id")),
    Column("field", Text),
    Column("value", document()),
    Column("until", Utc),
    Column("seen", document()),  # a value that stands while the record says this of the field
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("decided_at", Utc, nullable=False),
    Column("undone_at", Utc),
    Column("undone_by", Text),
    Column("ended_for", String(36), index=True),  # the decision or batch that ended it, and restores it when taken back
    Column("batch", String(36), index=True),  # decisions that were made, and can be undone, as one
    Column("evidence", String(32)),  # a hash of what spoke for and against when a pair was decided
    Column("score", Float),
    Column("lapses", Boolean),  # it stands only while that is so
    _one_of("kind", "same", "different", "related", "value", "approve", "reject"),
    Index(None, "left_id"),
    Index(None, "right_id"),
)
link = Table(
    "link",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("record_id", ForeignKey("record.id"), nullable=False),
    Column("golden_id", ForeignKey("golden.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("ruleset", Text, nullable=False),
    Column("since", Utc, nullable=False),
    Column("until", Utc),
    Index("uq_link_live_record", "record_id", unique=True, **_only("until is null")),
    Index(None, "golden_id"),
    Index(None, "record_id"),
)

# ── what is agreed ──────────────────────────────────────────────────────────────────────────────
golden = Table(
    "golden",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("entity", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("heir", ForeignKey("golden.id")),  # where a merged id leads, in one step
    Column("version", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("sources", Integer, nullable=False),
    Column("content_hash", LargeBinary(16), nullable=False),
    Column("founder_id", ForeignKey("record.id"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("published", Boolean, nullable=False),  # has ever been sent to a target
    Column("created_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    sa.UniqueConstraint("founder_id", "generation"),
    _one_of("state", "live", "retired", "merged"),
    sa.CheckConstraint("(state = 'merged') = (heir is not null)", name="heir"),
    Index(None, "entity", "state", "id"),
    Index(None, "entity", "label"),
    Index(None, "heir"),
)
golden_version = Table(
    "golden_version",
    metadata,
    Column("golden_id", ForeignKey("golden.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("values", document(), nullable=False),
    Column("provenance", document(), nullable=False),
    Column("members", document(), nullable=False),  # [source key, version number] of each member
    Column("ruleset", Text, nullable=False),
    Column("valid_from", Utc, nullable=False),
    Column("valid_to", Utc),
    Index(None, "golden_id", "valid_from"),
)
golden_value = Table(
    "golden_value",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", Text, primary_key=True),  # folded, for look-up
    Column("golden_id", ForeignKey("golden.id"), primary_key=True),
    Index(None, "golden_id"),
    sqlite_with_rowid=False,
)
golden_reference = Table(
    "golden_reference",
    metadata,
    Column("golden_id", ForeignKey("golden.id"), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("parent_id", BigInteger, nullable=False),  # a source record, perhaps not here yet
    Index(None, "parent_id"),
)
task = Table(
    "task",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("entity", Text, nullable=False),
    Column("kind", String(9), nullable=False),
    Column("left_id", ForeignKey("record.id"), nullable=False),
    Column("right_id", ForeignKey("record.id")),
    Column("reason", Text, nullable=False),
    Column("score", Float),
    Column("state", String(6), nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Column("closed_by", Text),  # a decision's id, or why it closed by itself
    _one_of("kind", "match", "value", "approval", "finding", "reconfirm", "relation", "lapsed"),
    _one_of("state", "open", "closed"),
    Index(None, "state", "entity", "opened_at"),
    Index(None, "left_id"),
    Index(None, "right_id"),
)

# ── what goes out ───────────────────────────────────────────────────────────────────────────────
outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("target", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("golden_id", ForeignKey("golden.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("action", String(10), nullable=False),
    Column("waits_for", Text),
    Column("held", Text),
    Column("state", String(10), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("approved_at", Utc),  # where a rule let it wait for somebody
    Column("approved_by", Text),
    sa.UniqueConstraint("target", "golden_id", "version", "action"),
    _one_of("state", "pending", "planned", "done"),
    _one_of("action", "upsert", "deactivate"),
    Index(None, "target", "state", "id"),
    Index(None, "golden_id", "state"),
)
publication = Table(
    "publication",
    metadata,
    Column("target", Text, primary_key=True),
    Column("golden_id", ForeignKey("golden.id"), primary_key=True),
    Column("acknowledged_version", Integer, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("remote_version", Text),  # as we saw it last: a write is refused where it has moved on
    Column("values", document(), nullable=False),  # golden values as sent: what comes back is an echo
    Column("body", document(), nullable=False),
    Column("body_hash", LargeBinary(16), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("acknowledged_at", Utc, nullable=False),
    Index(None, "target", "remote_id"),
)
plan = Table(
    "plan",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("target", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("content_hash", String(32), nullable=False),
    Column("watermark", BigInteger, nullable=False),  # the last outbox row it has read
    Column("created_at", Utc, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("approved_at", Utc),
    Column("approved_by", Text),
    Column("needs", Text),  # the role that must approve it, because of how much it changes
    Column("finished_at", Utc),
    Column("holder", Text),  # who sends it now, and until when nobody else may
    Column("lease_until", Utc),
    Column("fence", BigInteger, nullable=False, server_default="0"),  # how often it was taken in hand
    Column("reason", Text),  # why it was not sent
    _one_of("state", "draft", "approved", "running", "done", "stale"),
)
plan_entry = Table(
    "plan_entry",
    metadata,
    Column("plan_id", ForeignKey("plan.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("golden_id", ForeignKey("golden.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("action", String(10), nullable=False),
    Column("state", String(12), nullable=False),
    Column("body", document(), nullable=False),
    Column("body_hash", LargeBinary(16), nullable=False),
    Column("changes", document(), nullable=False),  # field -> [before, after], in the target's words
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Utc),  # not sent, or looked for, before
    Column("heir", String(24)),  # what a record that is deactivated was merged into
    Column("after", document()),  # golden ids of the same plan that must be there first
    sa.UniqueConstraint("plan_id", "golden_id"),
    _one_of("action", "create", "update", "deactivate", "unchanged"),
    _one_of("state", "planned", "sending", "acknowledged", "rejected", "held", "superseded", "parked"),
    Index(None, "plan_id", "state", "position"),
    Index(None, "golden_id"),
)
delivery = Table(
    "delivery",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("plan_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("code", String(16)),
    Column("says", Text),
    Column("sent_at", Utc, nullable=False),
    sa.ForeignKeyConstraint(["plan_id", "position"], ["plan_entry.plan_id", "plan_entry.position"]),
    Index(None, "plan_id", "position"),
)

# ── who, when ───────────────────────────────────────────────────────────────────────────────────
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # without gaps
    Column("at", Utc, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", document(), nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
)
schedule = Table(
    "schedule",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job", Text, nullable=False),
    Column("target", Text),
    Column("cron", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("blackouts", document()),  # windows in which it does not run
)
firing = Table(
    "firing",
    metadata,
    Column("schedule_id", ForeignKey("schedule.id"), primary_key=True),
    Column("fire_at", Utc, primary_key=True),
    Column("state", String(7), nullable=False),
    Column("holder", Text, nullable=False),
    Column("lease_until", Utc, nullable=False),
    Column("finished_at", Utc),
    Column("outcome", Text),
    _one_of("state", "claimed", "done", "failed"),
    Index(None, "state", "lease_until"),
)
