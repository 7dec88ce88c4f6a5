"""Column types that both databases keep the same way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB


class Utc(sa.types.TypeDecorator[datetime]):
    """An aware time, kept in UTC. A naive time is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To the database: UTC; without the zone where the database has none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone does not enter the store")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """From the database: aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def document() -> sa.types.TypeEngine[Any]:
    """A JSON document: `jsonb` on PostgreSQL, text on SQLite."""
    return sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
