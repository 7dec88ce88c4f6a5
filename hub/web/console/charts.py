"""The geometry of charts: where bars, points and labels stand. Templates draw them as SVG, each with its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from math import ceil, cos, pi, sin
from typing import Any

WIDE = 640  # of every chart, in its own units
SHADES = 6  # of systems in one bar
ENDED = ("acknowledged", "superseded", "held", "parked", "rejected", "sending", "planned")
STANDING = (
    ("up to 1 day", timedelta(days=1)),
    ("2–7", timedelta(days=7)),
    ("8–30", timedelta(days=30)),
    ("over 30", timedelta.max),
)
LONGEST = 400  # characters of a value that are compared letter by letter


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it says, and where it stands."""

    name: str
    value: float
    x: float
    width: float
    said: str


def waterfall(parts: Sequence[Any], score: float, bands: tuple[float, float]) -> dict[str, Any]:
    """Steps from nothing to the score, one below the other, with the limits of the bands."""
    reached, steps = 0.0, []
    for name, likeness, weight in parts:
        steps.append((name.replace("-", " ").replace("_", " "), likeness, weight, reached))
        reached += weight
    rest = score - reached
    if abs(rest) > 0.05:
        steps.append(("everything else", None, rest, reached))
    edges = [0.0, score, *bands, *(start for *_, start in steps), *(w + start for _, _, w, start in steps)]
    low, high = min(edges), max(edges)
    unit = (WIDE - 230) / ((high - low) or 1)  # to the right of the longest bar its number stands

    def at(value: float) -> float:
        return float(180 + (value - low) * unit)

    rows = [
        {
            "name": name, "likeness": likeness, "weight": weight, "sum": start + weight,
            "x": at(min(start, start + weight)), "width": max(abs(weight) * unit, 1.5), "y": 26 + 22 * number,
        }
        for number, (name, likeness, weight, start) in enumerate(steps)
    ]  # fmt: skip
    return {"rows": rows, "zero": at(0), "review": at(bands[0]), "match": at(bands[1]), "score": at(score),
            "height": 26 + 22 * len(rows) + 22}  # fmt: skip


def bars(counts: Mapping[str, float], unit: str = "") -> list[Bar]:
    """One bar per name, the longest as wide as the chart allows."""
    most = max(counts.values(), default=0) or 1
    return [
        Bar(name, count, 110, round((WIDE - 190) * count / most, 1), f"{count:g}{unit}")
        for name, count in counts.items()
    ]


