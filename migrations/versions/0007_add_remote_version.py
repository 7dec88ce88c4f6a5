"""Add the version at which a target has a record, for the guard against edits there."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("publication", sa.Column("remote_version", sa.Text()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("publication", "remote_version")
