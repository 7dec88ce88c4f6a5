"""Add what all senders to a target share, its limits and whether it lets us in, and a fence to plans."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and add the column."""
    op.create_table(
        "gate",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("fails", sa.Integer(), nullable=False),
        sa.Column("opens_at", Utc()),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("says", sa.Text()),
        sa.Column("turn", sa.Float()),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_gate")),
    )
    op.add_column("plan", sa.Column("fence", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("plan", "fence")
    op.drop_table("gate")
