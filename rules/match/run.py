"""A table matched from end to end: profile, plan, candidates, levels, weights, clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rules.match.candidates import Atoms, Cost, atoms, candidates, random_pairs
from rules.match.clusters import Bounds, clusters
from rules.match.columns import Rows, Table, distinct
from rules.match.evidence import COSINE_LEAST, MEASURES
from rules.match.fit import Ground, Rivals, Weights, fit
from rules.match.meeting import FEWEST, MOST, completed, forced, gathered, twins, with_twins
from rules.match.plan import SEARCHED, Plan, plan
from rules.match.profile import Profile, profile
from rules.match.scorer import NAMING, Levels, Numbers, Scorer, Spread, generic, shared, tops, worth
from rules.match.similar import Weighted, weighted
from rules.match.spec import Spec, weights_of

CHANCE = 300_000  # random pairs; all pairs where there are no more
NEAREST = 10  # texts searched for by their words and letters
ROOM = 1_000_000  # a key may be shared by about this many times the rows' number in all
SURE = 8.0  # log-odds from which a pair is sure


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
        return self.scorer.fitted


def match(
    table: Table, spec: Spec | None = None, *, mark: Callable[[str], None] = lambda _: None, spread: Spread = map
) -> Result:
    """The table's clusters, unsupervised where the spec has no model. Same table and spec, same answer.

    `mark` is told each step that is done; `spread` is a `map` that may use several processors.
    """
    spec = spec or Spec()
    n, kind = len(table), spec.kind or "dedupe"
    profiles = profiled(table, spec)
    made = plan(table, profiles, alone=spec.alone)
    mark("profile")
    side = table.sources if kind == "link" else None
    kept, twin = twins(made, table, kind)
    keys = _keys(made, n, kept)
    i, j, costs = _candidates(made, keys, n, side)
    mark("candidates")
    scorer = Scorer(made, _texts(made), generic(made), spread)
    seen = scorer.levels(i, j)
    mark("compare")
    scorer.weights = _weights(scorer, spec, seen, (i, j, side), n)
    odds = scorer.odds(seen, i)
    mark("weigh")
    once = _once(table, spec, i, j, odds)
    bounds = Bounds(once, tuple(table.columns[c].codes for c in spec.must_not))
    met = (i, j, odds) if kind == "link" else completed(scorer, n, i, j, odds)
    labels = clusters(n, met[0], met[1], met[2] - np.float32(spec.match), bounds)
    mark("cluster")
    if once is None and not spec.must_not:
        labels = gathered(scorer, keys, labels, met)
    labels = forced(with_twins(scorer, labels, kept, twin), [table.columns[c].codes for c in spec.must])
    mark("gather")
    return Result(labels, i, j, odds, seen, scorer, profiles, costs, spec, once is not None)


def _texts(made: Plan) -> dict[str, Weighted]:
    return {c.name: weighted(made.features[c.features[0]].texts) for c in made.compare if c.kind == "cosine"}


def profiled(table: Table, spec: Spec) -> dict[str, Profile]:
    """What each column holds, the spec's word first. Columns to ignore are left out."""
    found = {}
    for name, column in table.columns.items():
        told = spec.columns.get(name)
        if told != "ignore":
            one = profile(column)
            found[name] = replace(one, kind=told, why="the spec says so") if told and one.kind != "empty" else one
    return found


def _weights(
    scorer: Scorer, spec: Spec, seen: Mapping[str, Levels], pairs: tuple[Rows, Rows, NDArray[np.int32] | None], n: int
) -> Weights:
    """The spec's model if it has one, else weights fitted to these candidates."""
    i, j, side = pairs
    names = {c.name for c in scorer.plan.compare}
    if spec.model is not None and names == spec.model.levels.keys():
        weights = weights_of(spec.model)
    elif not len(i):
        weights = Weights(
            {
                c.name: np.zeros(top + 1, np.float32)
                for c, top in zip(scorer.plan.compare, tops(scorer.plan), strict=True)
            },
            -20.0,
        )
    else:
        weights = fit(
            seen, _ground(scorer, n, side, spec.seed), scorer.plan.families, Rivals(i, j, n, side is not None)
        )
    scorer.weights = weights
    if len(i):
        weights.values = worth(scorer, spec.seed)
    return weights


def _ground(scorer: Scorer, n: int, side: NDArray[np.int32] | None, seed: int) -> Ground:
    made = scorer.plan
    chance = scorer.levels(*random_pairs(n, CHANCE, seed, side))
    highest = {c.name: top for c, top in zip(made.compare, tops(made), strict=True)}
    least = {
        c.name: COSINE_LEAST.get(c.subject, -12.0) if c.kind == "cosine" else MEASURES[c.kind].least
        for c in made.compare
    }
    equal = {c.name: shared(made, c) for c in made.compare}
    floor = {
        c.name: 0.0 if c.kind in NAMING else 0.25 / max(len(made.features[c.features[0]].texts), 1)
        for c in made.compare
    }
    every = n * (n - 1) / 2 if side is None else _across(side)
    return Ground(chance, highest, equal, n, every, floor, least)


def _keys(made: Plan, n: int, kept: NDArray[np.bool_]) -> tuple[list[Atoms], list[Atoms], Rows]:
    """The rows' keys, strong and weak, and their rank by text."""
    strong = [atoms(f"{f}|{p}", made.features[f], p).only(kept) for f, p in made.strong]
    weak = [atoms(f"{f}|{p}", made.features[f], p).only(kept) for f, p in made.weak]
    text = made.text
    if text is None:
        return strong, weak, np.arange(n)
    rank = np.argsort(np.argsort(np.array(text.texts, dtype=object), kind="stable"), kind="stable")
    return strong, weak, np.where(text.codes >= 0, rank[text.codes], -1).astype(np.int64)


def _candidates(
    made: Plan, keys: tuple[list[Atoms], list[Atoms], Rows], n: int, side: NDArray[np.int32] | None
) -> tuple[Rows, Rows, list[Cost]]:
    found = candidates(n, *keys, min(max(ROOM // max(n, 1), FEWEST), MOST), sparing=n > SEARCHED)
    i, j, text = found.i, found.j, made.text
    if text is not None and n <= SEARCHED:
        x, y = _nearest_rows(weighted(text.texts), text.codes, side)
        both = distinct(np.r_[i * n + j, x * n + y])
        i, j = both // n, both % n
    if side is not None:
        across = side[i] != side[j]
        i, j = i[across], j[across]
    return i, j, found.costs


def _nearest_rows(found: Weighted, codes: NDArray[np.int32], side: NDArray[np.int32] | None) -> tuple[Rows, Rows]:
    rows = np.maximum(codes, 0)
    matrix = Weighted(found.matrix[rows], found.length[rows])
    return matrix.nearest(NEAREST, side)


def _across(side: NDArray[np.int32]) -> float:
    sizes = np.bincount(side).astype(np.float64)
    return float((sizes.sum() ** 2 - (sizes**2).sum()) / 2)


def _once(table: Table, spec: Spec, i: Rows, j: Rows, odds: Numbers) -> NDArray[np.int32] | None:
    """The duplicate-free source of each row: as the spec says; all when linking; else if sure pairs hardly occur."""
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
