"""Add what must be true between golden records: findings, how far they were looked for, and a kind of task."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = ("match", "value", "approval", "finding", "reconfirm")


def upgrade() -> None:
    """Create the tables and let tasks be about relations."""
    op.create_table(
        "relation_finding",
        sa.Column("golden_id", sa.String(24), sa.ForeignKey("golden.id"), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(7), nullable=False),
        sa.Column("effect", sa.String(7), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("golden_id", "rule", name=op.f("pk_relation_finding")),
    )
    op.create_table(
        "relation_mark",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("rules", sa.String(32), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.String(24)),
        sa.PrimaryKeyConstraint("entity", name=op.f("pk_relation_mark")),
    )
    _kinds(*_KINDS, "relation")


def downgrade() -> None:
    """Drop them."""
    op.execute("DELETE FROM task WHERE kind = 'relation'")
    _kinds(*_KINDS)
    op.drop_table("relation_mark")
    op.drop_table("relation_finding")


def _kinds(*kinds: str) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("task") as table:
        table.drop_constraint(op.f("ck_task_kind"), type_="check")
        table.create_check_constraint(op.f("ck_task_kind"), f"kind in ({listed})")
