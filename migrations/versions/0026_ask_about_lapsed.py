"""Let tasks be about values that stewards set and that have ended."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_KINDS = ("match", "value", "approval", "finding", "reconfirm", "relation")


def upgrade() -> None:
    """Admit the kind."""
    _kinds(*_KINDS, "lapsed")


def downgrade() -> None:
    """Drop such tasks, and the kind."""
    op.execute("delete from task where kind = 'lapsed'")
    _kinds(*_KINDS)


def _kinds(*kinds: str) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("task") as table:
        table.drop_constraint(op.f("ck_task_kind"), type_="check")
        table.create_check_constraint(op.f("ck_task_kind"), f"kind in ({listed})")
