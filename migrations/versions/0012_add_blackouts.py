"""Add the windows in which a schedule does not run."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import document

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("schedule", sa.Column("blackouts", document()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("schedule", "blackouts")
