"""What `hub match --engine spark` costs, and whether it finds what the embedded engine finds: a table, not a test.

python -m tests.benchmarks.spark FILE [--workers 2] [--cores 1] [--memory 2g]

A Spark standalone cluster of a master and so many worker processes is started on this machine and stopped again;
with `--workers 0` the engine runs in local mode. Wall time is that of the command, CPU and memory are those of the
command and of every process of the cluster together, memory as the largest sum of resident sets. The exit code is 1
when clusters or scores differ.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.matching import Figures, table, tree_bytes
from tests.spark import environment, site

MATCH = [sys.executable, "-m", "hub", "match"]
STARTS = 60.0  # seconds until a cluster must stand


@contextmanager
def cluster(workers: int, cores: int, memory: str, folder: Path) -> Iterator[tuple[str, list[int]]]:
    """A master and its workers: its address, and the sessions that their processes are in."""
    port = _free_port()
    asked = [("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(_free_port()))]
    address = f"spark://127.0.0.1:{port}"
    shape = ("--host", "127.0.0.1", "--cores", str(cores), "--memory", memory)
    asked += [("worker.Worker", *shape, "--work-dir", str(folder / f"worker{k}"), address) for k in range(workers)]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, (name, *arguments) in enumerate(asked):
            command = [str(site() / "pyspark/bin/spark-class"), f"org.apache.spark.deploy.{name}", *arguments]
            with (folder / f"{number}.log").open("wb") as log:
                made = {**environment(), "SPARK_HOME": str(site() / "pyspark")}
                running.append(
                    subprocess.Popen(command, env=made, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
                )
            if number == 0:
                _answers(port)
        yield address, [one.pid for one in running]
    finally:
        for one in running:
            os.killpg(one.pid, signal.SIGTERM)
            one.wait(30)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> None:
    ends = time.monotonic() + STARTS
    while time.monotonic() < ends:
        with socket.socket() as tried:
            tried.settimeout(1)
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError("the master did not start")


def measured(command: Sequence[str], others: Sequence[int]) -> Figures:
    """Run a command with what it starts; `others` are sessions of processes that work for it."""
    began, peak, worked, done = time.perf_counter(), [0], [0.0], threading.Event()
    child = subprocess.Popen(command, env=environment(), start_new_session=True, stderr=subprocess.DEVNULL)

    def watch() -> None:
        while not done.wait(0.2):
            sessions = (child.pid, *others)
            peak[0] = max(peak[0], sum(map(tree_bytes, sessions)))
            worked[0] = max(worked[0], sum(map(cpu_seconds, sessions)))

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    code = child.wait()
    wall = time.perf_counter() - began
    done.set()
    watching.join()
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}")
    return {"wall_s": wall, "cpu_s": worked[0], "peak_mib": peak[0] / 2**20}


def cpu_seconds(session: int) -> float:
    """Seconds that every process of a session, and those it waited for, have worked."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        ticks += sum(map(int, parts[11:15])) if int(parts[3]) == session else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Spark beside the embedded engine.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--memory", default="2g")
    asked = parser.parse_args()
    with TemporaryDirectory() as made:
        folder = Path(made)
        whole = [*MATCH, str(asked.file.resolve()), "--id-column", "record_id", "--source-column", "source"]
        outs = {name: (folder / f"{name}.csv", folder / f"{name}-pairs.csv") for name in ("embedded", "spark")}
        command = {n: [*whole, "--out", str(out), "--pairs", str(pairs)] for n, (out, pairs) in outs.items()}
        figures = {"embedded": measured(command["embedded"], ())}
        command["spark"] += ["--engine", "spark", "--conf", "spark.driver.memory=1g"]
        if asked.workers:
            with cluster(asked.workers, asked.cores, asked.memory, folder) as (master, sessions):
                memory = f"spark.executor.memory={asked.memory}"
                figures["spark"] = measured([*command["spark"], "--master", master, "--conf", memory], sessions)
        else:
            figures["spark"] = measured([*command["spark"], "--master", f"local[{asked.cores}]"], ())
        same = [a.read_bytes() == b.read_bytes() for a, b in zip(*outs.values(), strict=True)]
    rows = [[name, *(f"{value:,.1f}" for value in one.values())] for name, one in figures.items()]
    print(table("engine|wall s|CPU s|peak MiB", rows))
    print(f"\nclusters {'equal' if same[0] else 'DIFFER'}, scores {'equal' if same[1] else 'DIFFER'}")
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
