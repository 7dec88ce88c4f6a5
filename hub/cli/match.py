"""`hub match`: match any table by itself, or score a list of name pairs."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from hub.cli.terminal import folder, form, open_hub, progress, put_json, put_table, say

if TYPE_CHECKING:
    from rules.case import Evidence

PATH = click.Path(path_type=Path)


class _Files(click.Group):
    """A group whose first word may be a file: then it is `hub match tables`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name in front when the user left it out."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["tables", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Files)
def match() -> None:
    """Match any table: `hub match FILE... --out clusters.csv`. CSV, JSON Lines and Parquet."""


@match.command("tables")
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--spec", type=click.Path(exists=True, path_type=Path), help="How to match; what it leaves out is found out."
)
@click.option("--id-column", help="The column that names a record (default: the row's number).")
@click.option("--source-column", help="The column that names a record's source (default with several files: the file).")
@click.option("--kind", type=click.Choice(["dedupe", "link", "multi"]), help="One list, two lists to link, or several.")
@click.option("--out", required=True, type=PATH, help="record_id,cluster_id for every record.")
@click.option("--pairs", type=PATH, help="id_l,id_r,score of every pair above the review band.")
@click.option("--propose", type=PATH, help="Write the spec that was found, commented, to edit and use with --spec.")
@click.option(
    "--report", type=PATH, help="Write an HTML report: data, keys, weights, scores, borderline pairs, clusters."
)
@click.option(
    "--engine", type=click.Choice(["embedded", "spark"]), default="embedded", help="Spark, for more than one machine."
)
@click.option(
    "--master", default="local[*]", show_default=True, help="Spark: where it runs, such as spark://HOST:7077."
)
@click.option("--work", type=PATH, help="Spark: a folder that all workers see (default: a temporary one).")
@click.option("--conf", multiple=True, metavar="NAME=VALUE", help="Spark: a setting, such as spark.driver.memory=4g.")
def tables(files: tuple[Path, ...], **asked: Any) -> None:
    """Find which records of FILE... are one thing, without labels."""
    from hub.match.asked import Job
    from hub.match.job import run

    done = run(Job(files, **asked), tell=say)
    put_table(("records", "clusters", "pairs", "to review", "seconds"), [done])


@match.command("label")
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--labels", required=True, type=PATH, help="Where answers are kept: id_l,id_r,label. Answers there are used."
)
@click.option("--spec", type=click.Path(exists=True, path_type=Path), help="How to match.")
@click.option("--id-column", help="The column that names a record.")
@click.option("--source-column", help="The column that names a record's source.")
@click.option("--kind", type=click.Choice(["dedupe", "link", "multi"]), help="One list, two lists to link, or several.")
@click.option("--propose", type=PATH, help="Write the spec with the band that fits the answers.")
@click.option("--count", default=20, show_default=True, help="How many pairs to ask about.")
def label(files: tuple[Path, ...], labels: Path, count: int, **asked: Any) -> None:
    """Answer the pairs that tell most, one key each: y the same, n different, q enough."""
    from hub.match.asked import Job
    from hub.match.labels import label as run

    made = run(Job(files, labels, **asked), labels, count, _ask)
    columns = ("answers", "right before", "right after", "join from")
    put_table(columns, [(made.answers, f"{made.before:.0%}", f"{made.after:.0%}", f"{made.match:+.2f}")])


def _ask(fields: list[tuple[str, str, str]], odds: float) -> bool | None:
    put_table(("field", "one", "other"), [(name, one[:50], other[:50]) for name, one, other in fields])
    say(f"evidence {odds:+.1f}. The same? y / n / q")
    while True:
        key = click.getchar().lower()
        if key in "ynq":
            return None if key == "q" else key == "y"


@match.command("score")
@click.argument("file", type=PATH)
@click.option("--left", required=True, help="The column of one name.")
@click.option("--right", required=True, help="The column of the other.")
@click.option(
    "--kind-column", help="A column that says person or organisation (company, …); a person where it is silent."
)
@click.option("--out", required=True, type=PATH, help="The table with two more columns: score (0 to 1) and verdict.")
def score(file: Path, *, left: str, right: str, kind_column: str | None, out: Path) -> None:
    """Score pairs of names: the same bearer or not."""
    from hub.match.job import score_names

    put_table(("pairs", "match", "review", "different"), [score_names(file, (left, right), kind_column, out)])


