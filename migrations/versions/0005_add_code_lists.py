"""Add code lists, and the mappings that deliveries were read with."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc, document

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables and the column."""
    op.create_table(
        "mapping",
        sa.Column("fingerprint", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_mapping")),
    )
    op.create_table(
        "code",
        sa.Column("id", Serial, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("value", document()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("until", Utc()),
        sa.Column("ended_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code")),
    )
    op.create_index(
        "uq_code_live", "code", ["system", "entity", "field", "code"], unique=True,
        sqlite_where=sa.text("until is null"), postgresql_where=sa.text("until is null"),
    )  # fmt: skip
    op.create_index(op.f("ix_code_since"), "code", ["since"])
    op.add_column("batch", sa.Column("mapping", sa.String(32)))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("batch", "mapping")
    op.drop_table("code")
    op.drop_table("mapping")
