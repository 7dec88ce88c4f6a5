"""A table matched from end to end: profile, plan, candidates, levels, weights, clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.match.candidates import Atoms, Cost, atoms, candidates, random_pairs, sound
from rules.match.clusters import CLIP, Bounds, clusters, components
from rules.match.columns import Column, Rows, Table, distinct, mixed
from rules.match.evidence import COSINE_EDGES, COSINE_LEAST, MEASURES, Side, cosine_levels, levels
from rules.match.fit import Ground, Rivals, Weights, fit, total
from rules.match.plan import SEARCHED, Comparison, Plan, plan
from rules.match.profile import Profile, profile
from rules.match.spec import Spec, weights_of
from rules.match.similar import Weighted, weighted

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]  # map, or one that uses several processors
Numbers = NDArray[np.float32]
Levels = NDArray[np.int8]
CHANCE = 300_000  # random pairs; all pairs where there are no more
NEAREST = 10
WORTH_SPREADING = 100_000  # pairs from which a second processor pays
RARE = 1.0  # how much of the rarity of an agreed value counts
NAMING = frozenset({"email", "phone", "identifier"})  # what should name one thing alone
GENERIC = 4  # names that share a value before it is nobody's own
RARE_LIMIT = 4.0
SEVERAL, COMMON, DRAWN = 25, 300, 100  # rows that make a value common; such values, and pairs of each, that are looked at
FEWEST, MOST, ROOM = 10, 60, 1_000_000  # rows that may share a key: in large and small tables; about this many times rows in all
TWINS = 10  # rows that say the same in every field and take part all the same
SURE = 8.0  # log-odds from which a pair is sure
COMPLETE = 60  # rows of a component in which every pair is compared
LARGE, SPOKEN, ROUNDS = 5, 5, 8  # rows that make a cluster large; rows that speak for it; rounds in which clusters meet


@dataclass(slots=True)
class Scorer:
    """Gives the evidence of any pairs of rows of one table."""

    plan: Plan
    texts: dict[str, Weighted]
    generic: dict[str, NDArray[np.bool_]]
    spread: Spread = map
    sides: dict[str, Side] = field(default_factory=dict)
    weights: Weights | None = None

    def side(self, feature: str) -> Side:
        """The forms of a feature's values."""
        return self.sides.setdefault(feature, Side(self.plan.features[feature].texts))

    def levels(self, i: Rows, j: Rows) -> dict[str, Levels]:
        """The level of each comparison for each pair."""
        names = [c.name for c in self.plan.compare]
        spread = self.spread if len(i) > WORTH_SPREADING else map
        return dict(zip(names, spread(lambda c: self._levels(c, i, j), self.plan.compare), strict=True))

    def _levels(self, comparison: Comparison, i: Rows, j: Rows) -> Levels:
        columns = {f: self.plan.features[f] for f in comparison.features}
        first = columns[comparison.features[0]]
        if comparison.kind == "cosine":
            return cosine_levels(self.texts[comparison.name], first, i, j)
        measure, best = MEASURES[comparison.kind], np.full(len(i), -1, np.int8)
        for one, left in columns.items():
            for other, right in columns.items():
                best = np.maximum(best, levels(measure, left, right, (self.side(one), self.side(other)), (i, j)))
        if comparison.kind in NAMING:
            shared = (first.codes[i] == first.codes[j]) & (first.codes[i] >= 0)
            shared &= self.generic[comparison.features[0]][np.maximum(first.codes[i], 0)] if len(first.texts) else False
            best = np.where(best > 0, best + 1, best).astype(np.int8)  # a level of its own for values that are nobody's own
            best[shared] = 1
        return best

    def odds(self, seen: Mapping[str, Levels], i: Rows) -> Numbers:
        """The log-odds of each pair from its levels."""
        assert self.weights is not None
        return total(self.weights, seen, self.plan.families, _rarity(self.plan, seen, self.weights, i))

    def __call__(self, i: Rows, j: Rows) -> Numbers:
        """The log-odds of each pair."""
        return self.odds(self.levels(i, j), i) if len(i) else np.zeros(0, np.float32)


