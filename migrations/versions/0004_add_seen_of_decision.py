"""Add what a record said when a steward's value was set against it."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import document

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("decision", sa.Column("seen", document()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("decision", "seen")
