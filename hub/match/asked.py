"""What a run of `hub match` is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from canonical.document import read_document
from hub.errors import SpecUnfit
from rules.match.profile import KINDS
from rules.match.spec import Spec


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for."""

    files: Sequence[Path]
    out: Path
    spec: Path | None = None
    id_column: str | None = None
    source_column: str | None = None
    kind: str | None = None
    pairs: Path | None = None
    propose: Path | None = None
    report: Path | None = None
    engine: str = "embedded"
    master: str = "local[*]"
    work: Path | None = None  # a folder that all of Spark's workers see
    conf: Sequence[str] = ()  # settings of Spark, name=value


def spec_of(job: Job, columns: Sequence[str], sources: int) -> Spec:
    """The job's spec, checked against the table's columns and sources. Raises SpecUnfit, DocumentInvalid."""
    spec = read_document(job.spec.read_text("utf-8"), Spec, name=job.spec.name) if job.spec else Spec()
    named = {*spec.columns, *spec.must, *spec.must_not, *spec.review_always}
    if unknown := sorted(named - set(columns)):
        raise SpecUnfit(f"there is no column {unknown[0]!r}; the columns are {', '.join(columns)}.")
    if wrong := sorted(set(spec.columns.values()) - {*KINDS, "ignore"}):
        raise SpecUnfit(f"there is no kind {wrong[0]!r}; the kinds are ignore, {', '.join(KINDS)}.")
    kind = job.kind or spec.kind or ("multi" if sources > 1 else "dedupe")
    if kind == "link" and sources < 2:
        raise SpecUnfit("linking needs two sources: two files, or --source-column.")
    return spec.model_copy(update={"kind": kind})