@dataclass(slots=True)
class Result:
    """What was found, and everything that the report shows. Pairs are rows `i` < `j`, in order."""

    labels: Rows  # the smallest row of each row's cluster
    i: Rows
    j: Rows
    odds: Numbers  # log-odds of each pair
    levels: dict[str, Levels]
    scorer: Scorer
    profiles: dict[str, Profile]
    costs: list[Cost]
    spec: Spec
    once: bool = False  # whether sources were taken to hold each thing once

    @property
    def plan(self) -> Plan:
        """What was compared."""
        return self.scorer.plan

    @property
    def weights(self) -> Weights:
        """What each level weighs."""
        assert self.scorer.weights is not None
        return self.scorer.weights


def match(table: Table, spec: Spec | None = None, *, mark: Callable[[str], None] = lambda _: None, spread: Spread = map) -> Result:
    """The table's clusters, unsupervised where the spec has no model. Same table and spec, same answer.

    `mark` is told each step that is done; `spread` is a `map` that may use several processors.
    """
    spec = spec or Spec()
    n, kind = len(table), spec.kind or "dedupe"
    profiles = profiled(table, spec)
    made = plan(table, profiles)
    mark("profile")
    side = table.sources if kind == "link" else None
    kept, twin = _twins(made, table, kind)
    keys = _keys(made, n, kept)
    i, j, costs = _candidates(made, keys, n, side)
    mark("candidates")
    scorer = Scorer(made, {c.name: weighted(made.features[c.features[0]].texts) for c in made.compare if c.kind == "cosine"}, _generic(made), spread)
    seen = scorer.levels(i, j)
    mark("compare")
    scorer.weights = _weights(scorer, spec, seen, (i, j, side), n)
    odds = scorer.odds(seen, i)
    mark("weigh")
    once = _once(table, spec, i, j, odds)
    bounds = Bounds(once, tuple(table.columns[c].codes for c in spec.must_not))
    p, q, weight = (i, j, odds) if kind == "link" else _completed(scorer, n, i, j, odds)
    labels = clusters(n, p, q, weight - np.float32(spec.match), bounds)
    mark("cluster")
    if once is None and not spec.must_not:
        labels = _gathered(scorer, keys, labels, (p, q, weight))
    labels = _forced(_with_twins(scorer, labels, kept, twin), [table.columns[c].codes for c in spec.must])
    mark("gather")
    return Result(labels, i, j, odds, seen, scorer, profiles, costs, spec, once is not None)


def profiled(table: Table, spec: Spec) -> dict[str, Profile]:
    """What each column holds, the spec's word first. Columns to ignore are left out."""
    found = {}
    for name, column in table.columns.items():
        told = spec.columns.get(name)
        if told != "ignore":
            one = profile(column)
            found[name] = replace(one, kind=told, why="the spec says so") if told and one.kind != "empty" else one
    return found


def _weights(scorer: Scorer, spec: Spec, seen: Mapping[str, Levels], pairs: tuple[Rows, Rows, NDArray[np.int32] | None], n: int) -> Weights:
    """The spec's model if it has one, else weights fitted to these candidates."""
    i, j, side = pairs
    names = {c.name for c in scorer.plan.compare}
    if spec.model is not None and names == spec.model.levels.keys():
        weights = weights_of(spec.model)
    elif not len(i):
        weights = Weights({c.name: np.zeros(tops + 1, np.float32) for c, tops in zip(scorer.plan.compare, _tops(scorer.plan), strict=True)}, -20.0)
    else:
        weights = fit(seen, _ground(scorer, n, side, spec.seed), scorer.plan.families, Rivals(i, j, n, side is not None))
    scorer.weights = weights
    if len(i):
        weights.values = _worth(scorer, spec.seed)
    return weights


