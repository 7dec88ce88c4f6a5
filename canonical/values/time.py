"""Dates, times and periods. Times are UTC; periods are half-open."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from canonical.values.base import Group, as_text, refuse

_ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:$|[T ])")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})$")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})$")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})$")
_WORDS = ("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 10**11  # an epoch number beyond this counts milliseconds: seconds would be the year 5138


def day(raw: Any) -> str | None:
    """The day as YYYY-MM-DD. Slashed dates are read month first unless only day first is possible.

    A year of two digits lies in the last 80 or the next 19 years of 2026 (the pivot is fixed, so that
    a value reads the same for ever).
    """
    if isinstance(raw, datetime | date):
        return raw.isoformat()[:10]
    if isinstance(raw, int | Decimal) and not isinstance(raw, bool) and not _looks_like_day(raw):
        return moment(raw)[:10]
    written = as_text(raw).strip()
    if not written:
        return None
    parts = _parts(written)
    if parts is None:
        refuse("not a date")
    try:
        return date(*parts).isoformat()
    except ValueError:
        refuse("no such day")


def moment(raw: Any) -> str:
    """The time in UTC as YYYY-MM-DDTHH:MM:SSZ, with a fraction only if there is one. No zone means UTC."""
    found = instant(raw)
    shown = found.strftime("%Y-%m-%dT%H:%M:%S") if found.year > 999 else found.isoformat()[:19]
    return shown + (f".{found.microsecond:06d}".rstrip("0") if found.microsecond else "") + "Z"


def instant(raw: Any) -> datetime:
    """The time, aware, in UTC; from ISO 8601 or from seconds or milliseconds since 1970."""
    if isinstance(raw, datetime):
        return raw.astimezone(UTC) if raw.tzinfo else raw.replace(tzinfo=UTC)
    try:
        if isinstance(raw, int | Decimal) and not isinstance(raw, bool) or str(raw).strip().isdigit() and len(str(raw)) > 8:
            number = Decimal(str(raw))
            return _EPOCH + timedelta(seconds=float(number / 1000 if abs(number) >= _MILLISECONDS else number))
        written = as_text(raw).strip()
        parts = _parts(written)
        if parts is not None and len(written) <= 11:
            return datetime(*parts, tzinfo=UTC)
        found = datetime.fromisoformat(written)
    except (ValueError, OverflowError):
        refuse("not a time")
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _looks_like_day(raw: int | Decimal) -> bool:
    return 19000101 <= raw <= 29991231


def _parts(written: str) -> tuple[int, int, int] | None:
    if found := _ISO.match(written) or _YEAR_FIRST.match(written):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _DOTTED.match(written):
        return _year(found[3]), int(found[2]), int(found[1])
    if found := _SLASHED.match(written):
        first, second = int(found[1]), int(found[2])
        return (_year(found[3]), second, first) if first > 12 else (_year(found[3]), first, second)
    for form in _WORDS:
        try:
            read = datetime.strptime(written.replace(",", ""), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return read.year, read.month, read.day
    return None


def _year(written: str) -> int:
    year = int(written)
    if len(written) == 4:
        return year
    return 1900 + year if year > 45 else 2000 + year


Date = Annotated[str | None, BeforeValidator(day)]
Timestamp = Annotated[str, BeforeValidator(moment)]


class Period(Group):
    """From `start` on, up to but not including `end`; an open end is left out."""

    start: Date = None
    end: Date = None

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.start is None and self.end is None:
            refuse("a period needs a start or an end")
        if self.start and self.end and self.end < self.start:
            refuse("ends before it starts")
        return self
