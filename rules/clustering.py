"""Records into clusters: constrained correlation clustering on log-odds, the same for any order.

Steward decisions are hard constraints over whole clusters; so are vetoes and the rule that two
published golden records never join by themselves. Two clusters join while the *sum* of the evidence
between their members is positive, best mean first: a chain A~B~C holds only if A and C do not speak
against it (the idea of greedy agglomeration for correlation clustering; `README.md`, decision 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from canonical.ids import SourceKey
from rules.agglomeration import Groups, agglomerate
from rules.case import Answer, PairDecision, Places, Ties
from rules.judgement import Cluster, Kind, Question
from rules.match.clusters import components
from rules.match.meeting import unmet

ABSENT = -1.5  # log-odds of a pair that no blocking key brought together
CLIP = 12.0  # one comparison cannot outvote a whole cluster
LARGEST = 4000  # groups of one component; a larger one is taken apart where its evidence is weakest

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the bands lie (log-odds), and what each record may not be joined over."""

    match: float
    review: float
    exclusive: Mapping[SourceKey, Mapping[str, str]]  # record -> veto name -> value
    published: Mapping[SourceKey, str]  # record -> published golden id that holds it


def cluster(
    keys: Sequence[SourceKey], ties: Ties, decisions: Iterable[PairDecision], bounds: Bounds
) -> tuple[list[Cluster], list[Question]]:
    """The clusters, ordered by their smallest key, and the pairs that a person must look at.

    The keys are in order, each once; the ties name them by their places.
    """
    work = _Clustering(keys, ties, bounds)
    work.decide(decisions)
    work.join()
    return work.clusters(), work.questions()


