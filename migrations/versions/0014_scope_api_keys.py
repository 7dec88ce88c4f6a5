"""Scope API keys: what each sees, until when it holds, and when it was last used."""

import sqlalchemy as sa
from alembic import op

from hub.store.types import Utc, document

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NAMES = ("entities", "hidden", "expires_at", "last_used_at", "heir")


def upgrade() -> None:
    """Add the columns."""
    for name, kind in zip(_NAMES, (document(), document(), Utc(), Utc(), sa.String(16)), strict=True):
        op.add_column("api_key", sa.Column(name, kind))


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_NAMES):
        op.drop_column("api_key", name)
