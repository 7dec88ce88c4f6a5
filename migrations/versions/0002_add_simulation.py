"""Add simulations of rule drafts, and who put which version in force, and when dates were followed."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc, document

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "simulation",
        sa.Column("id", Serial, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("mark", document(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("counts", document(), nullable=False),
        sa.Column("report", document(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulation")),
    )
    op.create_index(op.f("ix_simulation_entity_version"), "simulation", ["entity", "version"])
    op.create_table(
        "promotion",
        sa.Column("id", Serial, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("simulation_id", Serial, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["simulation_id"], ["simulation.id"], name=op.f("fk_promotion_simulation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
    )
    op.create_index(op.f("ix_promotion_entity_id"), "promotion", ["entity", "id"])
    op.create_table(
        "passed",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("entity", name=op.f("pk_passed")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("passed")
    op.drop_table("promotion")
    op.drop_table("simulation")
