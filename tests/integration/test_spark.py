"""`hub match --engine spark` finds what the embedded engine finds: the same clusters, the same score of every pair."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.spark import NoSpark, environment
from tests.unit.rules.test_match import people

RUN = """
import json, sys
from pathlib import Path
from hub.match.asked import Job
from hub.match.job import run
for job in json.loads(sys.argv[1]):
    paths = {name: Path(job.pop(name)) for name in ("out", "pairs", "spec", "propose") if name in job}
    print(run(Job([Path(f) for f in job.pop("files")], **paths, **job), print))
"""
WORDS = "amber basic cable delta engine filter garden heavy indoor junior kettle lamp mixer nylon outdoor pump".split()
Jobs = Sequence[dict[str, object]]


@pytest.fixture(scope="module")
def spark() -> dict[str, str]:
    try:
        return environment()
    except NoSpark as reason:
        pytest.skip(str(reason))


def written(path: Path, rows: Sequence[dict[str, str]]) -> str:
    with path.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def persons(path: Path, count: int) -> str:
    """People, one of whom is there twenty times, with a city that most share and a customer number of some."""
    chance = random.Random(5)
    rows, _ = people(count)
    rows += [dict(rows[0]) for _ in range(20)]
    for k, row in enumerate(rows):
        row |= {"city": chance.choice(("Berlin", "Berlin", "Hamburg", "")), "source": "ab"[k % 2], "key": f"r{k}"}
        row["customer_no"] = f"C{chance.randrange(10**7):07}" if chance.random() < 0.2 else ""
    return written(path, rows)


def offers(folder: Path) -> list[str]:
    """Two lists of products under titles that differ in words and order."""
    chance = random.Random(7)
    lists: tuple[list[dict[str, str]], list[dict[str, str]]] = ([], [])
    for k in range(90):
        words = chance.sample(WORDS, 5)
        model = f"{chance.choice('xyz')}{chance.randrange(100, 999)}{chance.choice('ab')}"
        for side in lists:
            said = " ".join(chance.sample(words, 4) + ([model] if chance.random() < 0.7 else []))
            side.append({"title": said, "price": f"{10 + k}.{chance.choice(('00', '50'))}"})
    return [written(folder / f"{name}.csv", side) for name, side in zip(("ours", "theirs"), lists, strict=True)]


def ran(folder: Path, jobs: Jobs, environ: dict[str, str], **engine: object) -> list[bytes]:
    """What the jobs wrote."""
    label = str(engine.get("engine", "embedded"))
    asked = [
        {**job, **engine, "out": str(folder / f"{label}{k}.csv"), "pairs": str(folder / f"{label}{k}-pairs.csv")}
        for k, job in enumerate(jobs)
    ]
    done = subprocess.run([sys.executable, "-c", RUN, json.dumps(asked)], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return [Path(str(job[name])).read_bytes() for job in asked for name in ("out", "pairs")]


QUICK = "-XX:TieredStopAtLevel=1"  # a short run is over before thorough compilation pays
LOCAL = {
    "engine": "spark",
    "master": "local[2]",
    "conf": ["spark.driver.memory=1g", f"spark.driver.extraJavaOptions={QUICK}", "spark.sql.codegen.wholeStage=false"],
}


@pytest.mark.slow
def test_spark_gives_the_clusters_and_scores_of_the_embedded_engine(tmp_path: Path, spark: dict[str, str]) -> None:
    table = persons(tmp_path / "people.csv", 200)
    jobs: Jobs = [{"files": [table], "id_column": "key", "source_column": "source"}]
    found = ran(tmp_path, jobs, spark, **LOCAL)
    assert found == ran(tmp_path, jobs, spark)
    assert len(found[1].splitlines()) > 100


@pytest.mark.slow
def test_spark_keeps_hard_rules_and_links_two_lists_of_titles(tmp_path: Path, spark: dict[str, str]) -> None:
    (tmp_path / "hard.yaml").write_text("must: [customer_no]\nmust_not: [date_of_birth]\n")
    table = persons(tmp_path / "people.csv", 200)
    jobs: Jobs = [
        {"files": [table], "id_column": "key", "spec": str(tmp_path / "hard.yaml")},
        {"files": offers(tmp_path), "kind": "link"},
    ]
    assert ran(tmp_path, jobs, spark, **LOCAL) == ran(tmp_path, jobs, spark)


@pytest.mark.slow
def test_spark_gives_the_same_for_100000_records(tmp_path: Path, spark: dict[str, str]) -> None:
    jobs: Jobs = [{"files": [persons(tmp_path / "people.csv", 50_000)], "id_column": "key"}]
    assert ran(tmp_path, jobs, spark, **LOCAL) == ran(tmp_path, jobs, spark)


def test_without_pyspark_it_says_what_to_install(tmp_path: Path) -> None:
    table = persons(tmp_path / "people.csv", 5)
    arguments = ("match", table, "--out", str(tmp_path / "o.csv"), "--engine", "spark")
    done = subprocess.run([sys.executable, "-m", "hub", *arguments], capture_output=True, text=True)
    assert done.returncode == 1
    assert "HUB-1203" in done.stderr
    assert "concord-hub[spark]" in done.stderr
