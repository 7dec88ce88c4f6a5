"""Matching in the hub, on a population with truth: bulk and one by one, and one record against many.

python -m tests.benchmarks.intake both --population DIR [--records 20000] [--store URL]
python -m tests.benchmarks.intake online --population DIR [--queries 300] [--store URL]
python -m tests.benchmarks.intake judge

`both` loads the records in bulk by the shipped rules, learns a model from them, and loads them again under that model: in
bulk, and one by one in another order; it compares the clusters and scores them against the truth. `online` learns
from the stored records, keeps one record of some customers out, and sends them in one at a time: time of candidates and
scores alone, time from payload to committed golden record, and how often the right customer is found; then as many
others by 16 threads, each sending one at a time, as a server gets them. `judge` judges a cluster of 200 sources again.
A population is what `records.csv` and `truth.csv` hold.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import numpy as np
import sqlalchemy as sa

from adapters.decode import read_payloads
from adapters.mapping import MappedSource, load
from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.flow.ingest import Delivery, ingest
from hub.match.fitting import Costs, fit
from hub.match.lookup import lookup
from hub.settings import Settings
from hub.store import reads
from hub.store.engine import reading, writing
from hub.store.rule_tables import ruleset as table
from hub.wiring import Hub
from rules.case import Case, Ties
from rules.judge import judge
from rules.ruleset import load as load_rules
from rules.ruleset import shipped

MAPPING = """
system: {path: source, codes: {crm: crm, billing: billing, support: support, app: app}}
entities:
  - entity: account
    key: record_id
    fields:
      legal_name: name
      given_name: {path: contact_first, empty: absent}
      family_name: {path: contact_last, empty: absent}
      email: {path: email, empty: absent}
      domain: {path: domain, empty: absent}
      phone: {object: {number: phone, country: country}, needs: number}
      billing_address: {object: {line1: address, city: city, postcode: postcode, country: country}}
      tax_id: {object: {number: tax_id, country: country}, needs: number}
