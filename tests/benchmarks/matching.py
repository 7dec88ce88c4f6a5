"""How well and how fast `hub match` resolves records, beside published peers: tables, not tests.

python -m tests.benchmarks.matching quality --datasets DIR [--population DIR]... [--only NAME,...]
python -m tests.benchmarks.matching speed --population DIR [--peer splink|none]

Promised: every run is a process of its own that sees the records and never the truth. Wall time spans the whole process,
CPU is user and system time of it and of the processes it waited for, peak memory is the largest sum of resident sets
over its process tree (sampled ten times a second, never less than the kernel's own high-water mark; pages shared by
processes count once for each). Nothing else is started meanwhile.

Scores are pairwise precision, recall and F1 over the closure of the clusters, and B-cubed. A record without a cluster
stands alone. A set of kind `link` counts only pairs across sources; a set with pairs.csv is judged by those pairs, by
its `label` column where it has one. The exit code is 1 when a run failed, 2 when the question was wrong.
Needs a POSIX system; memory of a whole tree needs Linux, elsewhere it is that of the largest process.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import logging
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests.benchmarks.matching"
NEAR = 0.01  # a figure at most this far under its floor is near, further under it is short
METRIC = {"patents_company": "b3_f1", "name_bench": "accuracy"}  # every other set: pair_f1
SOURCE = (
    "Peer: the best published figure of the set, measured with Splink 5.0.0, pyJedAI 0.3.6, dedupe 3.0.3 "
    "and others at their documented settings."
)
EXPECTED = {  # name: floor, target, peer
    "senzing": (0.80, 0.90, 0.592),
    "febrl3": (0.999, 1.000, 1.000),
    "febrl4": (0.999, 1.000, 1.000),
    "rldata10000": (0.945, 0.955, 0.826),
    "historical50k": (0.90, 0.92, 0.829),
    "fodors_zagats": (0.97, 0.98, 0.968),
    "patents_company": (0.75, 0.90, 0.461),
    "abt_buy": (0.92, 0.945, 0.863),
    "dblp_acm": (0.988, 0.990, 0.987),
    "musicbrainz20k": (0.90, 0.955, 0.875),
    "name_bench": (0.82, 0.88, 0.790),
    "population10000": (0.95, 0.955, 0.919),
    "population100000": (0.95, 0.955, 0.907),
    "population1000000": (0.945, 0.95, 0.852),
}

Line = dict[str, str]


class RunFailed(Exception):
    """A measured process ended badly or left something out; says what it said last."""


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mib: float


@dataclass
class Row:
    """One data set in the table."""

    name: str
    kind: str
    figures: dict[str, float] = field(default_factory=dict)
    cost: Cost | None = None
    error: str = ""

    @property
    def metric(self) -> str:
        """The figure that is held against the floor."""
        return METRIC.get(self.name, "accuracy" if self.kind == "names" else "pair_f1")

    @property
    def standing(self) -> str:
        """Pass, near or short of the floor; a dash where no floor is set."""
        if self.error:
            return "failed"
        if self.name not in EXPECTED:
            return "-"
        short_by = EXPECTED[self.name][0] - self.figures[self.metric]
        return "pass" if short_by <= 0 else "near" if short_by <= NEAR else "short"


# Measuring


def run_measured(command: Sequence[str], log: Path, limit: float) -> Cost:
    """Run a command to its end and say what it took.

    A small process of its own starts the command: a child's high-water mark of memory begins at its parent's.
    """
    launcher = [sys.executable, "-m", HERE, "_measure", str(log), str(limit), *command]
    told = subprocess.run(launcher, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(told.stdout)
    if found.pop("exit"):
        said = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
        why = f"stopped after {limit:g} s" if found["wall_s"] >= limit else (said or ["ended badly without a word"])[-1]
        raise RunFailed(why.strip()[:200])
    return Cost(**found)


def launch(log: Path, limit: float, command: Sequence[str]) -> dict[str, float]:
    """The launcher's part: start, watch and wait for one command."""
    done, peak = threading.Event(), [0]
    began = time.perf_counter()
    with log.open("wb") as told:
        child = subprocess.Popen(command, cwd=ROOT, stdout=told, stderr=subprocess.STDOUT, start_new_session=True)

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], tree_bytes(child.pid))
            if time.perf_counter() - began > limit:
                os.killpg(child.pid, signal.SIGKILL)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)
        raise
    wall = time.perf_counter() - began
    done.set()
    watcher.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    single = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cpu = usage.ru_utime + usage.ru_stime
    return {"exit": child.returncode, "wall_s": wall, "cpu_s": cpu, "peak_mib": max(single, peak[0]) / 2**20}


