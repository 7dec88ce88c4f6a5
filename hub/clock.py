"""The only place that asks what time it is. Everywhere else `now` is a parameter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)
