"""What agreement and disagreement weigh: Fellegi-Sunter weights, learned without labels.

u (how often a level occurs between different things) is counted on random pairs and, for equality, from
how often values are shared; m (how often between the same) is learned by expectation-maximisation over
the candidates with the share of true pairs among *all* pairs as prior, so that the choice of candidates
does not bend it. Sources: Fellegi and Sunter 1969; Winkler 2000 for EM; `README.md` for what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rules.match.columns import mixed
from rules.match.plan import Alternative, Family

Numbers = NDArray[np.float32]
Levels = NDArray[np.int8]

DAMPED, DAMPED_AGAINST = 0.35, 0.3  # what a second voice of one family still counts, for and against
SHARP = 2.0  # log-odds count so much while learning: many hardly likely pairs shall not add up to a few likely ones
ROUNDS = 60
PRIOR_WEIGHT = 200.0  # pairs' worth of belief that equality is likelier among true pairs
UNSEEN = 1e-6  # the chance of a level that random pairs did not show


@dataclass(slots=True)
class Weights:
    """The learned model: log-odds of each level of each comparison, and of a pair drawn by chance."""

    levels: dict[str, Numbers]
    prior: float  # log-odds that two rows drawn by chance are the same
    m: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    u: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    values: dict[str, Numbers] = field(default_factory=dict)  # what agreement on each value adds, by comparison


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known before learning: the levels of random pairs, and how many pairs there are."""

    chance: Mapping[str, Levels]  # levels of pairs drawn by chance
    tops: Mapping[str, int]  # the highest level of each comparison
    shared: Mapping[str, float]  # how likely two rows by chance have equal values
    rows: int
    every: float  # pairs that there are
    floor: Mapping[str, float]  # how likely equality by chance is at least
    least: Mapping[str, float]  # how much the disagreement of each comparison may say, in log-odds


def fit(
    candidates: Mapping[str, Levels],
    ground: Ground,
    families: Sequence[Family],
    rival: Rivals | None = None,
    times: NDArray[np.int64] | None = None,
) -> Weights:
    """Weights from the levels of the candidates and of random pairs.

    With `times`, candidates of the same levels are one, which counts so many times.

    Random pairs hold true pairs too, which matters where records are few or clusters large: what the true
    ones explain is taken off them in every round.
    """
    seen, weight = dict(candidates), np.ones(len(next(iter(candidates.values()))))
    if rival is None:  # pairs of one pattern of levels are one
        _, first, many = np.unique(_pattern(candidates), return_index=True, return_counts=True)
        seen = {name: level[first] for name, level in candidates.items()}
        weight = (many if times is None else times[first]).astype(np.float64)
    drawn = {name: _chances(ground.chance[name], top, ground.shared.get(name)) for name, top in ground.tops.items()}
    ramp = {name: _ramp(top) for name, top in ground.tops.items()}
    m, u, share = dict(ramp), dict(drawn), 0.3 * ground.rows / ground.every
    share = min(share, 0.3)
    for _ in range(ROUNDS):
        odds = total(_weights(m, u, share, ground.least), seen, families)
        p = (_alone(odds) if rival is None else rival.probability(odds)) * weight
        before, share = share, float(min(max(p.sum(), 1) / ground.every, 0.5))
        m = {name: _posterior(seen[name], p, ramp[name]) for name in ground.tops}
        u = {name: _unmixed(drawn[name], m[name], share, ground.floor[name]) for name in ground.tops}
        if abs(np.log(share / before)) < 1e-4:
            break
    return _weights(m, u, share, ground.least)


def _pattern(levels: Mapping[str, Levels]) -> NDArray[np.uint64]:
    """A number that pairs with the same level in every comparison share."""
    found = np.zeros(len(next(iter(levels.values()))), np.uint64)
    with np.errstate(over="ignore"):
        for level in levels.values():
            found = mixed(found * np.uint64(31) + (level + np.int8(1)).astype(np.uint64))
    return found


def _weights(
    m: dict[str, NDArray[np.float64]], u: dict[str, NDArray[np.float64]], share: float, least: Mapping[str, float]
) -> Weights:
    levels = {
        name: np.maximum(_rising(np.log(m[name] / u[name]), m[name] + u[name]), least[name]).astype(np.float32)
        for name in m
    }
    return Weights(levels, float(np.log(share / (1 - share))), m, u)