"""
SOURCE: MappedSource = load(MAPPING, "population.yaml")
Row = dict[str, str]


def both(rows: Sequence[Row], truth: dict[str, str], store: str) -> None:
    """Print the scores of the three loads and whether the last two agree."""
    with _hub(store) as hub:
        _timed("bulk, shipped rules", hub, [rows], rows, truth)
        draft = _draft(hub)
    with _hub(store) as hub:
        _force(hub, draft)
        bulk = _timed("bulk, fitted model", hub, [rows], rows, truth)
    shuffled = random.Random(1).sample(rows, len(rows))
    with _hub(store) as hub:
        _force(hub, draft)
        single = _timed("one by one, fitted model", hub, ([row] for row in shuffled), rows, truth)
    same = _partition(bulk) == _partition(single)
    print(f"the same clusters in bulk and one by one: {same}")
    if not same:
        raise SystemExit(1)


def online(rows: Sequence[Row], truth: dict[str, str], store: str, queries: int) -> None:
    """Print how long one record takes against all the others."""
    size = Counter(truth.values())
    chance, seen, asked = random.Random(7), set[str](), []
    for row in chance.sample(rows, len(rows)):
        cluster = truth[row["record_id"]]
        if size[cluster] > 1 and cluster not in seen and len(asked) < queries:
            seen.add(cluster)
            asked.append(row)
    kept = {row["record_id"] for row in asked}
    stored = [row for row in rows if row["record_id"] not in kept]
    with _hub(store) as hub:
        _deliver(hub, stored[:100_000])
        draft = _draft(hub)
    with _hub(store) as hub:
        _force(hub, draft)
        _timed("bulk, fitted model", hub, [stored], stored, truth)
        scored, whole, found = [], [], 0
        asked, others = asked[: len(asked) // 2], asked[len(asked) // 2 :]
        for row in asked:
            began = time.perf_counter()
            best = _best(hub, row)
            scored.append(time.perf_counter() - began)
            found += best is not None and truth[best] == truth[row["record_id"]]
            began = time.perf_counter()
            _deliver(hub, [row])
            whole.append(time.perf_counter() - began)
        crowd = _crowd(hub, others)
    for name, times in (("candidates and scores", scored), ("payload to golden", whole)):
        p50, p95 = np.percentile(1000 * np.array(times[5:]), (50, 95))
        print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms against {len(stored):,} stored")
    print(
        f"right customer first: {found / len(asked):.3f}; {1 / np.mean(whole[5:]):.0f} records/s one after the other,"
    )
    print(f"{crowd:.0f} records/s by 16 threads that each send one record at a time")


def _crowd(hub: Hub, rows: Sequence[Row]) -> float:
    """Records a second when many send one at a time."""

    def send(row: Row) -> None:
        body = BytesIO(json.dumps(row).encode())
        hub.take_in(SOURCE, Delivery("benchmark", uuid4().hex, read_payloads(body, "jsonl")))

    with ThreadPoolExecutor(16) as pool:
        began = time.perf_counter()
        list(pool.map(send, rows))
        return len(rows) / (time.perf_counter() - began)


def judged(sources: int = 200) -> None:
    """Print how long it takes to judge one customer of many sources again."""
    chance, now, rules = random.Random(1), datetime(2026, 11, 1, tzinfo=UTC), shipped()["account"]
    keys = [SourceKey(("crm", "billing")[k % 2], "account", f"{k:05d}") for k in range(sources)]
    said = [
        {"legal_name": f"Acme {chance.choice(('Ltd', 'Limited', 'Inc'))}", "domain": "acme.example", "status": "active",
         "industry": chance.choice(("Rail", "Ships")), "currency": "GBP"}
        for _ in keys
    ]  # fmt: skip
    records = sorted((SourceRecord(k, v, now, now) for k, v in zip(keys, said, strict=True)), key=lambda one: one.key)
    for name, spread in (("all agree", 0.5), ("some contradict", 4.0)):
        scores = [(a, b, chance.gauss(11, spread)) for a, b in combinations(range(sources), 2)]
        case = Case("account", tuple(records), Ties.of(range(sources), scores))
        times = []
        for _ in range(20):
            began = time.process_time()
            drafts = judge(case, rules, now).drafts
            times.append(1000 * (time.process_time() - began))
        print(f"{sources} sources, {name}: {np.median(times):.1f} CPU ms, {len(drafts)} golden record(s)")


def _best(hub: Hub, row: Row) -> str | None:
    """The stored record that the row is most like. Stores nothing."""
    record = SOURCE.translate(row, hub.clock()).records[0]
    with reading(hub.engine) as connection:
        found = lookup(connection, hub.rulesets["account"], record.values, 1)
    return SourceKey.parse(found[0].source).key if found else None


def _timed(name: str, hub: Hub, parts: Iterable[Sequence[Row]], rows: Sequence[Row], truth: dict[str, str]) -> Row:
    wall, cpu = time.perf_counter(), time.process_time()
    for part in parts:
        _deliver(hub, part)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    keys = {row["record_id"]: SourceKey(row["source"], "account", row["record_id"]) for row in rows}
    with reading(hub.engine) as connection:
        held = reads.golden_of(connection, list(keys.values()))
    found = {id_: held[key] for id_, key in keys.items()}
    count = {
        what: sum(n * (n - 1) // 2 for n in Counter(of).values())
        for what, of in (
            ("found", found.values()), ("true", (truth[id_] for id_ in found)),
            ("right", ((truth[id_], one) for id_, one in found.items())),
        )
    }  # fmt: skip
    precision, recall = count["right"] / max(count["found"], 1), count["right"] / max(count["true"], 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    print(
        f"{name}: {len(rows) / wall:,.0f} records/s, {1000 * cpu / len(rows):.2f} CPU ms a record; "
        f"precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}", flush=True,
    )  # fmt: skip
    return found


def _partition(found: Row) -> set[frozenset[str]]:
    held: dict[str, set[str]] = {}
    for id_, golden in found.items():
        held.setdefault(golden, set()).add(id_)
    return {frozenset(ids) for ids in held.values()}


def _deliver(hub: Hub, rows: Sequence[Row]) -> None:
    body = b"\n".join(json.dumps(row).encode() for row in rows)
    delivery = Delivery("benchmark", uuid4().hex, read_payloads(BytesIO(body), "jsonl"))
    ingest(hub.engine, hub.rulesets, SOURCE, delivery, clock=hub.clock)


def _draft(hub: Hub) -> str:
    with reading(hub.engine) as connection:
        return fit(connection, hub.rulesets["account"], 200_000, Costs()).text


def _force(hub: Hub, draft: str) -> None:
    rules = load_rules(draft, "draft.yaml")
    with writing(hub.engine) as connection:
        values = {"version": rules.version, "document": rules.text}
        connection.execute(sa.update(table).where(table.c.entity == "account").values(values))


@contextmanager
def _hub(store: str) -> Iterator[Hub]:
    """A new store: a SQLite file, or a database beside the one that the address names."""
    with TemporaryDirectory() as folder:
        name = f"concord_bench_{uuid4().hex[:8]}"
        admin = None if store == "sqlite" else sa.create_engine(store, isolation_level="AUTOCOMMIT")
        url = f"sqlite:///{folder}/hub.db"
        if admin is not None:
            with admin.connect() as connection:
                connection.exec_driver_sql(f'create database "{name}"')
            url = admin.url.set(database=name).render_as_string(hide_password=False)
        hub = Hub(Settings(dir=Path(folder), database_url=url))
        hub.prepare()
        yield hub
        hub.engine.dispose()
        if admin is not None:
            with admin.connect() as connection:
                connection.exec_driver_sql(f'drop database "{name}" with (force)')


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["both", "online", "judge"])
    parser.add_argument("--population", type=Path)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--store", default="sqlite", help="sqlite, or postgresql+psycopg://… of a server")
    asked = parser.parse_args()
    if asked.what == "judge":
        judged()
        return
    with (asked.population / "records.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    with (asked.population / "truth.csv").open() as stream:
        truth = {row["record_id"]: row["cluster_id"] for row in csv.DictReader(stream)}
    if asked.what == "both":
        both(rows[: asked.records], truth, asked.store)
    else:
        online(rows, truth, asked.store, asked.queries)


if __name__ == "__main__":
    main()
