"""Blackout windows: when a schedule must not run, as an operator writes them.

`22:00-23:30` every day, `sat,sun 00:00-24:00` on some days of the week, `2026-12-31..2027-01-02` whole days; all in
the schedule's own time zone. A window that ends before it starts goes over midnight; it is one of the day it starts on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.errors import InvalidRequest

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")
_HOURS = re.compile(r"(?:([a-z,]+) )?(\d\d:\d\d)-(\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """One window; either whole days from and through, or hours of some days of the week."""

    text: str
    days: tuple[date, date] | None = None
    week: frozenset[int] = frozenset(range(7))
    hours: tuple[time, time] = (time.min, time.min)  # an end at midnight is the end of the day

    def holds(self, moment: datetime) -> bool:
        """Whether a moment, in the schedule's zone, lies in it."""
        if self.days is not None:
            return self.days[0] <= moment.date() <= self.days[1]
        start, end = self.hours
        now, today = moment.time(), moment.weekday()
        if start < end or end == time.min:
            return today in self.week and start <= now and (end == time.min or now < end)
        yesterday = (moment.date() - timedelta(days=1)).weekday()
        return (today in self.week and now >= start) or (yesterday in self.week and now < end)


def window(text: str) -> Window:
    """The window that a text says. Raises InvalidRequest."""
    said = " ".join(text.lower().split())
    try:
        if found := _DAYS.fullmatch(said):
            first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
            if first <= last:
                return Window(text, days=(first, last))
        if found := _HOURS.fullmatch(said):
            week = frozenset(WEEK.index(day) for day in found[1].split(",")) if found[1] else frozenset(range(7))
            start = time.fromisoformat(found[2])
            return Window(text, week=week, hours=(start, time.fromisoformat(found[3].replace("24:00", "00:00"))))
    except ValueError:
        pass  # said below, as for every other text that is no window
    raise InvalidRequest(
        f"{text[:40]!r} is no blackout window.", hint="22:00-23:30, sat,sun 00:00-24:00 or 2026-12-31..2027-01-02."
    )


def closed_by(texts: Iterable[str] | None, moment: datetime, zone: str) -> str | None:
    """The first window in which a moment lies, or None."""
    local = moment.astimezone(ZoneInfo(zone))
    return next((one.text for one in map(window, texts or ()) if one.holds(local)), None)