def _tops(made: Plan) -> list[int]:
    return [len(COSINE_EDGES) + 1 if c.kind == "cosine" else MEASURES[c.kind].top + (c.kind in NAMING) for c in made.compare]


def _forced(labels: Rows, must: Sequence[NDArray[np.int32]]) -> Rows:
    """Clusters that hold one value of a field that joins whatever else differs are one."""
    for codes in must:
        rows = np.flatnonzero(codes >= 0)
        order = rows[np.argsort(codes[rows], kind="stable")]
        same = codes[order][1:] == codes[order][:-1]
        part = components(len(labels), np.r_[labels[order[:-1][same]], np.arange(len(labels))], np.r_[labels[order[1:][same]], labels])
        first = np.full(part.max(initial=0) + 1, len(labels), np.int64)
        np.minimum.at(first, part, np.arange(len(labels)))
        labels = first[part]
    return labels


def _ground(scorer: Scorer, n: int, side: NDArray[np.int32] | None, seed: int) -> Ground:
    made = scorer.plan
    chance = scorer.levels(*random_pairs(n, CHANCE, seed, side))
    tops = {c.name: top for c, top in zip(made.compare, _tops(made), strict=True)}
    least = {c.name: COSINE_LEAST.get(c.subject, -12.0) if c.kind == "cosine" else MEASURES[c.kind].least for c in made.compare}
    shared = {c.name: _shared(made, c) for c in made.compare}
    floor = {c.name: 0.0 if c.kind in NAMING else 0.25 / max(len(made.features[c.features[0]].texts), 1) for c in made.compare}
    every = n * (n - 1) / 2 if side is None else _across(side)
    return Ground(chance, tops, shared, n, every, floor, least)


def _completed(scorer: Scorer, n: int, i: Rows, j: Rows, odds: Numbers) -> tuple[Rows, Rows, Numbers]:
    """The pairs with all others that components of up to `COMPLETE` rows have: silence is not taken for agreement."""
    part = components(n, i[odds > 0], j[odds > 0])
    size = np.bincount(part)
    order = np.argsort(part, kind="stable")
    start = np.r_[0, np.cumsum(size)[:-1]]
    found = []
    for s in np.unique(size[(size > 2) & (size <= COMPLETE)]).tolist():
        block = np.sort(order[start[size == s][:, None] + np.arange(s)], axis=1)
        x, y = np.triu_indices(s, 1)
        found.append((block[:, x] * n + block[:, y]).ravel())
    if not found:
        return i, j, odds
    known = i * n + j
    more = np.concatenate(found)
    at = np.minimum(np.searchsorted(known, more), len(known) - 1)
    more = more[known[at] != more]
    p, q = more // n, more % n
    return np.r_[i, p], np.r_[j, q], np.r_[odds, scorer(p, q)]


def _gathered(scorer: Scorer, keys: tuple[list[Atoms], list[Atoms], Rows], labels: Rows, known: tuple[Rows, Rows, Numbers]) -> Rows:
    """Clusters that are one: large clusters meet again by a few of their rows, so that none is too large to be whole."""
    n = len(labels)
    strong, weak, order = keys
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
    """Of each wanted cluster up to `SPOKEN` rows, evenly over the order of their texts."""
    rows = np.flatnonzero(wanted[labels])
    rows = rows[np.lexsort((order[rows], labels[rows]))]
    head = labels[rows]
    start = np.flatnonzero(np.r_[True, head[1:] != head[:-1]]) if len(rows) else np.zeros(0, np.int64)
    size = np.diff(np.r_[start, len(rows)])
    at = start[:, None] + (np.arange(SPOKEN) * (size[:, None] - 1)) // max(SPOKEN - 1, 1)
    return distinct(rows[at.ravel()]) if len(rows) else rows


