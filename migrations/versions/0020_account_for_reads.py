"""Note who was shown personal data, and count what each key asks for."""

import sqlalchemy as sa
from alembic import op

from hub.store.schema import Serial
from hub.store.types import Utc, document

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, add the columns."""
    op.create_table(
        "shown",
        sa.Column("id", Serial, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", document(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shown")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "allowance",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", name=op.f("pk_allowance")),
    )
    for name in ("rate", "cost"):
        op.add_column("api_key", sa.Column(name, sa.Integer()))


def downgrade() -> None:
    """Drop them."""
    for name in ("cost", "rate"):
        op.drop_column("api_key", name)
    op.drop_table("allowance")
    op.drop_table("shown")