def tree_bytes(session: int) -> int:
    """Resident bytes of every process of a session; 0 where the system does not tell."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if len(parts) > 21 and int(parts[3]) == session:
            total += int(parts[21]) * os.sysconf("SC_PAGE_SIZE")
    return total


# Scoring


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a CSV by column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def column_of(path: Path, column: str) -> dict[str, str]:
    """One column of a CSV by record_id; the first line of a record stands."""
    found: dict[str, str] = {}
    for line in lines_of(path):
        found.setdefault(line["record_id"], line[column])
    return found


def harmonic(precision: float, recall: float) -> float:
    """F1."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def shares(prefix: str, precision: float, recall: float) -> dict[str, float]:
    """Precision, recall and F1 under one prefix."""
    return {
        f"{prefix}_precision": precision,
        f"{prefix}_recall": recall,
        f"{prefix}_f1": harmonic(precision, recall),
    }


def count_pairs(groups: Sequence[Any], sources: Sequence[str | None] | None = None) -> int:
    """Pairs of records in the same group; with sources, only those not of one source."""
    total = sum(math.comb(n, 2) for n in Counter(groups).values())
    if sources is not None:
        known = (both for both in zip(groups, sources, strict=True) if both[1] is not None)
        total -= sum(math.comb(n, 2) for n in Counter(known).values())
    return total


def cubed(ours: Sequence[Any], real: Sequence[Any]) -> dict[str, float]:
    """B-cubed precision, recall and F1."""
    size_ours, size_real, both = Counter(ours), Counter(real), Counter(zip(ours, real, strict=True))
    precision = math.fsum(n * n / size_ours[mine] for (mine, _), n in both.items()) / len(ours)
    recall = math.fsum(n * n / size_real[true] for (_, true), n in both.items()) / len(ours)
    return {**shares("b3", precision, recall), "clusters": len(size_ours), "true_clusters": len(size_real)}


def score(clusters: Path, folder: Path, kind: str) -> dict[str, float]:
    """What the clusters of a run are worth against the truth of the data set."""
    truth, found = column_of(folder / "truth.csv", "cluster_id"), column_of(clusters, "cluster_id")
    if not found:
        raise RunFailed("no cluster was written")
    ours = [found.get(record, (n,)) for n, record in enumerate(truth)]  # a tuple equals no written cluster
    real = list(truth.values())
    sources: list[str | None] | None = None
    if kind == "link":
        origin = column_of(folder / "records.csv", "source")
        sources = [origin.get(record) for record in truth]
    hits, claimed, wanted = _counts(folder, dict(zip(truth, ours, strict=True)), real, sources)
    return {
        **shares("pair", hits / claimed if claimed else 0.0, hits / wanted if wanted else 0.0),
        "true_positives": hits,
        "predicted_pairs": claimed,
        "true_pairs": wanted,
        **cubed(ours, real),
    }


def _counts(
    folder: Path, cluster: dict[str, Any], real: list[str], sources: list[str | None] | None
) -> tuple[int, int, int]:
    ours = list(cluster.values())
    if not (folder / "pairs.csv").exists():
        both = list(zip(ours, real, strict=True))
        return count_pairs(both, sources), count_pairs(ours, sources), count_pairs(real, sources)
    pairs = list(lines_of(folder / "pairs.csv"))
    joined = [
        pair["id_l"] in cluster and pair["id_r"] in cluster and cluster[pair["id_l"]] == cluster[pair["id_r"]]
        for pair in pairs
    ]
    if not pairs or "label" not in pairs[0]:
        return sum(joined), count_pairs(ours, sources), len(pairs)
    same = [int(pair["label"]) == 1 for pair in pairs]
    return sum(a and b for a, b in zip(joined, same, strict=True)), sum(joined), sum(same)


def score_names(scores: Path, asked: Path) -> dict[str, float]:
    """What verdicts and scores of labelled pairs of names are worth."""
    lines = list(lines_of(scores))
    if not lines or len(lines) != sum(1 for _ in lines_of(asked)):
        raise RunFailed("not every pair of names has a score")
    real = [line["label"] == "1" for line in lines]
    said = [line["verdict"] == "match" for line in lines]
    hits, claimed, wanted = sum(a and b for a, b in zip(said, real, strict=True)), sum(said), sum(real)
    accuracy = sum(a == b for a, b in zip(said, real, strict=True)) / len(lines)
    best, threshold = best_f1([(float(line["score"]), same) for line, same in zip(lines, real, strict=True)])
    return {
        "accuracy": accuracy,
        **shares("pair", hits / claimed if claimed else 0.0, hits / wanted if wanted else 0.0),
        "best_f1": best,
        "best_threshold": threshold,
        "pairs": len(lines),
    }


