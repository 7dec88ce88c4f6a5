"""Records into clusters: constrained correlation clustering on log-odds, the same for any order.

Steward decisions are hard constraints over whole clusters; so are vetoes and the rule that two
published golden records never join by themselves. Two clusters join while the *sum* of the evidence
between their members is positive, best mean first: a chain A~B~C holds only if A and C do not speak
against it (the idea of greedy agglomeration for correlation clustering; `README.md`, decision 2).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from canonical.ids import SourceKey
from rules.case import Answer, Evidence, Pair, PairDecision, ordered
from rules.judgement import Cluster, Kind, Question

ABSENT = -1.5  # log-odds of a pair that no blocking key brought together
CLIP = 12.0  # one comparison cannot outvote a whole cluster


@dataclass(slots=True)
class _Group:
    """A cluster in the making: its members and everything that may forbid a join."""

    members: list[SourceKey]
    exclusive: dict[str, set[str]] = field(default_factory=dict)  # veto name -> the values held
    published: set[str] = field(default_factory=set)
    enemies: set[SourceKey] = field(default_factory=set)  # records a steward said are different
    decided: set[SourceKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the bands lie (log-odds), and what each record may not be joined over."""

    match: float
    review: float
    exclusive: Mapping[SourceKey, Mapping[str, str]]  # record -> veto name -> value
    published: Mapping[SourceKey, str]  # record -> published golden id that holds it


def cluster(
    keys: Iterable[SourceKey],
    evidence: Mapping[Pair, Evidence],
    decisions: Iterable[PairDecision],
    bounds: Bounds,
) -> tuple[list[Cluster], list[Question]]:
    """The clusters, ordered by their smallest key, and the pairs that a person must look at."""
    work = _Clustering(sorted(keys), evidence, bounds)
    work.decide(decisions)
    work.join()
    return work.clusters(), work.questions()


