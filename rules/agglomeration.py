"""Groups that join, the best mean first, while what speaks between them is positive in sum: on square arrays.

A group is a row. Joining two of `n` groups costs a few passes over one row, so all of a component costs
about n² steps, whatever the evidence; a component is at most `clustering.LARGEST` groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Square = NDArray[np.float64]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
NEVER = -np.inf


@dataclass(frozen=True, slots=True)
class Groups:
    """What is known of each two of `n` groups. All squares are symmetric; joining writes into them."""

    total: Square  # the sum of the evidence between their members, in log-odds
    best: Square  # the strongest evidence between two of their members
    apart: Mask  # what forbids them, and whatever either becomes a part of
    rival: Mask  # published records that forbid them, of which the larger group's word stands
    size: Numbers  # members of each
    published: Numbers  # published records of each

    def join(self, a: int, b: int) -> None:
        """Make one group of two, under the first's number."""
        for square, together in ((self.total, np.add), (self.best, np.maximum), (self.apart, np.logical_or)):
            together(square[a], square[b], out=square[a])
            square[:, a] = square[a]
        if self.published[b] > self.published[a]:
            self.rival[a] = self.rival[:, a] = self.rival[b]
            self.published[a] = self.published[b]
        self.size[a] += self.size[b]
        self.apart[b] = self.apart[:, b] = True  # it is no more

    def means(self, rows: slice, match: float) -> Square:
        """The mean evidence between these groups and every group, `NEVER` for those that may not join."""
        total, best = self.total[rows], self.best[rows]
        may = (best >= match) & (total > 0) & ~self.apart[rows] & ~self.rival[rows]
        return np.where(may, np.round(total / (self.size[rows, None] * self.size), 9), NEVER)


def agglomerate(groups: Groups, match: float) -> Numbers:
    """For each group the one that it ends up in, named by its smallest number; ties go to the smaller numbers.

    Two groups may join when some evidence between them is at least `match`, in log-odds.
    """
    if not groups.apart.any() and not groups.rival.any() and groups.total.min() > 0:
        return np.zeros(len(groups.size), np.int64)  # they hang together, and nothing speaks against any two
    np.fill_diagonal(groups.apart, True)
    mean = groups.means(slice(None), match)
    at, into = mean.argmax(1), np.arange(len(mean))
    top = mean[np.arange(len(mean)), at]
    while top[a := int(top.argmax())] > NEVER:
        b = int(at[a])  # larger than a, or that row would have come first
        into[into == b] = a
        groups.join(a, b)
        mean[b] = mean[:, b] = NEVER
        mean[a] = mean[:, a] = groups.means(slice(a, a + 1), match)[0]
        _follow(mean, at, top, (a, b))
    return into


def _follow(mean: Square, at: Numbers, top: NDArray[np.float64], joined: tuple[int, int]) -> None:
    """Bring each group's best partner up to date after a join."""
    a, b = joined
    row = mean[a]
    ours = (at == a) | (at == b)
    better = (row > top) | ((row == top) & (ours | (a < at)))
    stale = ours & ~better
    at[better], top[better] = a, row[better]
    stale[[a, b]] = True
    rows = np.flatnonzero(stale)
    at[rows] = mean[rows].argmax(1)
    top[rows] = mean[rows, at[rows]]
