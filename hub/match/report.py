"""The report of a run: one HTML file that needs nothing else, readable without colour and script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from rules.match.columns import Table
from rules.match.evidence import MEASURES
from rules.match.fit import parts
from rules.match.run import Result

SHOWN = 20  # borderline pairs
BARS = 40


def report(table: Table, found: Result) -> str:
    """The whole page."""
    sections = [
        ("What was found", _summary(table, found)),
        ("Columns", _columns(found)),
        ("Keys and what they cost", _keys(found)),
        ("Weights", _weights(found)),
        ("Scores", _histogram(found)),
        ("Pairs at the border", _borderline(table, found)),
        ("Clusters by size", _sizes(found)),
    ]
    body = "".join(f"<section><h2>{escape(title)}</h2>{content}</section>" for title, content in sections)
    return f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Match report</title><style>{_STYLE}</style></head><body><h1>Match report</h1>{body}</body></html>\n'


_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #8884;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}h2{margin-top:2.5rem}.pair{border:1px solid #8886;border-radius:6px;padding:.5rem 1rem;margin:1rem 0}
svg{max-width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:currentColor}.for{color:#17693a}.against{color:#a1260d}
@media(prefers-color-scheme:dark){.for{color:#7fd6a0}.against{color:#ff9b85}}
"""


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> str:
    """A table; its last `numbers` columns are figures."""
    first = len(heads) - numbers

    def cells(row: Sequence[object], tag: str) -> str:
        return "".join(f"<{tag}{' class=n' if k >= first else ''}>{escape(str(v))}</{tag}>" for k, v in enumerate(row))

    lines = [cells(heads, "th"), *(cells(row, "td") for row in rows)]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _summary(table: Table, found: Result) -> str:
    sizes = np.bincount(found.labels)
    sizes = sizes[sizes > 0]
    low, precision, high = estimated_precision(found)
    rows = [
        ("records", len(table)),
        ("things", len(sizes)),
        ("records that share a thing with another", int(sizes[sizes > 1].sum())),
        ("pairs compared", len(found.i)),
        ("pairs to review", int(((found.odds < found.spec.match) & (found.odds >= found.spec.review)).sum())),
        ("sources taken to hold each thing once", "yes" if found.once else "no"),
        ("estimated precision of the joined pairs", f"{precision:.3f} ({low:.3f} to {high:.3f})"),
        ("estimated share of the true pairs that were compared and joined", f"{estimated_recall(found):.3f}"),
    ]
    return _table(("", ""), rows, 1) + "<p>The estimates trust the model; only labels can check it.</p>"


def estimated_precision(found: Result) -> tuple[float, float, float]:
    """What the model itself expects of the joined pairs: lower bound, mean, upper bound (95 %)."""
    p = _probability(found)[found.odds >= found.spec.match]
    if not len(p):
        return 0.0, 0.0, 1.0
    mean, spread = float(p.mean()), 1.96 * float(np.sqrt((p * (1 - p)).sum())) / len(p)
    return max(mean - spread, 0), mean, min(mean + spread, 1)


def estimated_recall(found: Result) -> float:
    """Of the true pairs that the model expects among those compared, the share that was joined."""
    p = _probability(found)
    same = found.labels[found.i] == found.labels[found.j]
    return float(p[same].sum() / max(p.sum(), 1e-9))


def _probability(found: Result) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(found.odds, -40, 40).astype(np.float64)))


def _columns(found: Result) -> str:
    rows = [
        (p.name, p.kind, p.why, p.example[:60], f"{p.filled:.0%}", f"{p.distinct:.0%}", f"{p.words:.1f}")
        for p in found.profiles.values()
    ]
    return _table(("column", "holds", "because", "example", "filled", "different", "words"), rows, 3)


def _keys(found: Result) -> str:
    rows = [(c.name, c.pairs, c.refined, c.left_out) for c in found.costs]
    heads = ("key", "pairs", "records refined by a second field", "compared with neighbours only")
    return _table(heads, rows, 3)


