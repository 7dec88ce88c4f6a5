"""What judgement is given: everything that it may know, gathered beforehand.

A case is *closed*: it holds every live record of every component that a record in it can reach, so
`judge` never asks for more. A batch of many unrelated components is one case; the components are
told apart by the evidence and the links.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from canonical.ids import SourceKey
from canonical.record import SourceRecord


class Answer(StrEnum):
    """What a steward can say about two source records."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class PairDecision:
    """A steward's answer about two source records; it outlives every cluster they are in."""

    left: SourceKey
    right: SourceKey
    answer: Answer
    id: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """A steward's value for one field of whatever cluster holds the source record."""

    record: SourceKey
    field: str
    value: Any
    decided_at: datetime
    until: datetime | None = None
    id: str = ""
    seen: Mapping[str, Any] | None = None  # what the record said of the field then, `{}` if nothing

    def stands(self, said: Mapping[str, Any], now: datetime) -> bool:
        """Whether it is in force: before its end and, where it was set against a word, while that word stands.

        `said` is what the record says now.
        """
        if self.until is not None and self.until <= now:
            return False
        return self.seen is None or self.seen == spoken(said, self.field)


@dataclass(frozen=True, slots=True)
class Prior:
    """A golden record as it stands before this judgement; a retired one returns with its source."""

    id: str
    founder: SourceKey
    version: int
    content_hash: bytes
    created_at: datetime
    published: bool = False
    live: bool = True
    sent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # what each target has acknowledged


@dataclass(frozen=True, slots=True)
class Evidence:
    """How alike two records are: log-odds that they are one thing, and what each comparison added."""

    score: float
    parts: tuple[tuple[str, float, float], ...] = ()  # comparison, similarity 0-1, weight in log-odds


Pair = tuple[SourceKey, SourceKey]  # always with the smaller key first


@dataclass(frozen=True, slots=True)
class Case:
    """The closed input of one judgement."""

    entity: str
    records: tuple[SourceRecord, ...]
    evidence: Mapping[Pair, Evidence] = field(default_factory=dict)
    decisions: tuple[PairDecision, ...] = ()
    overrides: tuple[Override, ...] = ()
    links: Mapping[SourceKey, str] = field(default_factory=dict)
    inherited: Mapping[SourceKey, tuple[str, ...]] = field(default_factory=dict)  # from keys it replaced
    priors: Mapping[str, Prior] = field(default_factory=dict)
    founded: Mapping[SourceKey, int] = field(default_factory=dict)  # golden records ever founded on a key
    published: Mapping[SourceKey, Mapping[str, Any]] = field(default_factory=dict)  # what we sent there


def ordered(left: SourceKey, right: SourceKey) -> Pair:
    """The two keys as a pair, smaller first."""
    return (left, right) if left <= right else (right, left)


def spoken(said: Mapping[str, Any], field: str) -> dict[str, Any]:
    """What values say of one field: `{field: value}`, or `{}` when they do not speak of it."""
    return {field: said[field]} if field in said else {}