def _rising(weights: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest weights that never fall from one level to the next (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, size in zip(weights.tolist(), mass.tolist(), strict=True):
        blocks.append((value, size, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (v1, s1, n1), (v2, s2, n2) = blocks[-2:]
            blocks[-2:] = [((v1 * s1 + v2 * s2) / (s1 + s2), s1 + s2, n1 + n2)]
    return np.repeat([v for v, _, _ in blocks], [k for _, _, k in blocks])


def _unmixed(drawn: NDArray[np.float64], m: NDArray[np.float64], share: float, floor: float) -> NDArray[np.float64]:
    """The levels of random pairs without what the true pairs among them explain; equality not below its floor."""
    found = np.maximum((drawn - share * m) / (1 - share), np.minimum(drawn, UNSEEN))
    found[-1] = max(found[-1], min(drawn[-1], floor))
    return found / found.sum()


def _strength(odds: Numbers) -> NDArray[np.float64]:
    return np.exp(np.clip(SHARP * odds, -40, 40).astype(np.float64))


def _alone(odds: Numbers) -> NDArray[np.float64]:
    """How likely each pair is true, given its odds."""
    strength = _strength(odds)
    return strength / (1 + strength)


@dataclass(frozen=True, slots=True)
class Rivals:
    """Pairs that exclude each other where they share a row: their sources hold each thing once."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    rows: int

    def probability(self, odds: Numbers) -> NDArray[np.float64]:
        """How likely each pair is true, given its odds and those of its rivals."""
        strength = _strength(odds)
        left, right = np.bincount(self.i, strength, self.rows), np.bincount(self.j, strength, self.rows)
        return strength / (1 + np.maximum(left[self.i], right[self.j]))


def _chances(levels: Levels, top: int, shared: float | None) -> NDArray[np.float64]:
    found = np.bincount(levels[levels >= 0], minlength=top + 1) + 0.5
    found = found / found.sum()
    if shared is not None:
        found[top] = max(shared, 1e-9)
        found = found / found.sum()
    return found


def _ramp(top: int) -> NDArray[np.float64]:
    found = np.exp(np.linspace(0, 6, top + 1))
    return found / found.sum()


def _posterior(levels: Levels, p: NDArray[np.float64], ramp: NDArray[np.float64]) -> NDArray[np.float64]:
    spoken = levels >= 0
    found = np.bincount(levels[spoken], weights=p[spoken], minlength=len(ramp))
    return (found + PRIOR_WEIGHT * ramp) / (found.sum() + PRIOR_WEIGHT)


def parts(
    weights: Weights, levels: Mapping[str, Levels], extra: Mapping[str, Numbers] | None = None
) -> dict[str, Numbers]:
    """What each comparison says of each pair, in log-odds; silence is 0."""
    found = {}
    for name, level in levels.items():
        weight = np.r_[weights.levels[name], np.float32(0)][level]  # level -1 is the 0 at the end
        found[name] = weight + extra[name] if extra and name in extra else weight
    return found


def total(
    weights: Weights,
    levels: Mapping[str, Levels],
    families: Sequence[Family],
    extra: Mapping[str, Numbers] | None = None,
) -> Numbers:
    """The evidence of each pair, in log-odds: prior, then family by family."""
    said = parts(weights, levels, extra)
    size = len(next(iter(levels.values())))
    found = np.full(size, weights.prior, np.float32)
    for family in families:
        first, *others = [_damped(np.stack([sum(said[name] for name in group) for group in way])) for way in family]
        for way, value in zip(family[1:], others, strict=True):
            first = np.where(_replaces(levels, family[0], way, weights), np.maximum(first, value), first)
        found += first
    return found


def _replaces(
    levels: Mapping[str, Levels], first: Alternative, way: Alternative, weights: Weights
) -> NDArray[np.bool_]:
    """Where another way to look at a thing counts: the first is not spoken in full, or the other is nearly equal."""
    full = np.all([levels[name] >= 0 for name in first[0]], axis=0)
    sure = np.any([levels[name] >= len(weights.levels[name]) - 2 for name in way[0]], axis=0)
    found: NDArray[np.bool_] = ~full | sure
    return found


def _damped(groups: Numbers) -> Numbers:
    if len(groups) == 1:
        return groups[0]
    plus, minus = np.maximum(groups, 0), np.minimum(groups, 0)
    peak, pit = plus.max(0), minus.min(0)
    return peak + DAMPED * (plus.sum(0) - peak) + pit + DAMPED_AGAINST * (minus.sum(0) - pit)
