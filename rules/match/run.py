"""A table matched from end to end: profile, plan, candidates, levels, weights, clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
from rules.match.scorer import NAMING, Counts, Levels, Numbers, Scorer, Spread, counted, generic, shared, tops, worth
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
        kind = spec.columns.get(name)
        if kind != "ignore":
            found[name] = profile(column).told(kind)
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
        weights = unfitted(scorer.plan)
    else:
        rivals = Rivals(i, j, n) if side is not None else None
        chance = scorer.levels(*random_pairs(n, CHANCE, spec.seed, side))
        known = ground(scorer.plan, chance, counted(scorer.plan), n, every_pair(n, side))
        weights = fit(seen, known, scorer.plan.families, rivals)
    scorer.weights = weights
    if len(i):
        weights.values = worth(scorer, spec.seed)
    return weights


def unfitted(made: Plan) -> Weights:
    """Weights where there is nothing to learn from."""
    return Weights(
        {c.name: np.zeros(top + 1, np.float32) for c, top in zip(made.compare, tops(made), strict=True)}, -20.0
    )


def ground(made: Plan, chance: Mapping[str, Levels], counts: Mapping[str, Counts], rows: int, every: float) -> Ground:
    """What is known before learning: the levels of pairs by chance and how often values are shared."""
    highest = {c.name: top for c, top in zip(made.compare, tops(made), strict=True)}
    least = {
        c.name: COSINE_LEAST.get(c.subject, -12.0) if c.kind == "cosine" else MEASURES[c.kind].least
        for c in made.compare
    }
    equal = {c.name: shared(counts, c) for c in made.compare}
    floor = {c.name: 0.0 if c.kind in NAMING else 0.25 / max(counts[c.features[0]].distinct, 1) for c in made.compare}
    return Ground(chance, highest, equal, rows, every, floor, least)


def every_pair(n: int, side: NDArray[np.int32] | None) -> float:
    """How many pairs of rows there are; across sources only where `side` is given."""
    if side is None:
        return n * (n - 1) / 2
    sizes = np.bincount(side).astype(np.float64)
    return float((sizes.sum() ** 2 - (sizes**2).sum()) / 2)


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
        x, y = nearest_rows(weighted(text.texts), text.codes, side)
        both = distinct(np.r_[i * n + j, x * n + y])
        i, j = both // n, both % n
    if side is not None:
        across = side[i] != side[j]
        i, j = i[across], j[across]
    return i, j, found.costs


def nearest_rows(found: Weighted, codes: NDArray[np.int32], side: NDArray[np.int32] | None) -> tuple[Rows, Rows]:
    """Pairs of rows, smaller first, of which one is among the most similar to the other by its text."""
    rows = np.maximum(codes, 0)
    matrix = Weighted(found.matrix[rows], found.length[rows])
    return matrix.nearest(NEAREST, side)


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
    inside = sure & (table.sources[i] == table.sources[j])
    return table.sources if once_each(np.bincount(table.sources), int(sure.sum()), int(inside.sum())) else None


def once_each(sizes: NDArray[np.int64], sure: int, inside: int) -> bool:
    """Whether sources of such sizes hold each thing once: of the sure pairs hardly any are inside one."""
    shares = sizes / sizes.sum()
    return len(sizes) >= 2 and sure >= 20 and inside <= 0.1 * float((shares**2).sum()) * sure
