"""Add the queue of records that were taken in and wait to be judged."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "waiting",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_waiting_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_waiting")),
    )
    op.create_index(op.f("ix_waiting_entity_record_id"), "waiting", ["entity", "record_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("waiting")
