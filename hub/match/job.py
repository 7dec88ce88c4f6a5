"""One run of `hub match`: read, match, write what was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hub.errors import TableUnreadable
from hub.match import files
from hub.match.asked import Job, spec_of
from hub.match.processors import spread
from hub.match.proposal import proposal
from hub.match.report import report
from rules.match.columns import Table
from rules.match.names import MATCH, REVIEW
from rules.match.names import score as name_scores
from rules.match.run import Result, match

PERSONS = frozenset({"person", "people", "individual", "human", "p", ""})


def run(job: Job, tell: Callable[[str], None]) -> tuple[int, int, int, int, str]:
    """Match and write; gives records, clusters, pairs, pairs to review, seconds. Raises TableUnreadable, SpecUnfit."""
    if job.engine == "spark":
        from hub.match.spark import require_spark

        require_spark()
        from hub.match.spark.job import run as spread_out

        return spread_out(job, tell)
    began = time.perf_counter()
    table = files.read(job.files, id_column=job.id_column, source_column=job.source_column)
    spec = spec_of(job, list(table.columns), len(table.source_names))
    twice = len(table.ids) - len(set(table.ids))
    if twice:
        tell(f"{twice} records bear an id that another one has; each is matched by its own row.")
    found = match(table, spec, mark=lambda step: tell(f"{step}: {time.perf_counter() - began:.1f} s"), spread=spread)
    left_out = max((cost.left_out for cost in found.costs), default=0)
    if left_out:
        tell(f"up to {left_out} records share a value that too many have, and met only neighbours by it; see --report.")
    _write(job, table, found)
    shown = int(((found.odds < spec.match) & (found.odds >= spec.review)).sum())
    return len(table), len(np.unique(found.labels)), len(found.i), shown, f"{time.perf_counter() - began:.1f}"


def _write(job: Job, table: Table, found: Result) -> None:
    heads = found.labels.tolist()
    files.write(job.out, ("record_id", "cluster_id"), (table.ids, [f"c{head}" for head in heads]))
    if job.pairs:
        keep = np.flatnonzero(found.odds >= found.spec.review)
        ids = np.array(table.ids, dtype=object)
        score = 1 / (1 + np.exp(-np.clip(found.odds[keep], -40, 40).astype(np.float64)))
        files.write(job.pairs, ("id_l", "id_r", "score"), (ids[found.i[keep]], ids[found.j[keep]], np.round(score, 6)))
    if job.propose:
        job.propose.write_text(proposal(found), "utf-8")
    if job.report:
        job.report.write_text(report(table, found), "utf-8")


def score_names(file: Path, sides: tuple[str, str], kind_column: str | None, out: Path) -> tuple[int, int, int, int]:
    """Write the table with a score and a verdict for each pair; gives the pairs and how many of each verdict."""
    table = files.read([file], id_column=None, source_column=None)
    for asked in (*sides, kind_column):
        if asked and asked not in table.columns:
            raise TableUnreadable(f"there is no column {asked!r}; the columns are {', '.join(table.columns)}.")
    texts = {
        name: [column.texts[c] if c >= 0 else "" for c in column.codes.tolist()]
        for name, column in table.columns.items()
    }
    said = texts[kind_column] if kind_column else [""] * len(table)
    kinds = ["person" if one.casefold() in PERSONS else "organisation" for one in said]
    scores = name_scores(texts[sides[0]], texts[sides[1]], kinds)
    verdicts = np.where(scores >= MATCH, "match", np.where(scores >= REVIEW, "review", "different")).tolist()
    files.write(out, (*texts, "score", "verdict"), (*texts.values(), np.round(scores.astype(float), 4), verdicts))
    return len(table), verdicts.count("match"), verdicts.count("review"), verdicts.count("different")
