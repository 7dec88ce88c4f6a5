"""Two names alone, without a table around them: the same bearer or not.

Words are paired, best first, by spelling, sound, nickname, initial and by being written together or
apart. A word that finds no partner on either side is a conflict; one that is left over on one side only
says less of a person, who may leave names out, than of a company, where it often is the difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rules.compare import pairwise
from rules.match.candidates import sound
from rules.match.normal import organisation, person
from rules.match.words import NICKNAMES

PARTICLES = frozenset(
    "al el ul de da di do dos du la le von van der den bin ben ibn bint abu abd the of and y e zu av af st mac".split()
)
KINDS = ("person", "organisation")
MATCH, REVIEW = 0.7, 0.55  # scores from which two names are taken for one, or shown to a person
_LIGHT, _LEFT_OVER = 0.25, {"person": 0.28, "organisation": 0.9}


def score(left: Sequence[str], right: Sequence[str], kinds: Sequence[str]) -> NDArray[np.float32]:
    """How likely each pair of names has one bearer, 0 to 1. `kinds` tells for each pair a person or an organisation."""
    found = np.zeros(len(left), np.float32)
    for kind in KINDS:
        rows = [k for k, one in enumerate(kinds) if one == kind]
        form = person if kind == "person" else organisation
        a, b = form([left[k] for k in rows]), form([right[k] for k in rows])
        glued = (
            pairwise("jaro_winkler", [t.replace(" ", "") for t in a], [t.replace(" ", "") for t in b]) if rows else ()
        )
        for k, one, other, close in zip(rows, a, b, glued, strict=True):
            found[k] = _score(one.split(), other.split(), float(close), kind)
    return found


def _score(a: list[str], b: list[str], close: float, kind: str) -> float:
    if not a or not b:
        return 0.0
    if "".join(a) == "".join(b) or sorted(a) == sorted(b):
        return 1.0
    a, b = _together(list(dict.fromkeys(a)), list(dict.fromkeys(b)))
    pairs = sorted(
        ((_alike(x, y, kind), -abs(i - j), i, j) for i, x in enumerate(a) for j, y in enumerate(b)), reverse=True
    )
    left, right, good, weight = set(range(len(a))), set(range(len(b))), 0.0, 0.0
    solid = 0
    for alike, _, i, j in pairs:
        if alike < 0.5 or i not in left or j not in right:
            continue
        left.discard(i)
        right.discard(j)
        heavy = (_weight(a[i]) + _weight(b[j])) / 2
        good += alike * heavy
        weight += heavy
        solid += heavy >= 1 and alike > 0.6
    over, under = sum(_weight(a[i]) for i in left), sum(_weight(b[j]) for j in right)
    conflict, extra = min(over, under), abs(over - under)
    if kind == "person" and solid < 2 and extra >= 1 and len(a) + len(b) > 2:
        extra *= 3
    found = good / (weight + 1.6 * conflict + _LEFT_OVER[kind] * extra) if weight else 0.0
    if not solid and close < 0.9:
        found *= 0.6
    if conflict >= 1:
        found = min(found, REVIEW)
    return max(min(found, 1.0), 0.8 if close >= 0.97 and min(len(a), len(b)) == 1 else 0.0)


def _weight(word: str) -> float:
    if word in PARTICLES:
        return _LIGHT
    return 1.0 if len(word) > 1 else 0.6


def _together(a: list[str], b: list[str]) -> tuple[list[str], list[str]]:
    """Words written apart on one side as they are written on the other."""
    for mine, other in ((a, b), (b, a)):
        whole = set(other)
        for i in range(len(mine) - 1):
            if i + 1 < len(mine) and mine[i] + mine[i + 1] in whole:
                mine[i : i + 2] = [mine[i] + mine[i + 1]]
    return a, b


def _alike(x: str, y: str, kind: str) -> float:
    if x == y:
        return 1.0
    if x.isdigit() or y.isdigit():
        return 0.0
    if kind == "person":
        if not NICKNAMES.get(x, frozenset()).isdisjoint(NICKNAMES.get(y, ())):
            return 0.95
        if (len(x) == 1 or len(y) == 1) and x[0] == y[0]:
            return 0.8
    short = min(len(x), len(y))
    edits = round((1 - float(pairwise("osa", [x], [y])[0])) * max(len(x), len(y)))
    allowed = 0 if short < 3 else 1 if short < 6 else 2 if short < 10 else 3
    same_sound = short > 3 and sound(x) == sound(y)
    if edits <= allowed:
        return 1 - 0.28 * edits / max(allowed, 1) + (0.1 if same_sound else 0)
    if same_sound and edits <= allowed + 2:
        return 0.75
    if short > 3 and (x.startswith(y) or y.startswith(x)) and kind == "organisation":
        return 0.6
    return 0.0
