"""Add closed books."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "closing",
        sa.Column("id", Serial, nullable=False),
        sa.Column("books", sa.Text(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_at", Utc(), nullable=False),
        sa.Column("reopened_at", Utc()),
        sa.Column("reopened_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
    )
    op.create_index(op.f("ix_closing_books"), "closing", ["books"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("closing")
