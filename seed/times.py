"""Days and moments of the company's story, as each kind of system writes them. Today stands still."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from random import Random

TODAY = date(2026, 10, 1)
NOW = datetime(2026, 10, 1, tzinfo=UTC)
_MINUTES = 1_440_000  # about the length of the story: since the start of 2024


def moment(rng: Random) -> datetime:
    """Some time before today."""
    return NOW - timedelta(seconds=60 * rng.randrange(60, _MINUTES) + rng.randrange(60))


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the month's last day where it has none: 29 February and a year is the 28th."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def salesforce(when: datetime) -> str:
    """As Salesforce writes a moment."""
    return f"{when.isoformat(timespec='milliseconds')[:23]}+0000"


def zulu(when: datetime) -> str:
    """ISO 8601 with a Z."""
    return f"{when.isoformat(timespec='seconds')[:19]}Z"


def epoch(day: date | datetime) -> int:
    """Seconds since 1970; a day starts at midnight UTC."""
    at = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(at.timestamp())


def german(day: date) -> str:
    """Day first, with points."""
    return f"{day.day:02d}.{day.month:02d}.{day.year}"
