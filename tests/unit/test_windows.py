"""Blackout windows: what they hold, over midnight, over the week and over changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.errors import InvalidRequest
from hub.windows import closed_by, window

BERLIN = "Europe/Berlin"


@pytest.mark.promise("A-73")
@pytest.mark.parametrize(
    ("text", "moment", "held"),
    [
        ("22:00-23:30", "2026-06-01T20:00", True),  # 22:00 in Berlin
        ("22:00-23:30", "2026-06-01T21:30", False),  # 23:30: the end is not in it
        ("22:00-02:00", "2026-06-01T23:30", True),
        ("22:00-02:00", "2026-06-01T12:00", False),
        ("fri 22:00-02:00", "2026-06-05T23:00", True),  # Saturday 01:00, of Friday's window
        ("fri 22:00-02:00", "2026-06-06T23:00", False),
        ("sat,sun 00:00-24:00", "2026-06-06T10:00", True),
        ("sat,sun 00:00-24:00", "2026-06-08T10:00", False),
        ("2026-12-31..2027-01-02", "2026-12-30T23:30", True),  # 31 December already in Berlin
        ("2026-12-31..2027-01-02", "2027-01-02T23:30", False),
        ("02:00-03:00", "2026-03-29T00:30", False),  # 01:30, and then it is 03:00
        ("02:00-03:00", "2026-10-25T00:30", True),  # 02:30 for the first time
        ("02:00-03:00", "2026-10-25T01:30", True),  # and for the second
    ],
)
def test_window_holds_a_moment_in_the_zone_of_the_schedule(text: str, moment: str, held: bool) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert closed_by([text], at, BERLIN) == (text if held else None)


@pytest.mark.parametrize(
    "text", ["", "always", "25:00-26:00", "xyz 10:00-11:00", "2026-02-30..2026-03-01", "2026-03-02..2026-03-01"]
)
def test_text_that_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no blackout window"):
        window(text)
