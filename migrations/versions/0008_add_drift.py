"""Add what targets have against what they were sent."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc, document

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "reconciliation",
        sa.Column("id", Serial, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("finished_at", Utc()),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("counts", document()),
        sa.Column("trouble", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index(op.f("ix_reconciliation_target_id"), "reconciliation", ["target", "id"])
    op.create_table(
        "drift",
        sa.Column("id", Serial, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.Text()),
        sa.Column("remote_id", sa.Text()),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("fields", document(), nullable=False),
        sa.Column("there", document()),
        sa.Column("version", sa.Text()),
        sa.Column("amount", document()),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("seen_in", Serial, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("until", Utc()),
        sa.Column("author", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("closed_at", Utc()),
        sa.CheckConstraint("kind in ('missing', 'extra', 'different')", name=op.f("ck_drift_kind")),
        sa.CheckConstraint("state in ('open', 'accepted', 'closed')", name=op.f("ck_drift_state")),
        sa.ForeignKeyConstraint(["seen_in"], ["reconciliation.id"], name=op.f("fk_drift_seen_in")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
    )
    op.create_index(
        "uq_drift_standing", "drift", ["target", "entity", "subject"], unique=True,
        sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"),
    )  # fmt: skip
    op.create_index(op.f("ix_drift_seen_in"), "drift", ["seen_in"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("drift")
    op.drop_table("reconciliation")