def best_f1(scored: list[tuple[float, bool]]) -> tuple[float, float]:
    """The best F1 any threshold gives, and that threshold: nobody without the labels can know it."""
    wanted, hits, best = sum(same for _, same in scored), 0, (0.0, 1.0)
    ordered = sorted(scored, reverse=True)
    for n, (value, same) in enumerate(ordered, 1):
        hits += same
        if n == len(ordered) or ordered[n][0] != value:  # equal scores fall on one side
            best = max(best, (harmonic(hits / n, hits / wanted if wanted else 0.0), value))
    return best


# Quality


def kind_of(folder: Path) -> str:
    """What meta.json calls the task; a folder of labelled names is `names`, one without meta.json is deduplicated."""
    if (folder / "name_pairs.csv").exists():
        return "names"
    meta = folder / "meta.json"
    return str(json.loads(meta.read_text("utf-8"))["kind"]) if meta.exists() else "dedupe"


def match_command(folder: Path, kind: str, work: Path) -> list[str]:
    """`hub match` over a folder of records."""
    return [
        *(sys.executable, "-m", "hub", "match", str(folder / "records.csv")),
        *("--id-column", "record_id", "--source-column", "source", "--kind", kind),
        *("--out", str(work / "clusters.csv"), "--pairs", str(work / "pairs.csv")),
    ]


def judge(folder: Path, limit: float) -> Row:
    """Run the matcher over one data set and score it."""
    row = Row(folder.name, kind_of(folder))
    names = folder / "name_pairs.csv"
    with TemporaryDirectory() as made:
        work = Path(made)
        command = match_command(folder, row.kind, work)
        if row.kind == "names":
            asked = ("score", str(names), "--left", "name1", "--right", "name2", "--kind-column", "schema")
            command = [sys.executable, "-m", "hub", "match", *asked, "--out", str(work / "scores.csv")]
        try:
            row.cost = run_measured(command, work / "log", limit)
            row.figures = (
                score_names(work / "scores.csv", names)
                if row.kind == "names"
                else score(work / "clusters.csv", folder, row.kind)
            )
        except (RunFailed, OSError, KeyError, ValueError) as failure:
            row.error = f"{type(failure).__name__}: {failure}".removeprefix("RunFailed: ")
    return row


def folders_of(asked: argparse.Namespace) -> list[Path]:
    """The data sets asked for, in the order of the expectations."""
    needed = {"records.csv", "truth.csv", "meta.json"}
    inside = [folder for folder in asked.datasets.iterdir() if folder.is_dir()] if asked.datasets else []
    found = [f for f in inside if (f / "name_pairs.csv").exists() or all((f / name).exists() for name in needed)]
    named = {folder.name: folder for folder in [*found, *asked.population]}
    order = [*EXPECTED, *sorted(named.keys() - EXPECTED.keys())]
    only = asked.only.split(",") if asked.only else [name for name in order if name in named]
    if unknown := [name for name in only if name not in named]:
        raise SystemExit(f"no such data set: {', '.join(unknown)} (there are: {', '.join(sorted(named))})")
    return [named[name] for name in only]


def quality(asked: argparse.Namespace) -> int:
    """The table of quality."""
    rows = []
    for folder in folders_of(asked):
        rows.append(judge(folder, asked.timeout))
        print(f"{rows[-1].name}: {rows[-1].standing} {rows[-1].error}".rstrip(), file=sys.stderr, flush=True)
    if asked.format == "json":
        told = [
            {**asdict(row), "metric": row.metric, "standing": row.standing, "expected": EXPECTED.get(row.name)}
            for row in rows
        ]
        deliver(json.dumps({"sets": told, "expected": "floor, target, peer", "source": SOURCE}, indent=1), asked.out)
    else:
        head = "data set|figure|hub|floor|target|peer|standing|precision|recall|pair F1|B3 F1|wall s|CPU s|peak MiB"
        after = [f"\n{row.name} failed: {row.error}" for row in rows if row.error]
        best = [
            f"\n{row.name}: best F1 {row.figures['best_f1']:.3f}, at a score of {row.figures['best_threshold']:.3f}"
            for row in rows
            if "best_f1" in row.figures
        ]
        deliver("\n".join([table(head, [cells(row) for row in rows]), *best, *after, f"\n{SOURCE}"]), asked.out)
    return int(any(row.error for row in rows))


