"""A table matched from end to end: profile, plan, candidates, levels, weights, clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rules.match.candidates import Cost, atoms, candidates, random_pairs, sound
from rules.match.clusters import clusters, components
from rules.match.columns import Rows, Table
from rules.match.evidence import COSINE_EDGES, COSINE_LEAST, MEASURES, cosine_levels, levels
from rules.match.fit import Ground, Rivals, Weights, fit, total
from rules.match.plan import Comparison, Plan, plan
from rules.match.profile import Profile, profile
from rules.match.similar import Weighted, weighted

Numbers = NDArray[np.float32]
Levels = NDArray[np.int8]
CHANCE = 300_000  # random pairs; all pairs where there are no more
SEARCHED = 60_000  # distinct texts up to which similar ones are searched by words and letters
NEAREST = 10
RARE = 0.5  # how much of the rarity of an agreed value counts
NAMING = frozenset({"email", "phone", "identifier"})  # what should name one thing alone
GENERIC = 4  # names that share a value before it is nobody's own
RARE_LIMIT = 4.0


@dataclass(slots=True)
class Result:
    """What was found, and everything that the report shows."""

    labels: Rows
    i: Rows
    j: Rows
    odds: Numbers
    levels: dict[str, Levels]
    weights: Weights
    plan: Plan
    profiles: dict[str, Profile]
    costs: list[Cost]
    once: tuple[str, ...] = ()
    marks: dict[str, float] = field(default_factory=dict)


def match(table: Table, kind: str = "dedupe", seed: int = 1, mark: Callable[[str], None] = lambda _: None) -> Result:
    """The table's clusters, unsupervised. `kind` is dedupe, link (pairs across sources only) or multi."""
    n = len(table)
    profiles = {name: profile(column) for name, column in table.columns.items()}
    made = plan(table, profiles)
    mark("profile")
    side = table.sources if kind == "link" else None
    i, j, costs = _candidates(made, n, side)
    mark("candidates")
    texts = {c.name: weighted(made.features[c.features[0]].texts) for c in made.compare if c.kind == "cosine"}
    generic = _generic(made)
    a, b = random_pairs(n, CHANCE, seed, side)
    seen = {c.name: _levels(made, c, i, j, texts, generic) for c in made.compare}
    chance = {c.name: _levels(made, c, a, b, texts, generic) for c in made.compare}
    mark("compare")
    tops = {c.name: len(COSINE_EDGES) + 1 if c.kind == "cosine" else MEASURES[c.kind].top + (c.kind in NAMING) for c in made.compare}
    least = {c.name: COSINE_LEAST.get(c.subject, -12.0) if c.kind == "cosine" else MEASURES[c.kind].least for c in made.compare}
    shared = {c.name: _shared(made, c) for c in made.compare}
    floor = {c.name: 0.0 if c.kind in NAMING else 0.25 / max(len(made.features[c.features[0]].texts), 1) for c in made.compare}
    every = n * (n - 1) / 2 if side is None else _across(side)
    weights = fit(seen, Ground(chance, tops, shared, n, every, floor, least), made.families, Rivals(i, j, n, kind == "link"), seed)
    odds = total(weights, seen, made.families, _rarity(made, seen, weights, i))
    mark("weigh")
    once = _once(table, kind, i, j, odds)
    labels = clusters(n, i, j, odds, once)
    mark("cluster")
    return Result(labels, i, j, odds, seen, weights, made, profiles, costs)


def _candidates(made: Plan, n: int, side: NDArray[np.int32] | None) -> tuple[Rows, Rows, list[Cost]]:
    strong = [atoms(f"{f}|{p}", made.features[f], p) for f, p in made.strong]
    weak = [atoms(f"{f}|{p}", made.features[f], p) for f, p in made.weak]
    text = made.text
    if text is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), []
    alphabet = np.argsort(np.argsort(np.array(text.texts, dtype=object), kind="stable"), kind="stable")
    order = np.where(text.codes >= 0, alphabet[text.codes], -1).astype(np.int64)
    cap = 30 if n > 200_000 else 60
    found = candidates(n, strong, weak, order, cap)
    i, j = found.i, found.j
    if len(text.texts) <= SEARCHED:
        x, y = _nearest_rows(weighted(text.texts), text.codes, side, n)
        both = np.unique(np.r_[i * n + j, x * n + y])
        i, j = both // n, both % n
    if side is not None:
        across = side[i] != side[j]
        i, j = i[across], j[across]
    return i, j, found.costs


