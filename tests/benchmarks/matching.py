"""How well and how fast `hub match` resolves records, beside published peers: tables, not tests.

python -m tests.benchmarks.matching quality --datasets DIR [--population DIR]... [--only NAME,...]
python -m tests.benchmarks.matching speed --population DIR [--peer splink|none]

Promised: every run is a process of its own that never sees the truth, one at a time. Wall time spans the whole process,
CPU is user and system time of it and of the processes it waited for, peak memory is the largest sum of resident sets
over its process tree (sampled ten times a second, never under the kernel's own high-water mark; shared pages count
once a process; outside Linux that of the largest process). A ratio is ours divided by the peer's.

Scores are pairwise precision, recall and F1 over the closure of the clusters, and B-cubed. A record without a cluster
stands alone. A set of kind `link` counts only pairs across sources; a set with pairs.csv is judged by those pairs, by
its `label` column where it has one. The exit code is 1 when a run failed, 2 when the question was wrong.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
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
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
SELF = [sys.executable, "-m", "tests.benchmarks.matching"]
MATCH = [sys.executable, "-m", "hub", "match"]
NEAR = 0.01  # a figure at most this far under its floor is near, further under it is short
METRIC = {"patents_company": "b3_f1", "name_bench": "accuracy"}  # every other set: pair_f1
SOURCE = "Peer figures: measured with Splink 5.0.0, pyJedAI 0.3.6, dedupe 3.0.3 ... at their documented settings."
# fmt: off
EXPECTED = {  # name: floor, target, peer
    "senzing": (0.80, 0.90, 0.592), "febrl3": (0.999, 1.000, 1.000), "febrl4": (0.999, 1.000, 1.000),
    "rldata10000": (0.945, 0.955, 0.826), "historical50k": (0.90, 0.92, 0.829), "fodors_zagats": (0.97, 0.98, 0.968),
    "patents_company": (0.75, 0.90, 0.461), "abt_buy": (0.92, 0.945, 0.863), "dblp_acm": (0.988, 0.990, 0.987),
    "musicbrainz20k": (0.90, 0.955, 0.875), "name_bench": (0.82, 0.88, 0.790), "population10000": (0.95, 0.955, 0.919),
    "population100000": (0.95, 0.955, 0.907), "population1000000": (0.945, 0.95, 0.852),
}
# fmt: on
Figures = dict[str, float]


def run_measured(command: Sequence[str], log: Path, limit: float) -> Figures:
    """Run a command to its end and say what it took."""
    # a small process starts it: a child's high-water mark of memory begins at its parent's
    launcher = [*SELF, "_measure", str(log), str(limit), *command]
    found = json.loads(subprocess.run(launcher, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    if found.pop("exit"):
        said = log.read_text("utf-8", "replace").strip() or "ended badly without a word"
        raise RuntimeError(f"stopped after {limit:g} s" if found["wall_s"] >= limit else said.split("\n")[-1][:200])
    return dict(found)


def launch(log: Path, limit: float, command: Sequence[str]) -> Figures:
    """The launcher's part: start, watch and wait for one command."""
    done, peak, began = threading.Event(), [0], time.perf_counter()
    with log.open("wb") as told:
        child = subprocess.Popen(command, cwd=ROOT, stdout=told, stderr=subprocess.STDOUT, start_new_session=True)

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], tree_bytes(child.pid))
            if time.perf_counter() - began > limit:
                os.killpg(child.pid, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:  # interrupted: the child is in a session of its own and would go on
        os.killpg(child.pid, signal.SIGKILL)
        raise
    wall = time.perf_counter() - began
    done.set()
    child.returncode = os.waitstatus_to_exitcode(status)
    single = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    worked, most = usage.ru_utime + usage.ru_stime, max(single, peak[0])
    return {"exit": child.returncode, "wall_s": wall, "cpu_s": worked, "peak_mib": most / 2**20}


def tree_bytes(session: int) -> int:
    """Resident bytes of every process of a session; 0 where the system does not tell."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            parts = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            total += int(parts[21]) if int(parts[3]) == session else 0
    return total * os.sysconf("SC_PAGE_SIZE")


def lines_of(path: Path) -> Iterator[dict[str, str]]:
    """The lines of a CSV by column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def column_of(path: Path, column: str) -> dict[str, str]:
    """One column of a CSV by record_id; the first line of a record stands."""
    found: dict[str, str] = {}
    for line in lines_of(path):
        found.setdefault(line["record_id"], line[column])
    return found


def f1(precision: float, recall: float) -> float:
    """The harmonic mean of the two."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def pairwise(hits: int, claimed: int, wanted: int) -> Figures:
    """Precision, recall and F1 of counted pairs."""
    precision, recall = hits / claimed if claimed else 0.0, hits / wanted if wanted else 0.0
    counts = {"true_positives": hits, "predicted_pairs": claimed, "true_pairs": wanted}
    return {"pair_precision": precision, "pair_recall": recall, "pair_f1": f1(precision, recall), **counts}


def cubed(ours: Sequence[Any], real: Sequence[Any]) -> Figures:
    """B-cubed precision, recall and F1."""
    size_ours, size_real, both = Counter(ours), Counter(real), Counter(zip(ours, real, strict=True))
    precision = math.fsum(n * n / size_ours[mine] for (mine, _), n in both.items()) / len(ours)
    recall = math.fsum(n * n / size_real[true] for (_, true), n in both.items()) / len(ours)
    sizes = {"clusters": len(size_ours), "true_clusters": len(size_real)}
    return {"b3_precision": precision, "b3_recall": recall, "b3_f1": f1(precision, recall), **sizes}


def count_pairs(groups: Sequence[Any], sources: Sequence[str | None] | None) -> int:
    """Pairs of records in the same group; with sources, only those not of one source."""
    total = sum(math.comb(n, 2) for n in Counter(groups).values())
    if sources is not None:
        known = (both for both in zip(groups, sources, strict=True) if both[1] is not None)
        total -= sum(math.comb(n, 2) for n in Counter(known).values())
    return total


def score(clusters: Path, folder: Path, kind: str) -> Figures:
    """What the clusters of a run are worth against the truth of the data set."""
    truth, found = column_of(folder / "truth.csv", "cluster_id"), column_of(clusters, "cluster_id")
    if not found:
        raise RuntimeError("no cluster was written")
    cluster: dict[str, Any] = {record: found.get(record, (n,)) for n, record in enumerate(truth)}
    ours, real, sources = list(cluster.values()), list(truth.values()), None
    if kind == "link":
        origin = column_of(folder / "records.csv", "source")
        sources = [origin.get(record) for record in truth]
    if not (folder / "pairs.csv").exists():
        both = list(zip(ours, real, strict=True))
        return {**pairwise(*(count_pairs(groups, sources) for groups in (both, ours, real))), **cubed(ours, real)}
    pairs = list(lines_of(folder / "pairs.csv"))
    joined = [cluster.get(pair["id_l"], 0) == cluster.get(pair["id_r"], 1) for pair in pairs]
    if not pairs or "label" not in pairs[0]:
        return {**pairwise(sum(joined), count_pairs(ours, sources), len(pairs)), **cubed(ours, real)}
    same = [int(pair["label"]) == 1 for pair in pairs]
    hits = sum(a and b for a, b in zip(joined, same, strict=True))
    return {**pairwise(hits, sum(joined), sum(same)), **cubed(ours, real)}


def score_names(scores: Path, asked: Path) -> Figures:
    """What verdicts on labelled pairs of names are worth, and the best F1 any threshold on their scores gives."""
    lines = list(lines_of(scores))
    if not lines or len(lines) != sum(1 for _ in lines_of(asked)):
        raise RuntimeError("not every pair of names has a score")
    judged = [(line["verdict"] == "match", line["label"] == "1") for line in lines]
    wanted, hits, best = sum(same for _, same in judged), 0, (0.0, 1.0)
    ordered = sorted(((float(line["score"]), line["label"] == "1") for line in lines), reverse=True)
    for n, (value, same) in enumerate(ordered, 1):
        hits += same
        if n == len(ordered) or ordered[n][0] != value:  # equal scores fall on one side
            best = max(best, (f1(hits / n, hits / wanted if wanted else 0.0), value))
    told = {"accuracy": sum(a == b for a, b in judged) / len(lines), "best_f1": best[0], "best_threshold": best[1]}
    return {**told, **pairwise(sum(a and b for a, b in judged), sum(a for a, _ in judged), wanted)}


def kind_of(folder: Path) -> str:
    """The task by meta.json; a folder of labelled names is `names`, one without meta.json is deduplicated."""
    if (folder / "name_pairs.csv").exists():
        return "names"
    meta = folder / "meta.json"
    return str(json.loads(meta.read_text("utf-8"))["kind"]) if meta.exists() else "dedupe"


def run_tool(tool: str, folder: Path, limit: float) -> dict[str, Any]:
    """Run the matcher or the peer over one data set: what it took, what it was worth, how it failed."""
    kind, names, records = kind_of(folder), folder / "name_pairs.csv", str(folder / "records.csv")
    with TemporaryDirectory() as made:
        clusters, pairs, told = (str(Path(made) / name) for name in ("clusters.csv", "pairs.csv", "scores.csv"))
        command = [*MATCH, records, "--id-column", "record_id", "--source-column", "source"]
        command += ["--kind", kind, "--out", clusters, "--pairs", pairs]
        if tool == "splink":
            command = [*SELF, "_splink", records, clusters, pairs]
        elif kind == "names":
            command = [*MATCH, "score", str(names), "--left", "name1", "--right", "name2"]
            command += ["--kind-column", "schema", "--out", told]
        row: dict[str, Any] = {"name": folder.name, "tool": tool, "kind": kind, "cost": {}, "figures": {}, "error": ""}
        try:
            row["cost"] = run_measured(command, Path(made) / "log", limit)
            row["figures"] = score_names(Path(told), names) if kind == "names" else score(Path(clusters), folder, kind)
        except (RuntimeError, OSError, KeyError, ValueError) as failure:
            row["error"] = f"{type(failure).__name__}: {failure}".removeprefix("RuntimeError: ")
    print(f"{tool} on {folder.name}: {row['error'] or 'done'}", file=sys.stderr, flush=True)
    return row


def judge(row: dict[str, Any]) -> dict[str, Any]:
    """A run held against what is expected of its data set."""
    metric = METRIC.get(row["name"], "pair_f1")
    expected, standing = EXPECTED.get(row["name"]), "failed" if row["error"] else "-"
    if expected and not row["error"]:
        missing = expected[0] - row["figures"][metric]
        standing = "pass" if missing <= 0 else "near" if missing <= NEAR else "short"
    return {**row, "metric": metric, "standing": standing, "expected": expected}


def folders_of(asked: argparse.Namespace, wrong: Callable[[str], NoReturn]) -> list[Path]:
    """The data sets asked for, in the order of the expectations."""
    inside = [(f, {path.name for path in f.glob("*.*")}) for f in (asked.datasets.iterdir() if asked.datasets else ())]
    found = [f for f, has in inside if "name_pairs.csv" in has or {"records.csv", "truth.csv", "meta.json"} <= has]
    named = {folder.name: folder for folder in [*found, *asked.population]}
    order = [*EXPECTED, *sorted(named.keys() - EXPECTED.keys())]
    only = asked.only.split(",") if asked.only else [name for name in order if name in named]
    if unknown := [name for name in only if name not in named]:
        wrong(f"no such data set: {', '.join(unknown)} (there are: {', '.join(sorted(named))})")
    return [named[name] for name in only]


def quality(asked: argparse.Namespace) -> tuple[str, bool]:
    """The table of quality, and whether every run ended well."""
    rows = [judge(run_tool("hub", folder, asked.timeout)) for folder in asked.folders]
    well = not any(row["error"] for row in rows)
    if asked.format == "json":
        return json.dumps({"sets": rows, "expected": "floor, target, peer", "source": SOURCE}, indent=1), well
    head = "data set|figure|hub|floor|target|peer|standing|precision|recall|pair F1|B3 F1|wall s|CPU s|peak MiB"
    notes = [f"{row['name']} failed: {row['error']}" for row in rows if row["error"]]
    best = [(row["name"], row["figures"]) for row in rows if "best_f1" in row["figures"]]
    notes += [f"{name}: best F1 {worth['best_f1']:.3f}, at score {worth['best_threshold']:.3f}" for name, worth in best]
    return "\n\n".join([table(head, [cells(row) for row in rows]), *notes, SOURCE]), well


def cells(row: dict[str, Any]) -> list[str]:
    """One data set as a line of the table of quality."""
    marks = [f"{mark:.3f}" for mark in row["expected"] or ()] or ["-"] * 3
    shown = {key: f"{value:.3f}" for key, value in row["figures"].items()}
    took = [f"{value:.1f}" for value in row["cost"].values()] or ["-"] * 3
    own, *rest = (shown.get(key, "-") for key in (row["metric"], "pair_precision", "pair_recall", "pair_f1", "b3_f1"))
    return [row["name"], row["metric"].replace("_", " "), own, *marks, row["standing"], *rest, *took]


def table(head: str, rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    titles = head.split("|")
    return "\n".join("| " + " | ".join(cell) + " |" for cell in (titles, ["---"] * len(titles), *rows))


def speed(asked: argparse.Namespace) -> tuple[str, bool]:
    """The tables of cost, the matcher and the peer one after the other, and whether every run ended well."""
    tools = ["hub"] if asked.peer == "none" else ["hub", asked.peer]
    if len(tools) > 1 and not all(importlib.util.find_spec(name) for name in ("splink", "duckdb", "pyarrow")):
        print("splink is not installed here: only our own figures follow", file=sys.stderr)
        tools = ["hub"]
    runs = [[run_tool(tool, folder, asked.timeout) for tool in tools] for folder in asked.folders]
    well = not any(row["error"] for rows in runs for row in rows)
    if asked.format == "json":
        return json.dumps({"cores": os.cpu_count(), "runs": [row for rows in runs for row in rows]}, indent=1), well
    return "\n\n".join(versus(rows) for rows in runs), well


def versus(rows: Sequence[dict[str, Any]]) -> str:
    """The tools side by side; the last column is ours divided by the peer's."""
    units = {"wall_s": "wall s", "cpu_s": "CPU s", "peak_mib": "peak MiB", "pair_f1": "F1"}
    units |= {"pair_precision": "precision", "pair_recall": "recall", "b3_f1": "B3 F1"}
    lines = []
    for key, title in units.items():
        values = [{**row["cost"], **row["figures"]}.get(key) for row in rows]
        lines.append([title, *("-" if value is None else f"{value:,.4g}" for value in values)])
        if len(rows) > 1:
            lines[-1].append(f"{values[0] / values[1]:.3f}" if values[0] is not None and values[1] else "-")
    head = [row["tool"] for row in rows] + (["hub / splink"] if len(rows) > 1 else [])
    return f"{rows[0]['name']}, {os.cpu_count()} cores\n\n{table('|'.join(['figure', *head]), lines)}"


def _words(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain.lower()))