def cells(row: Row) -> list[str]:
    """One data set as a line of the table."""
    wanted = (row.metric, "pair_precision", "pair_recall", "pair_f1", "b3_f1")
    own, *rest = (f"{row.figures[key]:.3f}" if key in row.figures else "-" for key in wanted)
    marks = [f"{mark:.3f}" for mark in EXPECTED.get(row.name, ())] or ["-"] * 3
    took = row.cost and [f"{row.cost.wall_s:.1f}", f"{row.cost.cpu_s:.1f}", f"{row.cost.peak_mib:.0f}"]
    return [row.name, row.metric.replace("_", " "), own, *marks, row.standing, *rest, *(took or ["-"] * 3)]


def table(head: str, rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    titles = head.split("|")
    return "\n".join("| " + " | ".join(cell) + " |" for cell in (titles, ["---"] * len(titles), *rows))


def deliver(text: str, out: Path | None) -> None:
    """Write the answer to the file asked for, or print it."""
    if out:
        out.write_text(f"{text}\n", "utf-8")
    else:
        print(text)


# Speed


def speed(asked: argparse.Namespace) -> int:
    """The table of cost, the matcher and the peer one after the other."""
    folder: Path = asked.population
    peers = [asked.peer] if asked.peer != "none" else []
    if peers and not all(importlib.util.find_spec(name) for name in ("splink", "duckdb", "pyarrow")):
        print("splink is not installed here: only our own figures follow", file=sys.stderr)
        peers = []
    found: dict[str, dict[str, float]] = {}
    for tool in ("hub", *peers):
        with TemporaryDirectory() as made:
            work = Path(made)
            command = match_command(folder, kind_of(folder), work)
            if tool == "splink":
                command = [sys.executable, "-m", HERE, "_splink", str(folder / "records.csv"), made]
            try:
                cost = run_measured(command, work / "log", asked.timeout)
                found[tool] = {**asdict(cost), **score(work / "clusters.csv", folder, kind_of(folder))}
            except (RunFailed, OSError, KeyError, ValueError) as failure:
                print(f"{tool} failed: {failure}", file=sys.stderr)
    if asked.format == "json":
        deliver(json.dumps({"population": folder.name, "cores": os.cpu_count(), "tools": found}, indent=1), asked.out)
    elif found:
        deliver(f"{folder.name}, {os.cpu_count()} cores\n\n{versus(found)}", asked.out)
    return int(len(found) <= len(peers))


def versus(found: dict[str, dict[str, float]]) -> str:
    """The tools side by side; the last column is ours divided by the peer's."""
    keys = {"wall s": "wall_s", "CPU s": "cpu_s", "peak MiB": "peak_mib", "F1": "pair_f1"}
    keys |= {"precision": "pair_precision", "recall": "pair_recall", "B3 F1": "b3_f1"}
    ratio = len(found) == 2
    rows = []
    for title, key in keys.items():
        digits = {"peak_mib": 0, "wall_s": 2, "cpu_s": 2}.get(key, 4)
        row = [title, *(f"{figures[key]:,.{digits}f}" for figures in found.values())]
        theirs = found["splink"][key] if ratio else 0.0
        rows.append([*row, f"{found['hub'][key] / theirs:.3f}" if theirs else "-"] if ratio else row)
    return table("|".join(["figure", *found, *(["hub / splink"] if ratio else [])]), rows)


# The peer


def _words(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain.lower()))


def _code(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text).lower()


PREPARE: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("name", "contact_first", "contact_last", "address", "city"), _words),
    **dict.fromkeys(("postcode", "tax_id"), _code),
    "phone": lambda text: re.sub(r"\D", "", text)[-10:],
    "email": str.lower,
    "domain": lambda text: re.sub(r"^(https?://)?(www\.)?", "", text),
}


def splink_rules(blocks: str) -> list[Any]:
    """Blocking rules from words: `a+b` blocks on a and b together, `name:5` on the first five characters."""
    from splink import block_on

    parts = [[re.sub(r"(\w+):(\d+)", r"substr(\1,1,\2)", part) for part in rule.split("+")] for rule in blocks.split()]
    return [block_on(*rule) for rule in parts]