def shares(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """One bar of full length per field, in parts by system; the systems in one order for all of them."""
    names = sorted({name for row in counts.values() for name in row})
    lines = []
    for number, (field, row) in enumerate(counts.items()):
        total, x, parts = sum(row.values()), 150.0, []
        for place, name in enumerate(names):
            if row.get(name):
                width = (WIDE - 160) * row[name] / total
                parts.append({"name": name, "place": place % SHADES, "x": round(x, 1), "width": round(width, 1),
                              "share": row[name] / total})  # fmt: skip
                x += width
        lines.append({"field": field.replace("_", " "), "y": 24 * number, "parts": parts, "total": total})
    return {"lines": lines, "names": [(name, place % SHADES) for place, name in enumerate(names)]}


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One column per run, as high as it has records, in parts by the state they ended in."""
    states = [state for state in ENDED if any(row["counts"].get(state) for row in rows)]
    most = max((sum(row["counts"].values()) for row in rows), default=0) or 1
    wide = min((WIDE - 60) / max(len(rows), 1), 60)
    found = []
    for number, row in enumerate(rows):
        y, parts = 130.0, []
        for state in states:
            height = 110 * row["counts"].get(state, 0) / most
            y -= height
            parts.append(
                {"state": state, "y": round(y, 1), "height": round(height, 1), "count": row["counts"].get(state, 0)}
            )
        found.append({**row, "x": round(50 + number * wide, 1), "width": round(wide - 4, 1), "parts": parts})
    return {"runs": found, "states": states, "most": most}


def heat(rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, Any]:
    """How many differences stand for how long, by target and entity; each number with its shade, 0 to 5."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        age = next(name for name, most in STANDING if now - row["since"] <= most)
        counts.setdefault((row["target"], row["entity"]), Counter())[age] += 1
    most = max((count for line in counts.values() for count in line.values()), default=1)
    lines = [
        {"target": target, "entity": entity, "total": sum(line.values()),
         "cells": [(line[name], ceil(5 * line[name] / most)) for name, _ in STANDING]}
        for (target, entity), line in sorted(counts.items())
    ]  # fmt: skip
    return {"ages": [name for name, _ in STANDING], "lines": lines}


def backlog(rows: Sequence[tuple[str, datetime, datetime | None]], now: datetime, days: int = 14) -> dict[str, Any]:
    """Opened and answered on each of the last days, and how many were open at its end."""
    first = now.date() - timedelta(days=days - 1)
    spans = [first + timedelta(days=number) for number in range(days)]
    opened = Counter(start.date() for _, start, _ in rows)
    closed = Counter(end.date() for _, _, end in rows if end)
    lines: list[dict[str, Any]] = []
    for day in spans:
        standing = sum(1 for _, start, end in rows if start.date() <= day and (end is None or end.date() > day))
        lines.append({"day": f"{day:%-d %b}", "opened": opened[day], "closed": closed[day], "open": standing})
    most = max([1, *(max(line["opened"], line["closed"], line["open"]) for line in lines)])
    step = (WIDE - 60) / max(days - 1, 1)
    for number, line in enumerate(lines):
        line["x"] = round(50 + step * number, 1)
        line |= {f"{name}_y": round(130 - 110 * line[name] / most, 1) for name in ("opened", "closed", "open")}
    return {"lines": lines, "most": most, "points": {
        name: " ".join(f"{line['x']},{line[f'{name}_y']}" for line in lines) for name in ("opened", "closed", "open")
    }}  # fmt: skip


def histogram(scored: Sequence[tuple[float, str | None]], bands: tuple[float, float], bins: int = 16) -> dict[str, Any]:
    """How many pairs were asked about per score, and the share of them that a person said to be the same."""
    if not scored:
        return {"bins": []}
    low: float = min(bands[0], *(score for score, _ in scored))
    high: float = max(bands[1], *(score for score, _ in scored)) + 0.01
    width = (high - low) / bins
    found: list[dict[str, Any]] = [
        {"from": low + number * width, "count": 0, "same": 0, "answered": 0} for number in range(bins)
    ]
    for score, answer in scored:
        one = found[min(int((score - low) / width), bins - 1)]
        one["count"] += 1
        one["answered"] += answer in ("same", "different", "related")
        one["same"] += answer == "same"
    most = max(one["count"] for one in found)
    wide = (WIDE - 60) / bins
    for number, one in enumerate(found):
        one |= {"x": round(50 + number * wide, 1), "width": round(wide - 3, 1)}
        one |= {"height": round(100 * one["count"] / most, 1), "to": one["from"] + width}
        one["rate"] = one["same"] / one["answered"] if one["answered"] else None

    def at(value: float) -> float:
        return float(round(50 + (value - low) / width * wide, 1))

    return {"bins": found, "most": most, "review": at(bands[0]), "match": at(bands[1])}


def streams(links: Sequence[Mapping[str, Any]], golden_id: str, now: datetime) -> dict[str, Any]:
    """One line per source record through time; it is in the golden record while it runs along the lower edge."""
    if not links:
        return {"lanes": []}
    first = min(one["since"] for one in links)
    span = max((now - first).total_seconds(), 1.0)

    def at(moment: datetime) -> float:
        return float(round(170 + (WIDE - 190) * max((moment - first).total_seconds(), 0) / span, 1))

    lanes: dict[str, dict[str, Any]] = {}
    for one in links:
        name = f"{one['system']} {one['key']}"
        lane = lanes.setdefault(name, {"name": name, "parts": []})
        lane["parts"].append({
            "from": at(one["since"]), "to": at(one["until"] or now), "here": one["golden_id"] == golden_id,
            "since": one["since"], "until": one["until"], "golden": one["golden_id"],
        })  # fmt: skip
    for number, lane in enumerate(lanes.values()):
        lane["y"] = 24 + 26 * number
    return {"lanes": list(lanes.values()), "floor": 24 + 26 * len(lanes), "height": 52 + 26 * len(lanes),
            "first": first, "now": now}  # fmt: skip


def graph(names: Sequence[str], ties: Sequence[tuple[str, str, float]], most: int = 40) -> dict[str, Any] | None:
    """Records on a circle, a line for each evidence between two; None where a picture says nothing or too much.

    Where lines would cover each other, of those that speak for it only the strongest by which all hang together are
    drawn, and `left_out` counts the others.
    """
    if not 3 <= len(names) <= most:
        return None
    radius = 60 + 4 * len(names)
    middle, height = WIDE / 2, 2 * radius + 60
    at: dict[str, tuple[float, float]] = {}
    nodes = []
    for number, name in enumerate(names):
        turn = 2 * pi * number / len(names) - pi / 2
        x, y = middle + radius * cos(turn), height / 2 + radius * sin(turn)
        at[name] = (x, y)
        anchor = "middle" if abs(cos(turn)) < 0.05 else "start" if cos(turn) > 0 else "end"
        shift = 8 if anchor == "start" else -8 if anchor == "end" else 0
        up = 4 if shift else (16 if sin(turn) > 0 else -8)
        nodes.append({"name": name, "x": round(x, 1), "y": round(y, 1), "anchor": anchor,
                      "tx": round(x + shift, 1), "ty": round(y + up, 1)})  # fmt: skip
    every = [tie for tie in ties if tie[0] in at and tie[1] in at]
    drawn = every if len(every) <= CROWDED * len(names) else _holding(names, every)
    edges = [
        {"from": [round(part, 1) for part in at[left]], "to": [round(part, 1) for part in at[right]], "score": score}
        for left, right, score in drawn
    ]
    return {"nodes": nodes, "edges": edges, "height": round(height), "left_out": len(every) - len(drawn)}


CROWDED = 4  # lines for each record, from which on they cover each other


def _holding(names: Sequence[str], ties: Sequence[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    """Every tie against, and of those for the strongest that hold all together: a maximum spanning forest."""
    group = {name: name for name in names}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    kept = [tie for tie in ties if tie[2] <= 0]
    for tie in sorted((one for one in ties if one[2] > 0), key=lambda one: (-one[2], one[0], one[1])):
        one, other = root(tie[0]), root(tie[1])
        if one != other:
            group[other] = one
            kept.append(tie)
    return kept


def letters(left: str, right: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Both texts in pieces: what they share (""), what only the first has ("-"), what only the second has ("+")."""
    if len(left) > LONGEST or len(right) > LONGEST:
        return [("-", left)], [("+", right)]
    one, other = [], []
    for verb, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if a < b:
            one.append(("" if verb == "equal" else "-", left[a:b]))
        if c < d:
            other.append(("" if verb == "equal" else "+", right[c:d]))
    return one, other
