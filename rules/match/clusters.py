"""Rows into clusters by correlation clustering, on arrays; pairs of two are settled without any search.

Two groups join, best mean evidence first, while the sum between them is positive. A pair that was never
compared counts `ABSENT`. A source that holds each thing once forbids two of its rows in one cluster.
The answer depends on the pairs alone: ties go to the smaller row.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

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


def clusters(n: int, i: Rows, j: Rows, weight: Numbers, once: NDArray[np.int32] | None = None, rank: Numbers | None = None,
             absent: float = ABSENT) -> Rows:  # fmt: skip
    """The cluster of each row, named by its smallest row.

    `weight` is in log-odds; `once` gives for each row the number of its duplicate-free source, or -1;
    `rank` replaces the weight in the order of joining.
    """
    label = np.arange(n, dtype=np.int64)
    join = weight > 0
    if once is not None:
        join &= (once[i] < 0) | (once[i] != once[j])
    part = components(n, i[join], j[join])
    size = np.bincount(part, minlength=1)
    inside = part[i] == part[j]
    i, j, weight = i[inside], j[inside], weight[inside]
    rank = weight if rank is None else rank[inside]
    two = size[part[i]] == 2
    pair = two & (weight > 0)
    label[np.maximum(i[pair], j[pair])] = np.minimum(i[pair], j[pair])
    rest = ~two
    order = np.lexsort((j[rest], i[rest], part[i[rest]]))
    i, j, weight, rank, = i[rest][order], j[rest][order], weight[rest][order], rank[rest][order]
    bounds = np.flatnonzero(np.r_[True, part[i][1:] != part[i][:-1], True]) if len(i) else np.zeros(1, np.int64)
    left, right, weights, ranks = i.tolist(), j.tolist(), np.clip(weight, -CLIP, CLIP).tolist(), rank.tolist()
    kinds = once.tolist() if once is not None else None
    for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        for row, head in _agglomerated(left[a:b], right[a:b], weights[a:b], ranks[a:b], kinds, absent):
            label[row] = head
    return label


def _agglomerated(left: Sequence[int], right: Sequence[int], weight: Sequence[float], rank: Sequence[float],
                  once: Sequence[int] | None, absent: float) -> list[tuple[int, int]]:  # fmt: skip
    """(row, smallest row of its cluster) for the rows of one component."""
    near: dict[int, dict[int, tuple[float, int, float]]] = {}
    heap: list[tuple[float, int, int, int, int]] = []
    for a, b, w, r in zip(left, right, weight, rank, strict=True):
        near.setdefault(a, {})[b] = near.setdefault(b, {})[a] = (w, 1, r)
        if w > 0:
            heap.append((-r, a, b, 1, 1))
    heapq.heapify(heap)
    members = {row: [row] for row in near}
    held = {row: {once[row]} - {-1} for row in near} if once is not None else None
    while heap:
        _, a, b, size_a, size_b = heapq.heappop(heap)
        if a not in members or b not in members or len(members[a]) != size_a or len(members[b]) != size_b:
            continue
        if held is not None:
            if not held[a].isdisjoint(held[b]):
                continue
            held[a] |= held.pop(b)
        members[a] += members.pop(b)
        _moved(near, a, b)
        for other, (w, known, r) in near[a].items():
            pairs = len(members[a]) * len(members[other])
            if w + absent * (pairs - known) > 0:
                x, y = min(a, other), max(a, other)
                heapq.heappush(heap, (-(r + absent * (pairs - known)) / pairs, x, y, len(members[x]), len(members[y])))
    return [(row, min(rows)) for rows in members.values() for row in rows]


def _moved(near: dict[int, dict[int, tuple[float, int, float]]], a: int, b: int) -> None:
    """What tied `b` to others ties `a` now."""
    del near[a][b]
    for other, (w, known, r) in near.pop(b).items():
        if other == a:
            continue
        w0, known0, r0 = near[a].get(other, (0.0, 0, 0.0))
        near[a][other] = near[other][a] = (w0 + w, known0 + known, r0 + r)
        del near[other][b]
