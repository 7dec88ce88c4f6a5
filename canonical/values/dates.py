"""Days, moments and periods, in ISO 8601 and UTC.

Read: ISO in all forms; 28.02.2026; 02/28/2026; `Mar 1 1970`, `1 March 1970`, `01-MAR-70`; 20260228;
epoch seconds, milliseconds or microseconds as numbers. When slashes or dashes leave open which part is
the day, the month comes first, and the reading says so (INFO). Two-digit years are 1950 to 2049 (the
default cutoff of SQL Server), and the reading says so. A day keeps the wall date that was written: a
time zone does not move it. A moment without a zone is taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema, model_validator

from canonical.values.placeholders import DUMMY_DATES
from canonical.values.reading import Group, as_token, assumed, doubt, is_blank, unreadable

_CUTOFF = 50  # 49 is 2049, 50 is 1950
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = {
    name[:size]: number
    for number, name in enumerate(
        "january february march april may june july august september october november december".split(),
        1,
    )
    for size in range(3, len(name) + 1)
}
_DAY_FIRST = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d{2})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_COMPACT = re.compile(r"(1[6-9]\d\d|20\d\d|2[1-9]\d\d)(\d\d)(\d\d)", re.ASCII)
_OPEN = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_MONTH_NAMED = re.compile(
    r"(?:(?P<d1>\d{1,2})(?:st|nd|rd|th)?[ .-]*)?(?P<month>[a-z]{3,9})[ .-]*"
    r"(?:(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?[ -]+)?,? ?(?P<year>\d{4}|\d{2})",
    re.ASCII,
)
_TIME_AFTER = re.compile(r"[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?)$", re.ASCII)
_NUMBER = re.compile(r"-?\d{9,17}(?:\.\d+)?", re.ASCII)


_UNHEARD: Any = SimpleNamespace(context=None)  # doubts about a moment are not noted when nobody listens


def read_date(raw: object, info: ValidationInfo) -> str | None:
    """A day, "2026-02-28"; blank is null."""
    if is_blank(raw):
        return None
    day = _day(raw, info).isoformat()
    if day in DUMMY_DATES:
        doubt(info, "HUB-3302", "the day is the zero or the end of a software's calendar")
    return day


def read_timestamp(raw: object, info: ValidationInfo) -> str:
    """A moment in UTC, "2026-02-28T12:00:00Z", with a fraction only if there is one."""
    moment = _moment(raw, info)
    text = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return text + (f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else "") + "Z"


def instant(raw: object) -> datetime:
    """The moment that a raw value names, aware, in UTC. Raises PydanticCustomError when it names none."""
    return _moment(raw, _UNHEARD)


def _day(raw: object, info: ValidationInfo) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool) and not _COMPACT.fullmatch(str(raw)[:9]):
        return _from_epoch(raw).date()
    text = as_token(raw, 40)
    try:
        return date.fromisoformat(text) if len(text) == 10 and text[4] == "-" else _written(text, info)
    except ValueError:
        raise unreadable("expected a day such as 2026-02-28") from None


def _written(text: str, info: ValidationInfo) -> date:
    """The day from text that is not plain ISO. Raises ValueError when it is none."""
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return date(*(int(part) for part in found.groups()))
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = found.groups()
        return date(_year(year, info), int(month), int(day))
    if found := _OPEN.fullmatch(text):
        return _day_or_month_first(found, info)
    if found := _MONTH_NAMED.fullmatch(text.lower()):
        day, month = found["d1"] or found["d2"], _MONTHS.get(found["month"], 0)
        return date(_year(found["year"], info), month, int(day or 0))
    if _NUMBER.fullmatch(text):
        return _from_epoch(Decimal(text)).date()
    if found := _TIME_AFTER.search(text):
        return _written(text[: found.start()], info)
    return datetime.fromisoformat(text).date()


def _day_or_month_first(found: re.Match[str], info: ValidationInfo) -> date:
    first, second, year = int(found[1]), int(found[3]), _year(found[4], info)
    if first > 12:
        return date(year, second, first)
    if second <= 12 and first != second:
        assumed(info, "day and month could be swapped; the month is read first")
    return date(year, first, second)


def _year(text: str, info: ValidationInfo) -> int:
    if len(text) == 4:
        return int(text)
    assumed(info, "the year has two digits; it is read as 1950 to 2049")
    return int(text) + (1900 if int(text) >= _CUTOFF else 2000)


def _moment(raw: object, info: ValidationInfo) -> datetime:
    if isinstance(raw, datetime):
        return _utc(raw)
    if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
        return _from_epoch(raw)
    text = as_token(raw, 48)
    if _NUMBER.fullmatch(text) and not _COMPACT.fullmatch(text):
        return _from_epoch(Decimal(text))
    return _utc(_moment_written(text, info))


def _moment_written(text: str, info: ValidationInfo) -> datetime:
    """The moment as written, with or without a zone."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        day = _written(text, info)
        clock = _TIME_AFTER.search(text)
        return datetime.combine(day, _clock(clock[1]) if clock else time.min)
    except ValueError:
        raise unreadable("expected a moment such as 2026-02-28T12:00:00Z") from None


def _clock(text: str) -> time:
    half = text[-2:].lower()
    if half not in ("am", "pm"):
        return datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M").time()  # noqa: DTZ007 (a time of day)
    body = text[:-2].strip()
    return datetime.strptime(f"{body} {half}", "%I:%M:%S %p" if body.count(":") == 2 else "%I:%M %p").time()  # noqa: DTZ007


def _utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise unreadable("the moment is out of range", "HUB-3107") from None


def _from_epoch(number: float | Decimal) -> datetime:
    """Seconds since 1970, or milli- or microseconds when seconds would lie beyond the year 5138."""
    try:
        exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
        unit = 1 if abs(exact) < 10**11 else 1_000 if abs(exact) < 10**14 else 1_000_000
        return _EPOCH + timedelta(microseconds=int(exact * 1_000_000 / unit))
    except (ArithmeticError, ValueError):
        raise unreadable("the moment is out of range", "HUB-3107") from None


Date = Annotated[str | None, BeforeValidator(read_date), WithJsonSchema({"type": "string", "format": "date"})]
Timestamp = Annotated[str, BeforeValidator(read_timestamp), WithJsonSchema({"type": "string", "format": "date-time"})]
_Bound = Annotated[str, BeforeValidator(lambda raw, info: _day(raw, info).isoformat())]


class Period(Group):
    """From `start`, up to and without `end`. A side that is left out is open; 9999-12-31 means open.

    Raw forms: {"start", "end"}; or {"start", "last"} where the source names the last day that counts.
    """

    start: _Bound | None = None
    end: _Bound | None = None

    @classmethod
    def unfolded(cls, raw: Any, info: ValidationInfo) -> Any:
        """`last`, the last day that counts, as the day after it; ends that mean "never" left out."""
        if not isinstance(raw, dict):
            return raw
        parts = dict(raw)
        if (last := parts.pop("last", None)) not in (None, ""):
            if parts.get("end") not in (None, ""):
                raise unreadable("give the end or the last day of a period, not both")
            day = _day(last, info)
            parts["end"] = None if day.year == 9999 else (day + timedelta(days=1)).isoformat()
        if isinstance(parts.get("end"), str) and parts["end"].strip().startswith("9999-12-31"):
            parts["end"] = None
        return parts

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise unreadable("the period ends before it starts")
        return self
