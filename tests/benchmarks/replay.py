"""A loaded store replayed, and rules rehearsed on it: `python -m tests.benchmarks.replay [--accounts 2000 20000]`.

Each size is loaded, replayed and simulated in processes of their own, so that each peak memory is its own. A simulation
judges every record of every entity once, with a draft in which the newest word wins.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from ruamel.yaml import YAML

from adapters.registry import SOURCES
from hub.flow.replay import verify
from hub.flow.simulate import get, simulate
from hub.settings import Settings
from hub.store.engine import reading
from hub.wiring import Hub
from rules.ruleset import RuleSet, load, shipped
from seed import generate

NEWEST = {"id": "newest", "fields": ["*"], "take": "most_recent", "why": "What was said last stands."}


def fill(folder: Path, accounts: int) -> dict[str, float]:
    """Load the seed of a company of this size into a store in the folder."""
    generate(folder / "seed", accounts=accounts)
    hub = Hub(Settings(dir=folder))
    hub.prepare()
    started, records = _now(), 0
    for system in SOURCES:
        for path in sorted((folder / "seed" / system).iterdir()):
            records += hub.ingest_file(hub.source(system), path).payloads
    return {"records": records, **_spent(started)}


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _spent(since: tuple[float, float]) -> dict[str, float]:
    """Seconds by the clock, and of the processor."""
    clock, own = _now()
    return {"seconds": clock - since[0], "cpu": own - since[1]}


def replay(folder: Path) -> dict[str, float]:
    """Replay the store in the folder."""
    started = _now()
    proof = verify(Hub(Settings(dir=folder)).engine)
    return {"records": proof.records, **_spent(started), "differences": proof.differences}


def rehearse(folder: Path, entities: Sequence[str] = ()) -> dict[str, float]:
    """Simulate a draft of these entities, or of each, on the store in the folder."""
    hub = Hub(Settings(dir=folder))
    drafts = [draft_of(entity) for entity in entities or shipped()]
    started, records, touched = _now(), 0, 0
    for draft in drafts:
        number = simulate(hub.engine, draft, "benchmark", hub.clock())
        with reading(hub.engine) as connection:
            made = get(connection, number)
        records, touched = records + made.records, touched + made.counts["golden_touched"]
    return {"records": records, **_spent(started), "touched": touched}


def draft_of(entity: str) -> RuleSet:
    """The shipped rules of an entity with the newest word winning every field."""
    document = YAML(typ="safe").load(shipped()[entity].text)
    with StringIO() as written:
        YAML(typ="safe").dump({**document, "ownership": [], "survivorship": [NEWEST]}, written)
        return load(written.getvalue(), f"{entity}.yaml")


STEPS: dict[str, Callable[[Path], dict[str, float]]] = {
    "replay": replay,
    "simulate account": partial(rehearse, entities=("account",)),
    "simulate all": rehearse,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, nargs="+", default=[2000, 20_000])
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        name, folder, accounts = asked.step
        found = fill(Path(folder), int(accounts)) if name == "load" else STEPS[name](Path(folder))
        print(json.dumps(found | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    print("| accounts | step | records | seconds | processor | records/s | of the load's processor | peak MiB | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for accounts in asked.accounts:
        _size(accounts)


def _size(accounts: int) -> None:
    with TemporaryDirectory() as folder:
        whole = 0.0
        for step in ("load", *STEPS):
            own = [sys.executable, "-m", "tests.benchmarks.replay", "--step", step, folder, str(accounts)]
            f = json.loads(subprocess.run(own, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
            whole = whole or f["cpu"]
            more = ", ".join(f"{f[name]:,} {name}" for name in ("differences", "touched") if name in f)
            print(
                f"| {accounts:,} | {step} | {f['records']:,} | {f['seconds']:.1f} | {f['cpu']:.1f} "
                f"| {f['records'] / f['seconds']:,.0f} | {f['cpu'] / whole:.2f} | {f['peak']:,.0f} | {more} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
