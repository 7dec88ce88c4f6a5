"""How long ago something was, in words."""

from __future__ import annotations

from datetime import datetime


def aged(now: datetime, since: datetime) -> str:
    """The age in days, hours or minutes, never more than is worth knowing."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"