PREPARE: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("name", "contact_first", "contact_last", "address", "city"), _words),
    **dict.fromkeys(("postcode", "tax_id"), lambda text: re.sub(r"[^0-9A-Za-z]", "", text).lower()),
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

    frequent: Any = {"term_frequency_adjustments": True}
    comparisons: list[Any] = [
        cl.JaroWinklerAtThresholds("name", [0.95, 0.88, 0.8]).configure(**frequent),
        cl.NameComparison("contact_first"),
        cl.NameComparison("contact_last").configure(**frequent),
        cl.JaroWinklerAtThresholds("address", [0.92, 0.8]),
        cl.EmailComparison("email"),
        *(cl.ExactMatch(column).configure(**frequent) for column in ("city", "domain")),
        *(cl.DamerauLevenshteinAtThresholds(column, [1]) for column in ("postcode", "phone", "tax_id")),
    ]
    blocking = splink_rules(
        "email phone tax_id domain name name:5+postcode contact_last+postcode contact_first+contact_last+city "
        "address:10+city name:6+city contact_first+contact_last name:12"
    )
    rules: Any = {"blocking_rules_to_generate_predictions": blocking, "comparisons": comparisons}
    return SettingsCreator(link_type="dedupe_only", unique_id_column_name="unique_id", **rules)


