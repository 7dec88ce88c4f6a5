"""Values that can be read but say nothing: placeholders, and identifiers that fail their own check.

The table holds what people type to get past a required field; it is short on purpose, since values
that turn out to be shared by many records are recognised from the data by the matching room.
"""

from __future__ import annotations

from typing import Any

from canonical.findings import Finding, Severity
from canonical.values.tax import checks_out

_NOTHING = frozenset(
    "n/a na none null nil unknown unbekannt test tbd tba xxx - -- . ? empty blank dummy sample example keine aucun "
    "ninguno no name noname not available not provided not applicable to be defined asdf qwerty foo bar".split()
) | {"n.a.", "john doe", "jane doe", "test test", "test company", "no name", "not available", "to be advised", "max mustermann"}
_MAIL = frozenset(
    "test@test.com test@example.com none@none.com no@email.com noemail@noemail.com a@a.com na@na.com "
    "example@example.com noreply@noreply.com unknown@unknown.com user@example.com".split()
)


def doubt_of(value: Any) -> Finding | None:
    """Why a value in normal form is not to be trusted, or None."""
    if isinstance(value, str):
        return _placeholder(value)
    if isinstance(value, dict) and isinstance(value.get("number"), str):
        number = value["number"]
        if _monotone(number):
            return _finding("HUB-3302", "the number is a placeholder")
        if not checks_out(value.get("country"), value.get("type"), number):
            return _finding("HUB-3303", "the tax number fails its check digit")
    return None


def _placeholder(value: str) -> Finding | None:
    folded = value.casefold()
    if folded in _NOTHING or folded in _MAIL or _monotone(folded):
        return _finding("HUB-3302", "the value looks like a placeholder")
    return None


def _monotone(text: str) -> bool:
    """000000000, 999-999-9999, 1234567890: digits that nobody was issued."""
    digits = [c for c in text if c.isdigit()]
    if len(digits) < 5 or len(digits) < 0.6 * len(text):
        return False
    return len(set(digits)) == 1 or "".join(digits) in "01234567890123456789"


def _finding(code: str, message: str) -> Finding:
    return Finding(code, message, Severity.WARNING)
