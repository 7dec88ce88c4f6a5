"""Add what targets did not take, when a message is tried again, what it comes after, and why a plan was not sent."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc, document

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and add the columns."""
    op.create_table(
        "failure",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.String(24), sa.ForeignKey("golden.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("status", sa.String(12)),
        sa.Column("code", sa.Text()),
        sa.Column("says", sa.Text()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("next_at", Utc()),
        sa.Column("author", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint("state in ('waiting', 'dead', 'parked')", name=op.f("ck_failure_state")),
        sa.PrimaryKeyConstraint("target", "golden_id", name=op.f("pk_failure")),
    )
    op.add_column("plan_entry", sa.Column("next_at", Utc()))
    op.add_column("plan_entry", sa.Column("after", document()))
    op.add_column("plan", sa.Column("reason", sa.Text()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("plan", "reason")
    op.drop_column("plan_entry", "after")
    op.drop_column("plan_entry", "next_at")
    op.drop_table("failure")
