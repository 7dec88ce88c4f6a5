"""Add who sends a plan, so that nobody else does at the same time."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("plan", sa.Column("holder", sa.Text()))
    op.add_column("plan", sa.Column("lease_until", Utc()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("plan", "lease_until")
    op.drop_column("plan", "holder")
