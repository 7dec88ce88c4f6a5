"""Add the queue of records that wait to be judged, and who let a waiting publication go."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the columns."""
    op.add_column("outbox", sa.Column("approved_at", Utc()))
    op.add_column("outbox", sa.Column("approved_by", sa.Text()))
    op.create_table(
        "waiting",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_waiting_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_waiting")),
    )
    op.create_index(op.f("ix_waiting_entity_record_id"), "waiting", ["entity", "record_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("waiting")
    op.drop_column("outbox", "approved_by")
    op.drop_column("outbox", "approved_at")
