"""Add delegations of approvals, and the role that a plan needs because of how much it changes."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table and add the column."""
    op.create_table(
        "delegation",
        sa.Column("id", Serial, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.Column("ended_at", Utc()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index(op.f("ix_delegation_borrower"), "delegation", ["borrower"])
    op.add_column("plan", sa.Column("needs", sa.Text()))


def downgrade() -> None:
    """Drop both."""
    op.drop_column("plan", "needs")
    op.drop_table("delegation")
