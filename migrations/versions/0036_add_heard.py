"""Add how far each target has been heard as a source."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0036"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "heard",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("target", "entity", name=op.f("pk_heard")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("heard")
