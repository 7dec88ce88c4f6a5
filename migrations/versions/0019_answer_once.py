"""Keep the answers to requests that carry an idempotency key."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "answered",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("holder", sa.String(36), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("lease_until", Utc(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("content_type", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_answered")),
    )
    op.create_index(op.f("ix_answered_started_at"), "answered", ["started_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("answered")