def _between(scorer: Scorer, left: Rows, right: Rows, labels: Rows, order: Rows) -> Numbers:
    """The mean evidence between clusters, from a few rows of each."""
    n = len(labels)
    wanted = np.zeros(n, bool)
    wanted[left] = wanted[right] = True
    few = _representatives(labels, order, wanted)
    few = few[np.argsort(labels[few], kind="stable")]
    start, end = np.searchsorted(labels[few], np.r_[left, right]), np.searchsorted(labels[few], np.r_[left, right], side="right")
    half = len(left)
    count = (end[:half] - start[:half]) * (end[half:] - start[half:])
    pair = np.repeat(np.arange(half), count)
    step = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    width = (end[half:] - start[half:])[pair]
    i, j = few[start[:half][pair] + step // width], few[start[half:][pair] + step % width]
    odds = np.clip(scorer(np.minimum(i, j), np.maximum(i, j)), -CLIP, CLIP)
    return (np.bincount(pair, odds, half) / count).astype(np.float32)


def _twins(made: Plan, table: Table, kind: str) -> tuple[NDArray[np.bool_], Rows]:
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
    return kept & spoken, twin


def _with_twins(scorer: Scorer, labels: Rows, kept: NDArray[np.bool_], twin: Rows) -> Rows:
    """The clusters with the rows that did not take part: with their twin if equality in all they say is enough."""
    late = np.flatnonzero(~kept & (twin != np.arange(len(labels))))
    if len(late):
        heads, where = np.unique(twin[late], return_inverse=True)
        sure = scorer(heads, heads) > 0
        labels = labels.copy()
        labels[late[sure[where]]] = labels[twin[late[sure[where]]]]
    return labels


def _keys(made: Plan, n: int, kept: NDArray[np.bool_]) -> tuple[list[Atoms], list[Atoms], Rows]:
    """The rows' keys, strong and weak, and their rank by text."""
    strong = [atoms(f"{f}|{p}", made.features[f], p).only(kept) for f, p in made.strong]
    weak = [atoms(f"{f}|{p}", made.features[f], p).only(kept) for f, p in made.weak]
    text = made.text
    if text is None:
        return strong, weak, np.arange(n)
    rank = np.argsort(np.argsort(np.array(text.texts, dtype=object), kind="stable"), kind="stable")
    return strong, weak, np.where(text.codes >= 0, rank[text.codes], -1).astype(np.int64)


def _candidates(made: Plan, keys: tuple[list[Atoms], list[Atoms], Rows], n: int, side: NDArray[np.int32] | None) -> tuple[Rows, Rows, list[Cost]]:
    found = candidates(n, *keys, min(max(ROOM // max(n, 1), FEWEST), MOST), sparing=n > SEARCHED)
    i, j, text = found.i, found.j, made.text
    if text is not None and n <= SEARCHED:
        x, y = _nearest_rows(weighted(text.texts), text.codes, side, n)
        both = distinct(np.r_[i * n + j, x * n + y])
        i, j = both // n, both % n
    if side is not None:
        across = side[i] != side[j]
        i, j = i[across], j[across]
    return i, j, found.costs


def _nearest_rows(found: Weighted, codes: NDArray[np.int32], side: NDArray[np.int32] | None, n: int) -> tuple[Rows, Rows]:
    rows = np.maximum(codes, 0)
    matrix = Weighted(found.matrix[rows], found.length[rows])
    return matrix.nearest(NEAREST, side)


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
        worth = weights.values.get(comparison.name)
        if worth is not None:
            equal = np.flatnonzero(seen[comparison.name] == len(weights.u[comparison.name]) - 1)
            more = np.zeros(len(i), np.float32)
            more[equal] = worth[made.features[comparison.features[0]].codes[i[equal]]]
            extra[comparison.name] = more
    return extra


def _worth(scorer: Scorer, seed: int) -> dict[str, Numbers]:
    """What agreement on each value is worth beyond agreement as such, by comparison.

    By how rare the value is; for common ones by what the other fields say of rows that share it: a name may
    be common because many bear it or because one thing has many rows.
    """
    made, weights = scorer.plan, scorer.weights
    assert weights is not None
    found: dict[str, Numbers] = {}
    for comparison in made.compare:
        column, u = made.features[comparison.features[0]], weights.u[comparison.name]
        if len(column.texts) < 5 or len(comparison.features) > 1 or comparison.kind in NAMING or comparison.subject in ("title", "text"):
            continue
        counts = column.counts()
        worth = RARE * np.clip(np.log(u[-1] / (counts / max(counts.sum(), 1))), -RARE_LIMIT, RARE_LIMIT)
        common = np.argsort(-counts, kind="stable")[:COMMON]
        common = common[counts[common] >= SEVERAL]
        if len(common):
            base = weights.prior + float(weights.levels[comparison.name][-1])
            worth[common] = _common_worth(scorer, comparison.name, column, common, base + worth[common], seed) - base
        found[comparison.name] = worth.astype(np.float32)
    return found


def _common_worth(scorer: Scorer, name: str, column: Column, common: Rows, start: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The log-odds that two rows that share a common value are one, from the other fields of pairs drawn among them."""
    chance = np.random.default_rng(seed)
    order = np.argsort(column.codes, kind="stable")
    first, last = np.searchsorted(column.codes[order], common), np.searchsorted(column.codes[order], common, side="right")
    which = np.repeat(np.arange(len(common)), DRAWN)
    size = (last - first)[which]
    i = order[first[which] + (chance.random(len(which)) * size).astype(np.int64)]
    j = order[first[which] + (chance.random(len(which)) * size).astype(np.int64)]
    keep = i != j
    i, j, which = i[keep], j[keep], which[keep]
    seen = scorer.levels(np.minimum(i, j), np.maximum(i, j))
    seen[name] = np.full(len(i), -1, np.int8)
    assert scorer.weights is not None
    ratio = np.exp(np.clip(total(scorer.weights, seen, scorer.plan.families) - scorer.weights.prior, -20, 20).astype(np.float64))
    drawn = np.bincount(which, minlength=len(common))
    belief = 1 / (1 + np.exp(-start))
    share = belief.copy()
    for _ in range(40):
        p = share[which] * ratio / (share[which] * ratio + 1 - share[which])
        share = (np.bincount(which, p, len(common)) + 1) / (drawn + 1 / belief)
        share = np.clip(share, 1e-9, 1 - 1e-9)
    return np.log(share / (1 - share))


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
            pairs = distinct(column.codes[both].astype(np.int64) * (heard.max(initial=0) + 1) + heard[both])
            found[feature] = np.bincount(pairs // (heard.max(initial=0) + 1), minlength=len(column.texts)) > GENERIC
    return found


def _names(made: Plan) -> list[str]:
    return [f for c in made.compare if c.kind in ("organisation", "person") for f in c.features]


def _across(side: NDArray[np.int32]) -> float:
    sizes = np.bincount(side).astype(np.float64)
    return float((sizes.sum() ** 2 - (sizes**2).sum()) / 2)


def _once(table: Table, spec: Spec, i: Rows, j: Rows, odds: Numbers) -> NDArray[np.int32] | None:
    """The duplicate-free source of each row: as the spec says; every source when linking; else where sure pairs hardly occur."""
    if table.sources is None:
        return None
    if spec.once is not None:
        said = np.array([name in spec.once for name in table.source_names])
        return np.where(said[table.sources], table.sources, -1).astype(np.int32) if said.any() else None
    if spec.kind == "link":
        return table.sources
    sure = odds > SURE
    inside = table.sources[i] == table.sources[j]
    sizes = np.bincount(table.sources).astype(np.float64)
    expected = float((sizes**2).sum() / sizes.sum() ** 2)
    if len(sizes) < 2 or sure.sum() < 20 or (inside & sure).sum() > 0.1 * expected * sure.sum():
        return None
    return table.sources
