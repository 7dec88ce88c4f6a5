"""`hub match` as a user calls it: files in, files out, errors that say what to do."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.unit.rules.test_match import f1, people  # noqa: F401  (f1 keeps the two files' notion of right together)


def hub(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub", "match", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rows, truth = people(150)
    for row, who in zip(rows, truth, strict=True):
        row["truth"] = str(who)
    with (tmp_path / "people.csv").open("w", newline="") as opened:
        writer = csv.DictWriter(opened, ["record_id", *rows[0]])
        writer.writeheader()
        writer.writerows({"record_id": f"r{k}", **row} for k, row in enumerate(rows))
    (tmp_path / "people.jsonl").write_text(
        "".join(json.dumps({"record_id": f"r{k}", **r}) + "\n" for k, r in enumerate(rows))
    )
    pyarrow.parquet.write_table(
        pa.Table.from_pylist([{"record_id": f"r{k}", **r} for k, r in enumerate(rows)]), tmp_path / "people.parquet"
    )
    (tmp_path / "spec.yaml").write_text("columns: {truth: ignore}\n")
    return tmp_path


def clusters(path: Path) -> dict[str, str]:
    with path.open() as opened:
        return {row["record_id"]: row["cluster_id"] for row in csv.DictReader(opened)}


def test_every_kind_of_file_gives_the_same_clusters_report_and_spec(files: Path) -> None:
    found = []
    for kind in ("csv", "jsonl", "parquet"):
        asked = ("--id-column", "record_id", "--spec", "spec.yaml", "--out", f"{kind}.csv")
        done = hub(
            f"people.{kind}", *asked, "--pairs", "pairs.csv", "--propose", "found.yaml", "--report", "r.html", cwd=files
        )
        assert done.returncode == 0, done.stderr
        found.append(clusters(files / f"{kind}.csv"))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 300
    report = (files / "r.html").read_text()
    assert "Pairs at the border" in report
    assert "http" not in report.replace("http-equiv", "")
    with (files / "pairs.csv").open() as opened:
        assert all(0 <= float(row["score"]) <= 1 for row in csv.DictReader(opened))


def test_proposed_spec_gives_the_same_clusters_again(files: Path) -> None:
    asked = ("people.csv", "--id-column", "record_id")
    assert hub(*asked, "--spec", "spec.yaml", "--out", "a.csv", "--propose", "found.yaml", cwd=files).returncode == 0
    text = (files / "found.yaml").read_text().replace("columns:", "columns:\n  truth: ignore\n  #", 1)
    (files / "found.yaml").write_text(text)
    done = hub(*asked, "--spec", "found.yaml", "--out", "b.csv", cwd=files)
    assert done.returncode == 0, done.stderr
    assert clusters(files / "a.csv") == clusters(files / "b.csv")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing.csv", "--out", "o.csv"), "HUB-2010", "no such file"),
        (("people.txt", "--out", "o.csv"), "HUB-2010", "ends in"),
        (("people.csv", "--id-column", "key", "--out", "o.csv"), "HUB-2010", "no column 'key'"),
        (("people.csv", "--kind", "link", "--out", "o.csv"), "HUB-2011", "two sources"),
        (("people.csv", "--spec", "bad.yaml", "--out", "o.csv"), "HUB-2011", "no column 'nome'"),
        (("people.csv", "--spec", "odd.yaml", "--out", "o.csv"), "HUB-2011", "no kind 'persn'"),
        (("empty.csv", "--out", "o.csv"), "HUB-2010", "empty"),
        (("score", "people.csv", "--left", "x", "--right", "y", "--out", "o.csv"), "HUB-2010", "no column 'x'"),
    ],
)
def test_what_cannot_be_matched_is_refused_with_a_next_step(files: Path, arguments, code, words) -> None:
    (files / "bad.yaml").write_text("columns: {nome: name}\n")
    (files / "odd.yaml").write_text("columns: {truth: persn}\n")
    (files / "empty.csv").write_text("")
    done = hub(*arguments, cwd=files)
    assert done.returncode == 1
    assert code in done.stderr
    assert words in done.stderr
    assert "next:" in done.stderr
    assert not (files / "o.csv").exists()


def test_names_are_scored_pair_by_pair(files: Path) -> None:
    (files / "names.csv").write_text("a,b,what\nRobert Smith,Bob Smith,Person\nSiemens AG,Volkswagen AG,Company\n")
    done = hub(
        "score", "names.csv", "--left", "a", "--right", "b", "--kind-column", "what", "--out", "s.csv", cwd=files
    )
    assert done.returncode == 0, done.stderr
    with (files / "s.csv").open() as opened:
        assert [row["verdict"] for row in csv.DictReader(opened)] == ["match", "different"]


def test_labels_are_kept_and_move_the_band(files: Path) -> None:
    from click.testing import CliRunner

    from hub.cli import cli

    asked = [
        "match",
        "label",
        str(files / "people.csv"),
        "--id-column",
        "record_id",
        "--labels",
        str(files / "labels.csv"),
    ]
    asked += ["--spec", str(files / "spec.yaml"), "--propose", str(files / "fitted.yaml"), "--count", "6"]
    done = CliRunner().invoke(cli, asked, input="ynyq")
    assert done.exit_code == 0, done.output
    with (files / "labels.csv").open() as opened:
        assert [row["label"] for row in csv.DictReader(opened)] == ["1", "0", "1"]
    assert "match:" in (files / "fitted.yaml").read_text()
    again = CliRunner().invoke(cli, asked, input="q")
    assert "3 " in again.output.splitlines()[-1]
