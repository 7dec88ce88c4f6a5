"""Add claims, snoozing and comments of tasks; batches, evidence and `related` of decisions; `reconfirm` tasks."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DECISIONS = ("same", "different", "value", "approve", "reject")
_TASKS = ("match", "value", "approval", "finding")


def upgrade() -> None:
    """Create the tables, widen what may be decided and asked."""
    op.create_table(
        "attention",
        sa.Column("one", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("other", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("held_until", Utc()),
        sa.Column("snoozed_by", sa.Text()),
        sa.Column("snoozed_until", Utc()),
        sa.ForeignKeyConstraint(["one"], ["record.id"], name=op.f("fk_attention_one")),
        sa.PrimaryKeyConstraint("one", "other", name=op.f("pk_attention")),
    )
    op.create_table(
        "comment",
        sa.Column("id", Serial, nullable=False),
        sa.Column("one", sa.BigInteger(), nullable=False),
        sa.Column("other", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["one"], ["record.id"], name=op.f("fk_comment_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    op.create_index(op.f("ix_comment_one_other"), "comment", ["one", "other"])
    op.create_index(op.f("ix_outbox_golden_id_state"), "outbox", ["golden_id", "state"])
    for column in (
        sa.Column("batch", sa.String(36)),
        sa.Column("evidence", sa.String(32)),
        sa.Column("score", sa.Float()),
        sa.Column("lapses", sa.Boolean()),
    ):
        op.add_column("decision", column)
    op.create_index(op.f("ix_decision_batch"), "decision", ["batch"])
    _admit("decision", {"kind": (*_DECISIONS, "related")})
    _admit("task", {"kind": (*_TASKS, "reconfirm")}, kind=9)


def downgrade() -> None:
    """Drop them; decisions and questions of the new kinds go."""
    op.execute("delete from decision where kind = 'related'")
    op.execute("delete from task where kind = 'reconfirm'")
    _admit("task", {"kind": _TASKS}, kind=8)
    op.drop_index(op.f("ix_decision_batch"), "decision")
    for name in ("batch", "evidence", "score", "lapses"):
        op.drop_column("decision", name)
    _admit("decision", {"kind": _DECISIONS})
    op.drop_index(op.f("ix_outbox_golden_id_state"), "outbox")
    op.drop_table("comment")
    op.drop_table("attention")


def _admit(table: str, words: dict[str, tuple[str, ...]], kind: int | None = None) -> None:
    """Let columns take these words."""
    with op.batch_alter_table(table) as batch:
        for name, allowed in words.items():
            batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
            listed = ", ".join(f"'{word}'" for word in allowed)
            batch.create_check_constraint(op.f(f"ck_{table}_{name}"), f"{name} in ({listed})")
        if kind is not None:
            batch.alter_column("kind", type_=sa.String(kind))
