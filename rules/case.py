"""What judgement is given: everything that it may know, gathered beforehand.

A case is *closed*: it holds every live record of every component that a record in it can reach, so
`judge` never asks for more. A batch of many unrelated components is one case; the components are
told apart by the evidence and the links.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """The evidence between records that stand in order of their keys: pairs of places, each once, in order.

    The smaller place is on the left; `score` is in log-odds.
    """

    left: Places
    right: Places
    score: NDArray[np.float64]

    @classmethod
    def of(cls, ids: Sequence[int], scores: Iterable[tuple[int, int, float]]) -> Ties:
        """Scores of pairs of ids, each by the place of its id; pairs that go beyond these ids are left out."""
        place = {id_: k for k, id_ in enumerate(ids)}
        rows = [(place[a], place[b], score) for a, b, score in scores if a in place and b in place]
        one, other, score = np.array(rows, np.float64).reshape(-1, 3).T
        left, right = np.minimum(one, other).astype(np.int64), np.maximum(one, other).astype(np.int64)
        order = np.lexsort((right, left))
        return cls(left[order], right[order], score[order])

    def among(self, kept: NDArray[np.bool_]) -> Ties:
        """The ties between the records that are kept, which move up to take the places of the others."""
        both = kept[self.left] & kept[self.right]
        place = np.cumsum(kept) - 1
        return Ties(place[self.left[both]], place[self.right[both]], self.score[both])


_NO_PLACES = np.zeros(0, np.int64)
NO_TIES = Ties(_NO_PLACES, _NO_PLACES, np.zeros(0))


@dataclass(frozen=True, slots=True)
class Case:
    """The closed input of one judgement."""

    entity: str
    records: tuple[SourceRecord, ...]  # in order of their keys
    ties: Ties = NO_TIES  # by place in `records`
    decisions: tuple[PairDecision, ...] = ()
    overrides: tuple[Override, ...] = ()
    links: Mapping[SourceKey, str] = field(default_factory=dict)
    inherited: Mapping[SourceKey, tuple[str, ...]] = field(default_factory=dict)  # from keys it replaced
    priors: Mapping[str, Prior] = field(default_factory=dict)
    founded: Mapping[SourceKey, int] = field(default_factory=dict)  # golden records ever founded on a key
    published: Mapping[SourceKey, Mapping[str, Any]] = field(default_factory=dict)  # what we sent there

    def among(self, keys: Collection[SourceKey]) -> Case:
        """The same case of these records alone."""
        kept = np.array([one.key in keys for one in self.records], bool)
        records = tuple(one for one in self.records if one.key in keys)
        return replace(self, records=records, ties=self.ties.among(kept))


def spoken(said: Mapping[str, Any], field: str) -> dict[str, Any]:
    """What values say of one field: `{field: value}`, or `{}` when they do not speak of it."""
    return {field: said[field]} if field in said else {}