@match.command("run")
@click.option("--all", "every", metavar="ENTITY", help="Judge every record of ENTITY again, not only those that wait.")
@click.option(
    "--page", default=5000, show_default=True, help="Records judged at once: more is faster and takes memory."
)
@folder
@form
def run_waiting(*, every: str | None, page: int, directory: Path | None, form: str) -> None:
    """Judge the records that wait (`hub ingest --later`). Cut off, it goes on where it was; several may run at once."""
    from canonical.catalogue import entity as named
    from hub.flow.catchup import catch_up, left, put_back

    hub = open_hub(directory)
    if every:
        put_back(hub.engine, named(every).name)
    for entity, count in left(hub.engine).items():
        say(f"{count} {entity} wait.")
    began = time.perf_counter()
    judged = catch_up(hub.engine, hub.rulesets, clock=hub.clock, page=page, progress=progress("judged"))
    row = (judged, f"{time.perf_counter() - began:.1f}")
    put_json({"judged": judged, "seconds": float(row[1])}) if form == "json" else put_table(
        ("judged", "seconds"), [row]
    )


@match.command("fit")
@click.argument("entity")
@click.option("--out", required=True, type=PATH, help="The draft: the rules in force with a fitted model in them.")
@click.option("--records", default=200_000, show_default=True, help="Learn from at most this many records.")
@click.option("--wrong", default=20.0, show_default=True, help="What a wrong join costs, in reviews by a person.")
@click.option("--missed", default=5.0, show_default=True, help="What a missed join costs, in reviews by a person.")
@click.option("--seed", default=1, show_default=True, help="Which records are drawn by chance.")
@folder
@form
def fit(entity: str, *, out: Path, records: int, wrong: float, missed: float, seed: int, directory: Path | None,
        form: str) -> None:  # fmt: skip
    """Learn who is who from the hub's records of ENTITY, and write a draft to simulate. Nothing changes yet."""
    from canonical.catalogue import entity as named
    from hub.match.fitting import Costs
    from hub.match.fitting import fit as learned
    from hub.store.engine import reading

    hub = open_hub(directory)
    name = named(entity).name
    with reading(hub.engine) as connection:
        made = learned(connection, hub.rulesets[name], records, Costs(wrong, missed), seed)
    out.write_text(made.text, "utf-8")
    columns = ("records", "learned from", "answers", "join from", "ask from")
    row = (made.every, made.fitted.records, made.answers, made.match, made.review)
    if form == "json":
        put_json(dict(zip(columns, row, strict=True)) | {"levels": made.fitted.levels})
        return
    put_table(columns, [row])
    say(f"Rehearse it: `hub rules simulate {out} --as YOU` counts what it would change; then `hub rules promote`.")


@match.command("find")
@click.argument("entity")
@click.argument("values", type=click.File("rb"), default="-")
@folder
@form
def find(entity: str, values: BinaryIO, *, directory: Path | None, form: str) -> None:
    """Look up who a record would be before it is created: VALUES is a JSON object of canonical fields (- or a file)."""
    import orjson

    from canonical.catalogue import entity as named
    from hub.errors import InvalidRequest
    from hub.match.lookup import lookup
    from hub.store.engine import reading

    hub, name = open_hub(directory), named(entity).name
    try:
        said = orjson.loads(values.read())
    except orjson.JSONDecodeError as problem:
        raise InvalidRequest(f"the values are no JSON: {problem}") from None
    if not isinstance(said, dict):
        raise InvalidRequest("the values must be one JSON object.", hint='{"legal_name": "Acorn Ltd"}')
    with reading(hub.engine) as connection:
        found = lookup(connection, hub.rulesets[name], said)
    if form == "json":
        put_json([asdict(one) for one in found])
        return
    rows = [
        (one.golden_id, one.verdict, f"{one.evidence.score:+.1f}", one.source, _told(one.evidence)) for one in found
    ]
    put_table(("golden record", "verdict", "evidence", "by", "because"), rows)


def _told(evidence: Evidence) -> str:
    parts = sorted(evidence.parts, key=lambda part: -abs(part[2]))
    return ", ".join(f"{name} {weight:+.1f}" for name, _, weight in parts[:4])


@match.command("schema")
def schema() -> None:
    """Print the JSON Schema of a spec."""
    from rules.match.spec import Spec

    put_json(Spec.model_json_schema())