def splink_match(records: str, clusters: str, pairs: str) -> None:
    """Splink on DuckDB from records.csv to clusters.csv and pairs.csv, trained on the records alone."""
    import pyarrow as pa
    from pyarrow import csv as arrow
    from splink import DuckDBAPI, Linker

    names = ["record_id", *PREPARE]
    read = arrow.ConvertOptions(include_columns=names, column_types=dict.fromkeys(names, pa.string()))
    raw = arrow.read_csv(records, parse_options=arrow.ParseOptions(newlines_in_values=True), convert_options=read)
    ready = {"unique_id": raw["record_id"]}
    for name, clean in PREPARE.items():
        ready[name] = pa.array([clean(value) or None for value in raw[name].to_pylist()], pa.string())
    linker = Linker(DuckDBAPI().register(pa.table(ready)), splink_settings())
    training, size = linker.training, raw.num_rows
    training.estimate_probability_two_random_records_match(splink_rules("email tax_id name+postcode"), recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=1e7 if size > 20_000 else 1e6, seed=1)
    for rule in splink_rules("phone name email"):
        training.estimate_parameters_using_expectation_maximisation(rule)
    scored = linker.inference.predict(threshold_match_probability=0.01 if size < 200_000 else 0.5)
    scored.as_duckdbpyrelation().project("unique_id_l id_l, unique_id_r id_r, match_probability score").write_csv(pairs)
    joined = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, threshold_match_probability=0.95)
    joined.as_duckdbpyrelation().project("unique_id record_id, cluster_id").write_csv(clusters)


