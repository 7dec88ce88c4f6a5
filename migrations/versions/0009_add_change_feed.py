"""Add the feed of changes of golden records."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table, and tell once of everything that is there."""
    op.create_table(
        "change",
        sa.Column("id", Serial, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.String(24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("heir", sa.Text()),
        sa.Column("at", Utc(), nullable=False),
        sa.CheckConstraint("kind in ('created', 'updated', 'merged', 'retired')", name=op.f("ck_change_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(op.f("ix_change_entity_id"), "change", ["entity", "id"])
    op.execute(
        "insert into change (entity, golden_id, version, kind, heir, at) select entity, id, version, "
        "case state when 'live' then 'updated' else state end, heir, changed_at from golden order by changed_at, id"
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("change")
