"""Add local accounts."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "person",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", Utc()),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.Column("disabled_at", Utc()),
        sa.Column("last_seen_at", Utc()),
        sa.CheckConstraint(
            "role in ('reader', 'steward', 'approver', 'operator', 'engineer', 'admin')", name=op.f("ck_person_role")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_person")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("person")
