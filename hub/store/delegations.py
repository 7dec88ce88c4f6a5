"""Roles that are lent for approvals: by whom, to whom, until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.access import Principal
from hub.store.delegation_table import delegation


def lend(connection: sa.Connection, row: dict[str, Any]) -> int:
    """Note a delegation; its id."""
    return int(connection.execute(sa.insert(delegation).values(row).returning(delegation.c.id)).scalar_one())


def get(connection: sa.Connection, delegation_id: int) -> dict[str, Any] | None:
    """One delegation."""
    row = connection.execute(sa.select(delegation).where(delegation.c.id == delegation_id)).mappings().one_or_none()
    return dict(row) if row else None


def end(connection: sa.Connection, delegation_id: int, now: datetime) -> bool:
    """Take a delegation back; whether it was in force."""
    mine = sa.and_(delegation.c.id == delegation_id, delegation.c.ended_at.is_(None), delegation.c.until > now)
    done = sa.update(delegation).where(mine).values(ended_at=now).returning(delegation.c.id)
    return connection.execute(done).one_or_none() is not None


def every(connection: sa.Connection) -> list[dict[str, Any]]:
    """All delegations, the newest first."""
    return [dict(row) for row in connection.execute(sa.select(delegation).order_by(delegation.c.id.desc())).mappings()]


def roles_of(connection: sa.Connection, who: Principal, now: datetime) -> dict[str, frozenset[str]]:
    """The roles that a person may approve in, each with those who lent it: nobody for their own."""
    query = sa.select(delegation.c.role, delegation.c.lender).where(delegation.c.borrower == who.name)
    query = query.where(delegation.c.ended_at.is_(None), delegation.c.since <= now, delegation.c.until > now)
    lent: dict[str, frozenset[str]] = {}
    for role, lender in connection.execute(query):
        lent[role] = lent.get(role, frozenset()) | {lender}
    return {**lent, who.role: frozenset()}