def _nearest_rows(found: Weighted, codes: NDArray[np.int32], side: NDArray[np.int32] | None, n: int) -> tuple[Rows, Rows]:
    rows = np.maximum(codes, 0)
    matrix = Weighted(found.matrix[rows], found.length[rows])
    return matrix.nearest(NEAREST, side)


def _levels(made: Plan, comparison: Comparison, i: Rows, j: Rows, texts: Mapping[str, Weighted],
            generic: Mapping[str, NDArray[np.bool_]]) -> Levels:  # fmt: skip
    if comparison.kind == "cosine":
        return cosine_levels(texts[comparison.name], made.features[comparison.features[0]], i, j)
    columns = [made.features[f] for f in comparison.features]
    best = np.full(len(i), -1, np.int8)
    for left in columns:
        for right in columns:
            best = np.maximum(best, levels(comparison.kind, left, right, i, j))
    if comparison.kind in NAMING:
        codes = columns[0].codes
        shared = (codes[i] == codes[j]) & (codes[i] >= 0) & generic[comparison.features[0]][codes[i]]
        best = np.where(best > 0, best + 1, best).astype(np.int8)  # a level of its own for values that are nobody's own
        best[shared] = 1
    return best


def _shared(made: Plan, comparison: Comparison) -> float:
    """How likely two rows that speak have the same value."""
    best = 0.0
    for feature in comparison.features:
        counts = made.features[feature].counts().astype(np.float64)
        spoken = counts.sum()
        if spoken > 1:
            best = max(best, float((counts * (counts - 1)).sum() / (spoken * (spoken - 1))))
    return min(max(best, 1e-9), MEASURES[comparison.kind].chance if comparison.kind in MEASURES else 1.0)


def _rarity(made: Plan, seen: Mapping[str, Levels], weights: Weights, i: Rows) -> dict[str, Numbers]:
    """What agreement on a rare value adds, and on a common one takes away."""
    extra: dict[str, Numbers] = {}
    for comparison in made.compare:
        column, u = made.features[comparison.features[0]], weights.u[comparison.name]
        if len(column.texts) < 5 or len(comparison.features) > 1 or comparison.kind in NAMING:
            continue
        equal = np.flatnonzero(seen[comparison.name] == len(u) - 1)
        counts = column.counts()
        share = counts / max(counts.sum(), 1)
        more = np.zeros(len(i), np.float32)
        more[equal] = RARE * np.clip(np.log(u[-1] / share[column.codes[i[equal]]]), -RARE_LIMIT, RARE_LIMIT)
        extra[comparison.name] = more
    return extra


def _generic(made: Plan) -> dict[str, NDArray[np.bool_]]:
    """Values of what should name one thing alone that rows of many different names share, by feature."""
    names = next((made.features[f] for f in ("family_name", *_names(made)) if f in made.features), None)
    found = {}
    for comparison in made.compare:
        if comparison.kind not in NAMING:
            continue
        for feature in comparison.features:
            column = made.features[feature]
            if names is None:
                found[feature] = column.counts() > 3 * GENERIC
                continue
            heard = names.map("sound", [" ".join(sorted({sound(w) for w in t.split()})) for t in names.texts]).codes
            both = (column.codes >= 0) & (heard >= 0)
            pairs = np.unique(column.codes[both].astype(np.int64) * (heard.max(initial=0) + 1) + heard[both])
            found[feature] = np.bincount(pairs // (heard.max(initial=0) + 1), minlength=len(column.texts)) > GENERIC
    return found


def _names(made: Plan) -> list[str]:
    return [f for c in made.compare if c.kind in ("organisation", "person") for f in c.features]


def _across(side: NDArray[np.int32]) -> float:
    sizes = np.bincount(side).astype(np.float64)
    return float((sizes.sum() ** 2 - (sizes**2).sum()) / 2)


def _once(table: Table, kind: str, i: Rows, j: Rows, odds: Numbers) -> NDArray[np.int32] | None:
    """The duplicate-free source of each row: every source when linking; otherwise those in which sure pairs hardly occur."""
    if table.sources is None:
        return None
    if kind == "link":
        return table.sources
    sure = odds > 8
    inside = table.sources[i] == table.sources[j]
    sizes = np.bincount(table.sources).astype(np.float64)
    expected = float((sizes**2).sum() / sizes.sum() ** 2)
    if len(sizes) < 2 or sure.sum() < 20 or (inside & sure).sum() > 0.1 * expected * sure.sum():
        return None
    return table.sources
