"""Add which mapping a system is read with."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "reading",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(32), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["fingerprint"], ["mapping.fingerprint"], name=op.f("fk_reading_fingerprint")),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_reading")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("reading")
