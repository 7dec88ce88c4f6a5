"""Records per second from intake to golden: the seed at two sizes on both stores, each in its own process.

python -m tests.benchmarks.load [--sizes 10000 100000] [--stores sqlite postgresql]

PostgreSQL is found as in the tests. The last lines say how the cost per record changes with size.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from adapters.registry import SOURCES
from hub.settings import Settings
from hub.wiring import Hub
from seed import generate
from tests.conftest import _at, _run, _Server

PER_ACCOUNT = 4.5  # source records of one synthetic account


def measure(url: str, size: int) -> dict[str, float]:
    """Load the seed of about this many records into the store at the address."""
    with TemporaryDirectory() as folder:
        summary = generate(Path(folder), accounts=int(size / PER_ACCOUNT))
        hub = Hub(Settings(dir=Path(folder), database_url=url))
        hub.prepare()
        wall, cpu = time.perf_counter(), time.process_time()
        for system in SOURCES:
            for path in sorted((Path(folder) / system).iterdir()):
                hub.ingest_file(hub.source(system), path)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    records = sum(summary.records.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "records": records,
        "per_second": records / wall,
        "cpu_ms": 1000 * cpu / records,
        "wall": wall,
        "peak": peak,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one[0], int(asked.one[1]))))
        return
    print("| store | records | records/s | CPU ms a record | peak MiB |\n| --- | --- | --- | --- | --- |")
    for store in asked.stores:
        rows = [_row(store, size) for size in asked.sizes]
        if len(rows) > 1:
            print(f"{store}: cost per record {rows[-1]['cpu_ms'] / rows[0]['cpu_ms']:.2f}x CPU", file=sys.stderr)


def _row(store: str, size: int) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        if store == "sqlite":
            found = _apart(f"sqlite:///{folder}/hub.db", size)
        else:
            with _Server() as server:
                name = f"concord_bench_{uuid4().hex[:8]}"
                _run(server, f'create database "{name}"')
                found = _apart(_at(server, name), size)
                _run(server, f'drop database "{name}" with (force)')
    print(
        f"| {store} | {found['records']:,} | {found['per_second']:,.0f} | {found['cpu_ms']:.2f} | {found['peak']:,.0f} |",
        flush=True,
    )
    return found


def _apart(url: str, size: int) -> dict[str, float]:
    """Measured in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "tests.benchmarks.load", "--one", url, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
