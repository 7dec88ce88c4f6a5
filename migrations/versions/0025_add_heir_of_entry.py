"""Add to entries of plans into which record theirs was merged."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("plan_entry", sa.Column("heir", sa.String(24)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("plan_entry", "heir")