def _weights(found: Result) -> str:
    rows = []
    for one in found.plan.compare:
        levels = [float(x) for x in found.weights.levels[one.name]]
        says = MEASURES[one.kind].says if one.kind in MEASURES else "words and letters in common"
        rows.append((one.name, says, f"{levels[0]:+.1f}", f"{levels[len(levels) // 2]:+.1f}", f"{levels[-1]:+.1f}"))
    rows.append(("two records by chance", "before anything is compared", "", "", f"{found.weights.prior:+.1f}"))
    return (
        _table(("comparison", "of", "different", "half way", "equal"), rows, 3)
        + "<p>In log-odds: +7 is a thousand to one for, -7 against.</p>"
    )


def _histogram(found: Result) -> str:
    edges = np.linspace(-12, 20, BARS + 1)
    counts, _ = np.histogram(np.clip(found.odds, -12, 20), edges)
    tall = np.log10(counts + 1)
    width, height, top = 18, 160, max(float(tall.max(initial=0)), 1.0)
    bars = []
    for k, (count, high) in enumerate(zip(counts.tolist(), tall.tolist(), strict=True)):
        y = height - high / top * (height - 20)
        tip = f"{edges[k]:.1f} to {edges[k + 1]:.1f}: {count} pairs"
        bars.append(
            f'<rect x="{k * width}" y="{y:.1f}" width="{width - 2}" height="{height - y:.1f}" fill="currentColor" opacity=".55"><title>{tip}</title></rect>'
        )
    lines = []
    for at, word in ((found.spec.review, "review"), (found.spec.match, "match")):
        x = (at + 12) / 32 * BARS * width
        lines.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}" stroke="currentColor" stroke-dasharray="4 3"/><text x="{x + 4:.1f}" y="12">{word} from {at:g}</text>'
        )
    axis = "".join(
        f'<text x="{(v + 12) / 32 * BARS * width:.0f}" y="{height + 16}">{v:+d}</text>' for v in range(-12, 20, 4)
    )
    picture = f'<svg viewBox="0 0 {BARS * width} {height + 24}" role="img" aria-label="How many pairs have which evidence">{"".join(bars)}{"".join(lines)}{axis}</svg>'
    return picture + "<p>Pairs by evidence in log-odds; heights are logarithms of the counts.</p>"


def _borderline(table: Table, found: Result) -> str:
    near = np.argsort(np.abs(found.odds - np.float32(found.spec.match)), kind="stable")[:SHOWN]
    said = parts(found.weights, {name: level[near] for name, level in found.levels.items()})
    shown = []
    for k, row in enumerate(near.tolist()):
        i, j = int(found.i[row]), int(found.j[row])
        fields = [(name, _value(table, name, i), _value(table, name, j)) for name in table.columns]
        weights = [(n, float(said[n][k])) for n in said if found.levels[n][row] >= 0]
        falls = "".join(
            f'<li class="{"for" if w >= 0 else "against"}">{escape(n)} {w:+.1f}</li>'
            for n, w in sorted(weights, key=lambda x: -abs(x[1]))
        )
        joined = "joined" if found.labels[i] == found.labels[j] else "not joined"
        shown.append(
            f'<div class="pair"><strong>{escape(table.ids[i])} and {escape(table.ids[j])}</strong>: {float(found.odds[row]):+.1f} in all, {joined}'
            + _table(("field", "one", "other"), [f for f in fields if f[1] or f[2]])
            + f"<ul><li>by chance {found.weights.prior:+.1f}</li>{falls}</ul></div>"
        )
    return "".join(shown) or "<p>No pairs were compared.</p>"


def _value(table: Table, name: str, row: int) -> str:
    column = table.columns[name]
    return column.texts[column.codes[row]][:200] if column.codes[row] >= 0 else ""


def _sizes(found: Result) -> str:
    sizes = np.bincount(found.labels)
    values, counts = np.unique(sizes[sizes > 0], return_counts=True)
    return _table(("records in a cluster", "clusters"), list(zip(values.tolist(), counts.tolist(), strict=True)), 1)
