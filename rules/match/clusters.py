"""Rows into clusters by correlation clustering, on arrays; pairs of two are settled without any search.

Two groups join, best mean evidence first, while the sum between them is positive. A pair that was never
compared counts `ABSENT`. A source that holds each thing once forbids two of its rows in one cluster.
The answer depends on the pairs alone: ties go to the smaller row.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from rules.match.columns import Rows

Numbers = NDArray[np.float32]
ABSENT = -1.5
CLIP = 8.0


def components(n: int, i: Rows, j: Rows) -> NDArray[np.int32]:
    """The connected component of each row."""
    graph = sparse.coo_matrix((np.ones(len(i), bool), (i, j)), shape=(n, n))
    found: NDArray[np.int32] = csgraph.connected_components(graph, directed=False)[1]
    return found


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one cluster may not hold: two rows of a duplicate-free source, two values of an exclusive field."""

    once: NDArray[np.int32] | None = None  # the duplicate-free source of each row, or -1
    exclusive: tuple[NDArray[np.int32], ...] = ()  # for each exclusive field the value of each row, or -1

    def allowed(self, i: Rows, j: Rows) -> NDArray[np.bool_]:
        """Which pairs may be in one cluster."""
        found = np.ones(len(i), bool)
        if self.once is not None:
            found &= (self.once[i] < 0) | (self.once[i] != self.once[j])
        for values in self.exclusive:
            found &= (values[i] < 0) | (values[j] < 0) | (values[i] == values[j])
        return found

    def held(self, row: int) -> tuple[set[int], ...]:
        """What a row holds of each bound."""
        first = () if self.once is None else ({int(self.once[row])} - {-1},)
        return (*first, *({int(values[row])} - {-1} for values in self.exclusive))

    def together(self, one: tuple[set[int], ...], other: tuple[set[int], ...]) -> bool:
        """Whether two clusters that hold these may become one."""
        start = 0
        if self.once is not None:
            start = 1
            if not one[0].isdisjoint(other[0]):
                return False
        return all(not a or not b or a == b for a, b in zip(one[start:], other[start:], strict=True))


def clusters(n: int, i: Rows, j: Rows, weight: Numbers, bounds: Bounds | None = None) -> Rows:
    """The cluster of each row, named by its smallest row. `weight` is in log-odds, above 0 for joining."""
    label = np.arange(n, dtype=np.int64)
    if bounds is not None:
        weight = np.where(bounds.allowed(i, j), weight, -CLIP).astype(np.float32)
    join = weight > 0
    part = components(n, i[join], j[join])
    size = np.bincount(part, minlength=1)
    inside = part[i] == part[j]
    i, j, weight = i[inside], j[inside], weight[inside]
    two = size[part[i]] == 2
    label[np.maximum(i[two], j[two])] = np.minimum(i[two], j[two])
    i, j, weight = i[~two], j[~two], weight[~two]
    order = np.lexsort((j, i, part[i]))
    i, j, weight = i[order], j[order], weight[order]
    edges = np.flatnonzero(np.r_[True, part[i][1:] != part[i][:-1], True]) if len(i) else np.zeros(1, np.int64)
    left, right, weights = i.tolist(), j.tolist(), weight.tolist()
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        for row, head in _agglomerated(left[a:b], right[a:b], weights[a:b], bounds):
            label[row] = head
    return label


def _agglomerated(
    left: Sequence[int], right: Sequence[int], weight: Sequence[float], bounds: Bounds | None
) -> list[tuple[int, int]]:
    """(row, smallest row of its cluster) for the rows of one component."""
    near: dict[int, dict[int, tuple[float, int]]] = {}
    heap: list[tuple[float, int, int, int, int]] = []
    for a, b, w in zip(left, right, weight, strict=True):
        near.setdefault(a, {})[b] = near.setdefault(b, {})[a] = (max(-CLIP, min(CLIP, w)), 1)
        if w > 0:
            heap.append((-w, a, b, 1, 1))
    heapq.heapify(heap)
    members = {row: [row] for row in near}
    held = {row: bounds.held(row) for row in near} if bounds is not None else None
    while heap:
        _, a, b, size_a, size_b = heapq.heappop(heap)
        if a not in members or b not in members or len(members[a]) != size_a or len(members[b]) != size_b:
            continue
        if held is not None and bounds is not None:
            if not bounds.together(held[a], held[b]):
                continue
            held[a] = tuple(x | y for x, y in zip(held[a], held.pop(b), strict=True))
        members[a] += members.pop(b)
        _moved(near, a, b)
        for other, (w, known) in near[a].items():
            pairs = len(members[a]) * len(members[other])
            total = w + ABSENT * (pairs - known)
            if total > 0:
                x, y = min(a, other), max(a, other)
                heapq.heappush(heap, (-total / pairs, x, y, len(members[x]), len(members[y])))
    return [(row, min(rows)) for rows in members.values() for row in rows]


def _moved(near: dict[int, dict[int, tuple[float, int]]], a: int, b: int) -> None:
    """What tied `b` to others ties `a` now."""
    del near[a][b]
    for other, (w, known) in near.pop(b).items():
        if other == a:
            continue
        w0, known0 = near[a].get(other, (0.0, 0))
        near[a][other] = near[other][a] = (w0 + w, known0 + known)
        del near[other][b]
