"""Rows and clusters that meet once more: equal rows, small components in full, large clusters by a few rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rules.match.candidates import Atoms, candidates
from rules.match.clusters import CLIP, clusters, components
from rules.match.columns import Rows, Table, distinct, mixed
from rules.match.plan import SEARCHED, Plan
from rules.match.scorer import Scorer

Numbers = NDArray[np.float32]
TWINS = 10  # rows that say the same in every field and take part all the same
COMPLETE = 60  # rows of a component in which every pair is compared
LARGE, ROUNDS = 5, 8  # rows that make a cluster large; rounds in which clusters meet
SPOKEN, SPOKEN_OF_MANY = 5, 3  # rows that speak for a cluster, in small and in large tables
FEWEST, MOST = 10, 60  # rows that may share a key, in large and in small tables


def twins(made: Plan, table: Table, kind: str) -> tuple[NDArray[np.bool_], Rows]:
    """Which rows take part, and for each row the first one that says the same in every field.

    Of rows that say the same, `TWINS` take part and the others follow the first one: a million identical
    records cost no more than ten.
    """
    n = len(table)
    pattern = np.zeros(n, np.uint64)
    spoken = np.zeros(n, bool)
    if kind != "dedupe" and table.sources is not None:
        pattern = mixed(table.sources.astype(np.uint64))
    for column in made.features.values():
        with np.errstate(over="ignore"):
            pattern = mixed(pattern * np.uint64(31) + column.codes.astype(np.int64).view(np.uint64))
        spoken |= column.codes >= 0
    order = np.argsort(pattern, kind="stable")
    start = np.flatnonzero(np.r_[True, pattern[order][1:] != pattern[order][:-1]]) if n else np.zeros(0, np.int64)
    first = np.repeat(start, np.diff(np.r_[start, n]))
    kept, twin = np.ones(n, bool), np.arange(n)
    kept[order[np.arange(n) - first >= TWINS]] = False
    twin[order] = order[first]
    twin[~spoken] = np.flatnonzero(~spoken)  # rows that say nothing are nobody's twins
    return kept & spoken, twin


def with_twins(scorer: Scorer, labels: Rows, kept: NDArray[np.bool_], twin: Rows) -> Rows:
    """The clusters with the rows that did not take part: with their twin if equality in all they say is enough."""
    late = np.flatnonzero(~kept & (twin != np.arange(len(labels))))
    if len(late):
        heads, where = np.unique(twin[late], return_inverse=True)
        sure = scorer(heads, heads) > 0
        labels = labels.copy()
        labels[late[sure[where]]] = labels[twin[late[sure[where]]]]
    return labels


def forced(labels: Rows, must: Sequence[NDArray[np.int32]]) -> Rows:
    """Clusters that hold one value of a field that joins whatever else differs are one."""
    for codes in must:
        rows = np.flatnonzero(codes >= 0)
        order = rows[np.argsort(codes[rows], kind="stable")]
        same = codes[order][1:] == codes[order][:-1]
        part = components(
            len(labels), np.r_[labels[order[:-1][same]], np.arange(len(labels))], np.r_[labels[order[1:][same]], labels]
        )
        first = np.full(part.max(initial=0) + 1, len(labels), np.int64)
        np.minimum.at(first, part, np.arange(len(labels)))
        labels = first[part]
    return labels


def completed(scorer: Scorer, n: int, i: Rows, j: Rows, odds: Numbers) -> tuple[Rows, Rows, Numbers]:
    """The pairs with all others that components of up to `COMPLETE` rows have: silence is not taken for agreement."""
    p, q = unmet(n, i, j, odds > 0)
    return (np.r_[i, p], np.r_[j, q], np.r_[odds, scorer(p, q)]) if len(p) else (i, j, odds)


def unmet(n: int, i: Rows, j: Rows, near: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """The pairs within components of up to `COMPLETE` rows that are not among the known ones, which are in order.

    The near pairs make the components.
    """
    part = components(n, i[near], j[near])
    size = np.bincount(part)
    order = np.argsort(part, kind="stable")
    start = np.r_[0, np.cumsum(size)[:-1]]
    found = []
    for s in np.unique(size[(size > 2) & (size <= COMPLETE)]).tolist():
        block = np.sort(order[start[size == s][:, None] + np.arange(s)], axis=1)
        x, y = np.triu_indices(s, 1)
        found.append((block[:, x] * n + block[:, y]).ravel())
    if not found:
        return i[:0], j[:0]
    known = i * n + j
    more = np.concatenate(found)
    at = np.minimum(np.searchsorted(known, more), len(known) - 1)
    more = more[known[at] != more]
    return more // n, more % n


def gathered(
    scorer: Scorer, keys: tuple[list[Atoms], list[Atoms], Rows], labels: Rows, known: tuple[Rows, Rows, Numbers]
) -> Rows:
    """Clusters that are one: large ones meet again by a few of their rows, so that none is too large to be whole."""
    n = len(labels)
    strong, _, order = keys
    for _ in range(ROUNDS):
        size = np.bincount(labels, minlength=n)
        large = size >= LARGE
        few = _representatives(labels, order, large)
        mask = np.zeros(n, bool)
        mask[few] = True
        found = candidates(n, [a.only(mask) for a in strong], [], order, MOST if n <= SEARCHED else FEWEST)
        i, j, odds = known
        near = (odds > 0) & (large[labels[i]] | large[labels[j]])
        a, b = np.r_[labels[found.i], labels[i[near]]], np.r_[labels[found.j], labels[j[near]]]
        pairs = distinct(np.minimum(a, b)[a != b] * n + np.maximum(a, b)[a != b])
        if not len(pairs):
            break
        weight = _between(scorer, pairs // n, pairs % n, labels, order)
        joined = clusters(n, pairs // n, pairs % n, weight)
        if (joined[labels] == labels).all():
            break
        labels = joined[labels]
    return labels


def _representatives(labels: Rows, order: Rows, wanted: NDArray[np.bool_]) -> Rows:
    """Of each wanted cluster a few rows, evenly over the order of their texts."""
    rows = np.flatnonzero(wanted[labels])
    rows = rows[np.lexsort((order[rows], labels[rows]))]
    head = labels[rows]
    start = np.flatnonzero(np.r_[True, head[1:] != head[:-1]]) if len(rows) else np.zeros(0, np.int64)
    size = np.diff(np.r_[start, len(rows)])
    spoken = SPOKEN if len(labels) <= SEARCHED else SPOKEN_OF_MANY
    at = start[:, None] + (np.arange(spoken) * (size[:, None] - 1)) // (spoken - 1)
    return distinct(rows[at.ravel()]) if len(rows) else rows


def _between(scorer: Scorer, left: Rows, right: Rows, labels: Rows, order: Rows) -> Numbers:
    """The mean evidence between clusters, from a few rows of each."""
    n = len(labels)
    wanted = np.zeros(n, bool)
    wanted[left] = wanted[right] = True
    few = _representatives(labels, order, wanted)
    few = few[np.argsort(labels[few], kind="stable")]
    asked = np.r_[left, right]
    start = np.searchsorted(labels[few], asked.astype(np.int64)).astype(np.int64).reshape(-1)
    end = np.searchsorted(labels[few], asked, side="right").astype(np.int64).reshape(-1)
    half = len(left)
    count = (end[:half] - start[:half]) * (end[half:] - start[half:])
    pair = np.repeat(np.arange(half), count)
    step = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    width = (end[half:] - start[half:])[pair]
    i, j = few[start[:half][pair] + step // width], few[start[half:][pair] + step % width]
    odds = np.clip(scorer(np.minimum(i, j), np.maximum(i, j)), -CLIP, CLIP)
    return (np.bincount(pair, odds, half) / count).astype(np.float32)
