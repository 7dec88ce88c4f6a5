"""What a person's answers say about the evidence: where the band should begin, and how well it did before.

A straight line through log-odds and answers (Platt 1999), held near "as it is" by a prior worth a few answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
HELD = 2.0  # how firmly the line is held to slope 1 and shift 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """From where on to join, in the log-odds of the model, and the share of right answers before and after."""

    match: float
    before: float
    after: float
    answers: int


def calibrated(odds: Numbers, same: NDArray[np.bool_], match: float) -> Calibration:
    """The band that fits the answers: `odds` are the model's of the pairs asked, `match` is where joining began."""
    slope, shift = 1.0, 0.0
    x, y = odds - match, same.astype(np.float64)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(slope * x + shift, -40, 40)))
        weight = np.maximum(p * (1 - p), 1e-9)
        gradient = np.array([((y - p) * x).sum() - HELD * (slope - 1), (y - p).sum() - HELD * 0.1 * shift])
        curve = np.array(
            [[(weight * x * x).sum() + HELD, (weight * x).sum()], [(weight * x).sum(), weight.sum() + HELD * 0.1]]
        )
        step = np.linalg.solve(curve, gradient)
        slope, shift = max(slope + float(step[0]), 0.05), shift + float(step[1])
        if float(np.abs(step).max()) < 1e-6:
            break
    begin = match - shift / slope
    return Calibration(
        round(begin, 3),
        float(((odds >= match) == same).mean()) if len(odds) else 1.0,
        float(((odds >= begin) == same).mean()) if len(odds) else 1.0,
        len(odds),
    )


def informative(odds: NDArray[np.float32], match: float, count: int) -> NDArray[np.int64]:
    """Places of the pairs whose answer would tell most: nearest to the band, the surer ones thinned out."""
    order = np.argsort(np.abs(odds - np.float32(match)), kind="stable")
    steps = (np.arange(count) ** 1.5).astype(np.int64)
    return order[np.unique(steps[steps < len(order)])]