def question() -> argparse.Namespace:
    """What is asked; folders by their full path, for the runs start elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["quality", "speed"])
    place: Any = {"type": lambda text: Path(text).resolve(), "metavar": "DIR"}
    parser.add_argument("--datasets", **place, help="folder of data sets (quality)")
    parser.add_argument("--population", **place, action="append", default=[], help="one data set; may be repeated")
    parser.add_argument("--only", metavar="NAME,...", help="these data sets alone (quality)")
    parser.add_argument("--peer", choices=["splink", "none"], default="splink", help="whom to run beside (speed)")
    parser.add_argument("--format", choices=["md", "json"], default="md")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table here")
    parser.add_argument("--timeout", type=float, default=3600.0, metavar="S", help="stop a run after this")
    asked = parser.parse_args()
    if not asked.population and (asked.table == "speed" or not asked.datasets):
        parser.error("speed needs --population, quality --datasets or --population")
    if missing := [str(f) for f in [*asked.population, asked.datasets] if f and not f.is_dir()]:
        parser.error(f"no folder at {', '.join(missing)}")
    asked.folders = asked.population if asked.table == "speed" else folders_of(asked, parser.error)
    return asked


def main() -> None:
    """Answer one question, or do the part of a process this file started."""
    part, rest = "".join(sys.argv[1:2]), sys.argv[2:]
    if part == "_measure":
        print(json.dumps(launch(Path(rest[0]), float(rest[1]), rest[2:])))
    elif part == "_splink":
        splink_match(*rest)
    else:
        asked = question()
        text, well = (quality if asked.table == "quality" else speed)(asked)
        if asked.out:
            asked.out.write_text(f"{text}\n", "utf-8")
        else:
            print(text)
        raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
