"""A person's answers about pairs, kept in a CSV file: id_l, id_r, label (1 the same, 0 different)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hub.match import files
from hub.match.asked import Job, spec_of
from hub.match.processors import spread
from hub.match.proposal import proposal
from rules.match.calibrate import Calibration, calibrated, informative
from rules.match.columns import Table
from rules.match.run import Result, match

Ask = Callable[[list[tuple[str, str, str]], float], bool | None]  # fields and log-odds → answer; None stops


def label(job: Job, answers: Path, count: int, ask: Ask) -> Calibration:
    """Ask about the most informative pairs, keep each answer at once, and write the spec that fits them all."""
    table = files.read(job.files, id_column=job.id_column, source_column=job.source_column)
    found = match(table, spec_of(job, list(table.columns), len(table.source_names)), spread=spread)
    known = _read(answers)
    for at in informative(found.odds, found.spec.match, count).tolist():
        one, other = table.ids[found.i[at]], table.ids[found.j[at]]
        if (one, other) in known:
            continue
        answer = ask(_fields(table, int(found.i[at]), int(found.j[at])), float(found.odds[at]))
        if answer is None:
            break
        known[one, other] = answer
        _keep(answers, one, other, answer)
    made = _calibrated(table, found, known)
    if job.propose:
        found.spec = found.spec.model_copy(update={"match": made.match})
        job.propose.write_text(proposal(found), "utf-8")
    return made


def _calibrated(table: Table, found: Result, known: dict[tuple[str, str], bool]) -> Calibration:
    names = [(table.ids[a], table.ids[b]) for a, b in zip(found.i.tolist(), found.j.tolist(), strict=True)]
    rows = [k for k, name in enumerate(names) if name in known]
    same = np.array([known[names[k]] for k in rows], bool)
    return calibrated(found.odds[rows].astype(np.float64), same, found.spec.match)


def _fields(table: Table, one: int, other: int) -> list[tuple[str, str, str]]:
    found = []
    for name, column in table.columns.items():
        left, right = (column.texts[column.codes[k]] if column.codes[k] >= 0 else "" for k in (one, other))
        if left or right:
            found.append((name, left, right))
    return found


def _read(answers: Path) -> dict[tuple[str, str], bool]:
    if not answers.exists():
        return {}
    with answers.open(encoding="utf-8", newline="") as opened:
        return {(row["id_l"], row["id_r"]): row["label"] == "1" for row in csv.DictReader(opened)}


def _keep(answers: Path, one: str, other: str, same: bool) -> None:
    new = not answers.exists()
    with answers.open("a", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        if new:
            writer.writerow(("id_l", "id_r", "label"))
        writer.writerow((one, other, int(same)))