def unspoken(ties: Ties, count: int, match: float) -> list[tuple[int, int]]:
    """The pairs of places that have no evidence, in components of up to `COMPLETE` records: to be weighed as well."""
    p, q = unmet(count, ties.left, ties.right, ties.score >= match)
    return list(zip(p.tolist(), q.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Between:
    """The evidence between groups: pairs of their heads, each once, smaller first; its sum and its best."""

    a: Places
    b: Places
    total: NDArray[np.float64]
    best: NDArray[np.float64]
    size: Places  # members of each group, by its head


class _Clustering:
    """One run. A group is named by its smallest record, its head; `head` tells the group that a record is in."""

    def __init__(self, keys: Sequence[SourceKey], ties: Ties, bounds: Bounds) -> None:
        self.keys, self.ties, self.bounds = keys, ties, bounds
        self.head = np.arange(len(keys))
        self.enemies: set[tuple[int, int]] = set()  # records that a steward said are different, both ways
        self.decided: set[int] = set()

    def decide(self, decisions: Iterable[PairDecision]) -> None:
        """Put together what a steward called the same, and remember who must stay apart."""
        place = {key: k for k, key in enumerate(self.keys)}
        live = sorted(
            (*sorted((place[d.left], place[d.right])), d.answer is Answer.SAME)
            for d in decisions
            if d.left in place and d.right in place
        )
        for one, other, same in live:
            if not same:
                self.enemies |= {(one, other), (other, one)}
        members: dict[int, list[int]] = {}
        for one, other, same in live:
            a, b = sorted((int(self.head[one]), int(self.head[other])))
            ours, theirs = members.get(a, [a]), members.get(b, [b])
            if same and a != b and not any((x, y) in self.enemies for x in ours for y in theirs):
                self.head[theirs] = a
                members[a] = ours + theirs
                self.decided |= {one, other}

    def join(self) -> None:
        """Join the best pair of groups again and again while the whole evidence between them is positive."""
        found, limits, match = self._between(), _Limits(self), self.bounds.match
        part = _parts(len(self.keys), found, match)
        inside = part[found.a] == part[found.b]
        size = np.bincount(part[self.head == np.arange(len(self.head))], minlength=part.max(initial=0) + 1)
        two = np.flatnonzero(inside & (size[part[found.a]] == 2) & (found.best >= match) & (found.total > 0))
        two = two[~(limits.apart(found.a[two], found.b[two]) | limits.rival(found.a[two], found.b[two]))]
        into = np.arange(len(self.keys))
        into[found.b[two]] = found.a[two]
        many = np.flatnonzero(inside & (size[part[found.a]] > 2))
        many = many[np.argsort(part[found.a[many]], kind="stable")]
        edges = np.flatnonzero(np.r_[True, np.diff(part[found.a[many]]) != 0, True]) if len(many) else many
        for begin, end in pairwise(edges.tolist()):
            rows = many[begin:end]
            heads = np.unique(np.r_[found.a[rows], found.b[rows]])
            into[heads] = heads[agglomerate(self._groups(heads, found, rows, limits), match)]
        self.head = into[self.head]

    def clusters(self) -> list[Cluster]:
        """What came out, with the reason of each member."""
        members: dict[int, list[int]] = {}
        for place, head in enumerate(self.head.tolist()):
            members.setdefault(head, []).append(place)
        return [
            Cluster(tuple(self.keys[k] for k in group), {self.keys[k]: self._reason(k, len(group)) for k in group})
            for group in members.values()
        ]

    def questions(self) -> list[Question]:
        """The best pair between two groups that evidence, but not certainty, ties together."""
        left, right, score = self.ties.left, self.ties.right, self.ties.score
        open_ = np.flatnonzero((score >= self.bounds.review) & (self.head[left] != self.head[right]))
        left, right, score = left[open_], right[open_], score[open_]
        a, b = self.head[left], self.head[right]
        a, b = np.minimum(a, b), np.maximum(a, b)
        order = np.lexsort((right, left, -score, b, a))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(a[order]) != 0) | (np.diff(b[order]) != 0)
        limits, asked = _Limits(self), []
        for k in sorted(order[first].tolist()):
            doubt = limits.between(int(a[k]), int(b[k]))
            if doubt is None:
                doubt = "not certain" if score[k] < self.bounds.match else "the group as a whole is not convincing"
            if doubt is not ENEMIES:
                asked.append(Question(Kind.MATCH, self.keys[left[k]], self.keys[right[k]], doubt, float(score[k])))
        return asked

    def _between(self) -> _Between:
        """The evidence between the groups that there are, pairs that nothing brought together included."""
        n = len(self.keys)
        size = np.bincount(self.head, minlength=n)
        if not self.decided:
            every = self.ties
            return _Between(every.left, every.right, np.clip(every.score, -CLIP, CLIP), every.score, size)
        a, b = self.head[self.ties.left], self.head[self.ties.right]
        apart = a != b
        a, b, score = np.minimum(a, b)[apart], np.maximum(a, b)[apart], self.ties.score[apart]
        pairs, where = np.unique(a * n + b, return_inverse=True)
        best = np.full(len(pairs), -np.inf)
        np.maximum.at(best, where, score)
        a, b = pairs // max(n, 1), pairs % max(n, 1)
        silent = size[a] * size[b] - np.bincount(where, minlength=len(pairs))
        total = np.bincount(where, np.clip(score, -CLIP, CLIP), len(pairs)) + ABSENT * silent
        return _Between(a, b, total, best, size)

    def _groups(self, heads: Places, found: _Between, rows: Places, limits: _Limits) -> Groups:
        """The groups of one component as squares."""
        k, size = len(heads), found.size[heads]
        total, best = np.multiply.outer(size, size) * np.float64(ABSENT), np.full((k, k), -np.inf)
        x, y = np.searchsorted(heads, found.a[rows]), np.searchsorted(heads, found.b[rows])
        total[x, y] = total[y, x] = found.total[rows]
        best[x, y] = best[y, x] = found.best[rows]
        a, b = np.repeat(heads, k), np.tile(heads, k)
        apart, rival = limits.apart(a, b).reshape(k, k), limits.rival(a, b).reshape(k, k)
        return Groups(total, best, apart, rival, size, limits.published(heads))

    def _reason(self, place: int, size: int) -> str:
        if size == 1:
            return "alone"
        return "decision" if place in self.decided else "evidence"


ENEMIES = "a steward said that they are different"


class _Limits:
    """What forbids two groups to be one: a steward's word, published records, exclusive values. By their heads."""

    def __init__(self, work: _Clustering) -> None:
        n = self._n = len(work.keys)
        self._published, self._exclusive = _Values(n), dict[str, _Values]()
        for head, key in zip(work.head.tolist(), work.keys, strict=True):
            if key in work.bounds.published:
                self._published.put(head, work.bounds.published[key])
            for name, value in work.bounds.exclusive.get(key, {}).items():
                self._exclusive.setdefault(name, _Values(n)).put(head, value)
        self._enemies = {int(work.head[x]) * n + int(work.head[y]) for x, y in work.enemies}

    def apart(self, a: Places, b: Places) -> Mask:
        """Which two may never be one, nor what they become a part of."""
        found = np.isin(a * self._n + b, list(self._enemies)) if self._enemies else np.zeros(len(a), bool)
        for values in self._exclusive.values():
            found |= values.differ(a, b)
        return found

    def rival(self, a: Places, b: Places) -> Mask:
        """Which two are published, and not as what a steward's decision has joined before."""
        return self._published.differ(a, b) & ~self._published.within(a, b)

    def published(self, heads: Places) -> Places:
        """How many published records each holds."""
        return self._published.counts[heads]

    def between(self, a: int, b: int) -> str | None:
        """What forbids these two, in words."""
        if a * self._n + b in self._enemies:
            return ENEMIES
        one = np.array([a]), np.array([b])
        if self.rival(*one)[0]:
            return "both are published"
        return next((f"different {name}" for name, values in self._exclusive.items() if values.differ(*one)[0]), None)


class _Values:
    """What groups hold of one kind: for each the set of its values, as a number; 0 for none."""

    def __init__(self, n: int) -> None:
        self._n, self._held = n, dict[int, set[str]]()

    def put(self, head: int, value: str) -> None:
        """The group holds the value."""
        self._held.setdefault(head, set()).add(value)

    def differ(self, a: Places, b: Places) -> Mask:
        """Where both hold something, and not the same."""
        if not self._held:
            return np.zeros(len(a), bool)
        x, y = self._codes[a], self._codes[b]
        found: Mask = (x > 0) & (y > 0) & (x != y)
        return found

    def within(self, a: Places, b: Places) -> Mask:
        """Where one holds all that the other does, and more."""
        if not self._nested:
            return np.zeros(len(a), bool)
        return np.isin(self._codes[a] * self._n + self._codes[b], self._nested)

    @cached_property
    def counts(self) -> Places:
        """How many values each group holds."""
        found = np.zeros(self._n, np.int64)
        for head, values in self._held.items():
            found[head] = len(values)
        return found

    @cached_property
    def _sets(self) -> dict[frozenset[str], int]:
        found: dict[frozenset[str], int] = {}
        for values in self._held.values():
            found.setdefault(frozenset(values), len(found) + 1)
        return found

    @cached_property
    def _codes(self) -> Places:
        found = np.zeros(self._n, np.int64)
        for head, values in self._held.items():
            found[head] = self._sets[frozenset(values)]
        return found

    @cached_property
    def _nested(self) -> list[int]:
        """Two numbers as one of each two sets of which one is a part of the other."""
        large = [one for one in self._sets if len(one) > 1]
        pairs = [(self._sets[one], self._sets[other]) for other in large for one in self._sets if one < other]
        return [x * self._n + y for pair in pairs for x, y in (pair, pair[::-1])]


def _parts(n: int, found: _Between, match: float) -> Places:
    """The component of each group by evidence of at least `match`; too large ones by more, at last by their order."""
    near = found.best >= match
    part = components(n, found.a[near], found.b[near]).astype(np.int64)
    while (large := np.bincount(part, minlength=1)[part] > LARGEST).any() and near.any():
        match += 1
        near &= ~large[found.a] | (found.best >= match)
        if not near[large[found.a]].any():
            order = np.argsort(part, kind="stable")
            rank = np.empty(n, np.int64)
            rank[order] = np.arange(n) - np.searchsorted(part[order], part[order])
            found_part: Places = np.unique(part * n + rank // LARGEST, return_inverse=True)[1]
            return found_part
        part = components(n, found.a[near], found.b[near]).astype(np.int64)
    return part