def splink_settings() -> Any:
    """Twelve blocking rules and ten comparisons for the columns of a population."""
    import splink.comparison_library as cl
    from splink import SettingsCreator

    def frequent(comparison: Any) -> Any:
        return comparison.configure(term_frequency_adjustments=True)

    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        blocking_rules_to_generate_predictions=splink_rules(
            "email phone tax_id domain name name:5+postcode contact_last+postcode contact_first+contact_last+city "
            "address:10+city name:6+city contact_first+contact_last name:12"
        ),
        comparisons=[
            frequent(cl.JaroWinklerAtThresholds("name", [0.95, 0.88, 0.8])),
            cl.NameComparison("contact_first"),
            frequent(cl.NameComparison("contact_last")),
            cl.JaroWinklerAtThresholds("address", [0.92, 0.8]),
            frequent(cl.ExactMatch("city")),
            *(cl.DamerauLevenshteinAtThresholds(column, [1]) for column in ("postcode", "phone")),
            cl.EmailComparison("email"),
            frequent(cl.ExactMatch("domain")),
            cl.DamerauLevenshteinAtThresholds("tax_id", [1]),
        ],
    )


def splink_match(records: Path, work: Path) -> None:
    """Splink on DuckDB from records.csv to clusters.csv and pairs.csv, trained on the records alone."""
    import pyarrow as pa
    from pyarrow import csv as arrow
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    names = ["record_id", *PREPARE]
    read = arrow.ConvertOptions(include_columns=names, column_types=dict.fromkeys(names, pa.string()))
    raw = arrow.read_csv(records, parse_options=arrow.ParseOptions(newlines_in_values=True), convert_options=read)
    ready = {"unique_id": raw["record_id"]}
    for name, clean in PREPARE.items():
        ready[name] = pa.array([clean(value) or None for value in raw[name].to_pylist()], pa.string())
    size = raw.num_rows
    linker = Linker(DuckDBAPI().register(pa.table(ready)), splink_settings())
    training = linker.training
    training.estimate_probability_two_random_records_match(splink_rules("email tax_id name+postcode"), recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=1e7 if size > 20_000 else 1e6, seed=1)
    for rule in splink_rules("phone name email"):
        training.estimate_parameters_using_expectation_maximisation(rule)
    scored = linker.inference.predict(threshold_match_probability=0.01 if size < 200_000 else 0.5)
    pairs = scored.as_duckdbpyrelation()
    pairs.project("unique_id_l id_l, unique_id_r id_r, match_probability score").write_csv(str(work / "pairs.csv"))
    joined = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, threshold_match_probability=0.95)
    clusters = joined.as_duckdbpyrelation().project("unique_id record_id, cluster_id")
    clusters.write_csv(str(work / "clusters.csv"))


# The command line


def folder_at(text: str) -> Path:
    """A folder that exists, by its full path: the runs start elsewhere."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"no folder at {text}")
    return Path(text).resolve()


def question() -> argparse.ArgumentParser:
    """What can be asked."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {HERE}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tables = parser.add_subparsers(required=True)
    for run, told in ((quality, "quality beside floors and published peers"), (speed, "cost beside a peer")):
        one = tables.add_parser(run.__name__, help=told)
        one.set_defaults(run=run)
        if run is quality:
            one.add_argument("--datasets", type=folder_at, help="folder of data sets")
            one.add_argument("--population", type=folder_at, action="append", default=[], help="a folder of records")
            one.add_argument("--only", metavar="NAME,...", help="these data sets alone")
        else:
            one.add_argument("--population", type=folder_at, required=True, help="a folder of records")
            one.add_argument("--peer", choices=["splink", "none"], default="splink")
        one.add_argument("--format", choices=["md", "json"], default="md")
        one.add_argument("--out", type=Path, metavar="FILE", help="write the table here")
        one.add_argument("--timeout", type=float, default=3600.0, metavar="S", help="stop a run after this")
    return parser


def main() -> None:
    """Answer one question, or do the part of a process this file started."""
    private, *rest = [*sys.argv[1:], ""]
    if private == "_measure":
        print(json.dumps(launch(Path(rest[0]), float(rest[1]), rest[2:-1])))
    elif private == "_splink":
        splink_match(Path(rest[0]), Path(rest[1]))
    else:
        asked = question().parse_args()
        if asked.run is quality and not (asked.datasets or asked.population):
            raise SystemExit("quality needs --datasets or --population")
        raise SystemExit(asked.run(asked))


if __name__ == "__main__":
    main()