class _Clustering:
    """One run. Groups are named by index; `owner` tells the group that a record is in."""

    def __init__(self, keys: list[SourceKey], evidence: Mapping[Pair, Evidence], bounds: Bounds) -> None:
        self.bounds = bounds
        self.evidence = evidence
        self.groups: dict[int, _Group] = {}
        self.owner: dict[SourceKey, int] = {}
        for index, key in enumerate(keys):
            published = {bounds.published[key]} if key in bounds.published else set()
            exclusive = {name: {value} for name, value in bounds.exclusive.get(key, {}).items()}
            self.groups[index] = _Group([key], exclusive, published)
            self.owner[key] = index
        self.between: dict[int, dict[int, tuple[float, float, int]]] = {}  # sum, best, pairs known
        self.separated: set[Pair] = set()

    def decide(self, decisions: Iterable[PairDecision]) -> None:
        """Put together what a steward called the same, and remember who must stay apart."""
        live = [d for d in decisions if d.left in self.owner and d.right in self.owner]
        for decision in live:
            if decision.answer is Answer.DIFFERENT:
                self.separated.add(ordered(decision.left, decision.right))
                self.groups[self.owner[decision.left]].enemies.add(decision.right)
                self.groups[self.owner[decision.right]].enemies.add(decision.left)
        for decision in sorted(live, key=lambda d: ordered(d.left, d.right)):
            a, b = self.owner[decision.left], self.owner[decision.right]
            if decision.answer is Answer.SAME and a != b and not self._enemies(self.groups[a], self.groups[b]):
                self._absorb(min(a, b), max(a, b))
                self.groups[min(a, b)].decided.update((decision.left, decision.right))

    def join(self) -> None:
        """Join the best pair of groups again and again while the whole evidence between them is positive."""
        self._connect()
        heap = [entry for a, row in self.between.items() for b in row if a < b for entry in self._candidate(a, b)]
        heapq.heapify(heap)
        while heap:
            _, a, b, size_a, size_b = heapq.heappop(heap)
            if not self._current(a, size_a) or not self._current(b, size_b) or self._forbidden(a, b):
                continue
            self._absorb(a, b)
            self._reconnect(a, b)
            for other in self.between.get(a, {}):
                for entry in self._candidate(min(a, other), max(a, other)):
                    heapq.heappush(heap, entry)

    def clusters(self) -> list[Cluster]:
        """What came out, with the reason of each member."""
        found = []
        for group in self.groups.values():
            members = tuple(sorted(group.members))
            found.append(Cluster(members, {key: self._reason(key, group) for key in members}))
        return sorted(found, key=lambda c: c.members)

    def questions(self) -> list[Question]:
        """The best pair between two groups that evidence, but not certainty, ties together."""
        best: dict[tuple[int, int], tuple[float, Pair]] = {}
        for (left, right), found in self.evidence.items():
            if found.score < self.bounds.review or left not in self.owner or right not in self.owner:
                continue
            a, b = sorted((self.owner[left], self.owner[right]))
            rank = (-found.score, (left, right))
            if a != b and ((a, b) not in best or rank < (-best[a, b][0], best[a, b][1])):
                best[a, b] = (found.score, (left, right))
        asked = []
        for (a, b), (score, (left, right)) in best.items():
            if not self._enemies(self.groups[a], self.groups[b]):
                asked.append(Question(Kind.MATCH, left, right, self._doubt(a, b, score), score))
        return sorted(asked, key=lambda q: (q.left, q.right or q.left))

    def _connect(self) -> None:
        for (left, right), found in sorted(self.evidence.items()):
            a, b = self.owner.get(left), self.owner.get(right)
            if a is None or b is None or a == b:
                continue
            total, best, known = self.between.setdefault(a, {}).get(b, (0.0, -CLIP, 0))
            score = max(-CLIP, min(CLIP, found.score))
            self.between[a][b] = self.between.setdefault(b, {})[a] = (total + score, max(best, found.score), known + 1)

    def _reconnect(self, a: int, b: int) -> None:
        """Move what tied `b` to others over to `a`."""
        for other, (total, best, known) in self.between.pop(b, {}).items():
            row = self.between.setdefault(other, {})
            row.pop(b, None)
            if other == a:
                continue
            had = self.between.setdefault(a, {}).get(other, (0.0, -CLIP, 0))
            both = (had[0] + total, max(had[1], best), had[2] + known)
            self.between[a][other] = row[a] = both

    def _candidate(self, a: int, b: int) -> list[tuple[float, int, int, int, int]]:
        """A heap entry for two groups, unless they have no pair that is certain or the whole speaks against."""
        total, best, known = self.between[a][b]
        size_a, size_b = len(self.groups[a].members), len(self.groups[b].members)
        total += ABSENT * (size_a * size_b - known)
        if best < self.bounds.match or total <= 0:
            return []
        return [(-round(total / (size_a * size_b), 9), a, b, size_a, size_b)]

    def _current(self, index: int, size: int) -> bool:
        return index in self.groups and len(self.groups[index].members) == size

    def _forbidden(self, a: int, b: int) -> str | None:
        left, right = self.groups[a], self.groups[b]
        if self._enemies(left, right):
            return "a steward said that they are different"
        if not (left.published <= right.published or right.published <= left.published):
            return "both are published"  # a decision that joined two of them brings all their records along
        for name, values in left.exclusive.items():
            other = right.exclusive.get(name)
            if other and values != other:
                return f"different {name}"
        return None

    @staticmethod
    def _enemies(left: _Group, right: _Group) -> bool:
        return not left.enemies.isdisjoint(right.members) or not right.enemies.isdisjoint(left.members)

    def _absorb(self, a: int, b: int) -> None:
        gone, kept = self.groups.pop(b), self.groups[a]
        for key in gone.members:
            self.owner[key] = a
        kept.members += gone.members
        kept.published |= gone.published
        kept.enemies |= gone.enemies
        kept.decided |= gone.decided
        for name, values in gone.exclusive.items():
            kept.exclusive.setdefault(name, set()).update(values)

    def _reason(self, key: SourceKey, group: _Group) -> str:
        if len(group.members) == 1:
            return "alone"
        return "decision" if key in group.decided else "evidence"

    def _doubt(self, a: int, b: int, score: float) -> str:
        forbidden = self._forbidden(a, b)
        if forbidden:
            return forbidden
        return "not certain" if score < self.bounds.match else "the group as a whole is not convincing"
