"""`$filter` of OData V2, as far as fakes need it: comparisons joined by `and`, `or` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import and_, eq, ge, gt, ne, or_
from typing import Any

_TOKEN = re.compile(r"\s*(\(|\)|datetime'[^']*'|'(?:[^']|'')*'|[^\s()]+)")
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "gt": gt, "ge": ge}


def holds(condition: str, row: Mapping[str, Any]) -> bool:
    """Whether a row meets it. Raises ValueError for what is not understood."""
    tokens = _TOKEN.findall(condition)
    met = _any(tokens, row)
    if tokens:
        raise ValueError(f"{tokens[0]} was not expected in {condition}")
    return met


def _any(tokens: list[str], row: Mapping[str, Any]) -> bool:
    met = _all(tokens, row)
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        met = or_(met, _all(tokens, row))
    return met


def _all(tokens: list[str], row: Mapping[str, Any]) -> bool:
    met = _one(tokens, row)
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        met = and_(met, _one(tokens, row))
    return met


def _one(tokens: list[str], row: Mapping[str, Any]) -> bool:
    name = tokens.pop(0)
    if name == "(":
        met = _any(tokens, row)
        tokens.pop(0)
        return met
    compared, literal = _COMPARED[tokens.pop(0)], tokens.pop(0)
    if literal.startswith("datetime'"):
        at = datetime.fromisoformat(literal[9:-1]).replace(tzinfo=UTC)
        return compared(_millis(row.get(name)), int(at.timestamp() * 1000))
    return compared(str(row.get(name, "")), literal.strip("'").replace("''", "'"))


def _millis(said: Any) -> int:
    digits = re.sub(r"[^0-9-]", "", str(said or ""))
    return int(digits or 0)
