"""Source records per second rebuilt and compared, on a loaded store: `python -m tests.benchmarks.replay [--accounts 2000 20000]`.

Each size is loaded and replayed in processes of their own, so that the peak memory is the replay's.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.registry import SOURCES
from hub.flow.replay import verify
from hub.settings import Settings
from hub.wiring import Hub
from seed import generate


def load(folder: Path, accounts: int) -> None:
    """Load the seed of a company of this size into a store in the folder."""
    generate(folder / "seed", accounts=accounts)
    hub = Hub(Settings(dir=folder))
    hub.prepare()
    for system in SOURCES:
        for path in sorted((folder / "seed" / system).iterdir()):
            hub.ingest_file(hub.source(system), path)


def measure(folder: Path) -> dict[str, float]:
    """Replay the store in the folder."""
    proof = verify(Hub(Settings(dir=folder)).engine)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = proof.records / proof.seconds
    return {"records": proof.records, "per_second": rate, "peak": peak, "differences": proof.differences}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, nargs="+", default=[2000, 20_000])
    parser.add_argument("--load", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--replay", help="Replay the store in this folder, print one line of JSON.")
    asked = parser.parse_args()
    if asked.load:
        load(Path(asked.load[0]), int(asked.load[1]))
        return
    if asked.replay:
        print(json.dumps(measure(Path(asked.replay))))
        return
    print("| accounts | records | records/s | peak MiB | differences |\n| --- | --- | --- | --- | --- |")
    for accounts in asked.accounts:
        with TemporaryDirectory() as folder:
            own = [sys.executable, "-m", "tests.benchmarks.replay"]
            subprocess.run([*own, "--load", folder, str(accounts)], check=True)
            done = subprocess.run([*own, "--replay", folder], check=True, capture_output=True, text=True)
        f = json.loads(done.stdout)
        print(f"| {accounts:,} | {f['records']:,} | {f['per_second']:,.0f} | {f['peak']:,.0f} | {f['differences']} |")


if __name__ == "__main__":
    main()
