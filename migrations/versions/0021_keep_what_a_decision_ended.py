"""Keep which decision ended another, so that taking the one back restores the other."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("decision") as table:
        table.add_column(sa.Column("ended_for", sa.String(36)))
        table.create_index(op.f("ix_decision_ended_for"), ["ended_for"])


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("decision") as table:
        table.drop_index(op.f("ix_decision_ended_for"))
        table.drop_column("ended_for")
