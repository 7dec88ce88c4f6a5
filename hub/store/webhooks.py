"""Outgoing webhooks: who is told, how far, and every try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.webhook_tables import webhook, webhook_delivery

Row = dict[str, Any]


def add(connection: sa.Connection, row: Row) -> int:
    """Keep a webhook; its id."""
    return int(connection.execute(sa.insert(webhook).values(row).returning(webhook.c.id)).scalar_one())


def every(connection: sa.Connection) -> list[Row]:
    """All webhooks, without their secrets."""
    columns = [column for column in webhook.columns if column.name != "secret"]
    return [dict(row) for row in connection.execute(sa.select(*columns).order_by(webhook.c.id)).mappings()]


def due(connection: sa.Connection, now: datetime) -> list[Row]:
    """Those that are to be told now, secrets too."""
    query = sa.select(webhook).where(webhook.c.state == "active", webhook.c.next_at <= now).order_by(webhook.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def change(connection: sa.Connection, webhook_id: int, **values: Any) -> bool:
    """Set columns; False when there is no such webhook."""
    done = sa.update(webhook).where(webhook.c.id == webhook_id).values(values).returning(webhook.c.id)
    return connection.execute(done).one_or_none() is not None


def note(connection: sa.Connection, row: Row) -> None:
    """Keep one try."""
    connection.execute(sa.insert(webhook_delivery).values(row))


def deliveries(connection: sa.Connection, webhook_id: int, most: int = 50) -> Sequence[Row]:
    """The newest tries."""
    query = sa.select(webhook_delivery).where(webhook_delivery.c.webhook_id == webhook_id)
    rows = connection.execute(query.order_by(webhook_delivery.c.id.desc()).limit(most)).mappings()
    return [dict(row) for row in rows]


def delivery(connection: sa.Connection, delivery_id: int) -> Row | None:
    """One try."""
    query = sa.select(webhook_delivery).where(webhook_delivery.c.id == delivery_id)
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None
