"""How long the pages of the queue take: `python -m tests.benchmarks.console [--url postgresql://…] [--golden 100000]`.

The store is filled directly with golden records, open questions, invoices and what is owed, as judging would
have left them; the pages are asked for through the whole application. Prints p50 and p95 of each page, and
the compressed size of the script that the pages load. `--limit` fails where a p95 is above it.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any
from uuid import NAMESPACE_OID as ROOT
from uuid import uuid5

from flask.testing import FlaskClient

from canonical.ids import SourceKey
from hub.serving import settle
from hub.settings import Settings
from hub.store import access, bulk
from hub.store.access import Principal
from hub.store.engine import Connection, writing
from hub.store.tables import (
    batch,
    evidence,
    golden,
    golden_reference,
    golden_version,
    link,
    outbox,
    payload,
    record,
    record_version,
    task,
)  # fmt: skip
from hub.web.app import create_app
from hub.wiring import Hub

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
QUESTIONS = 5_000
PARTS = [["name", 0.93, 7.5], ["city", 1.0, 1.2], ["tax", 0.0, -2.0]]
SCRIPT = 80 * 1024  # bytes, compressed, that the pages may load
STATIC = Path(__file__).resolve().parents[2] / "hub" / "web" / "console" / "static"


def fill(hub: Hub, size: int) -> list[str]:
    """Golden records with sources, four of ten of them invoices; the ids of the open questions."""
    accounts = [SourceKey("crm", "account", f"a{number}") for number in range(size * 6 // 10)]
    invoices = [SourceKey("billing", "invoice", f"i{number}") for number in range(size - len(accounts))]
    with writing(hub.engine) as connection:
        _records(connection, accounts, lambda number: {"legal_name": f"Company {number // 2} Trading Ltd"})
        _records(connection, invoices, lambda number: _invoice(accounts[number % len(accounts)], number), len(accounts))
        columns = ("golden_id", "field", "parent_id")
        owed = (
            (_golden(key), "account", accounts[number % len(accounts)].record_id) for number, key in enumerate(invoices)
        )
        bulk.insert(connection, golden_reference, columns, owed)
        return _questions(connection, accounts)


def _invoice(account: SourceKey, number: int) -> dict[str, Any]:
    total = {"amount": f"{100 + number % 9000}.50", "currency": "EUR"}
    return {"number": f"INV-{number}", "account": str(account), "status": "open", "total": total}


def _golden(key: SourceKey) -> str:
    return f"{key.entity[:3]}_{key.key}"


def _records(connection: Connection, keys: list[SourceKey], said: Callable[[int], Any], start: int = 0) -> None:
    """Payload, record, version, golden record and link of each key."""
    entity, place = keys[0].entity, start + 1
    made = ((place, f"bench {entity}", f"bench-{entity}", 0, "done", NOW),)
    bulk.insert(connection, batch, ("id", "origin", "fingerprint", "position", "state", "started_at"), made)

    def rows(make: Callable[[int, SourceKey], tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        return (make(number, key) for number, key in enumerate(keys))

    each = b"\0" * 16
    bulk.insert(connection, payload, ("batch_id", "position", "system", "entity", "body", "outcome", "received_at"),
                rows(lambda n, key: (place, n, key.system, entity, "{}", "accepted", NOW)))  # fmt: skip
    columns = ("id", "system", "entity", "key", "number", "asserted_at", "content_hash", "state", "status")
    bulk.insert(connection, record, columns,
                rows(lambda n, key: (key.record_id, key.system, entity, key.key, 1, NOW, each, "live", "linked")))  # fmt: skip
    columns = ("record_id", "number", "asserted_at", "received_at", "content_hash", "tombstone", "late", "values",
               "batch_id", "position")  # fmt: skip
    bulk.insert(connection, record_version, columns,
                rows(lambda n, key: (key.record_id, 1, NOW, NOW, each, False, False, said(n), place, n)))  # fmt: skip
    columns = ("id", "entity", "state", "version", "label", "sources", "content_hash", "founder_id", "generation",
               "published", "created_at", "changed_at")  # fmt: skip
    bulk.insert(connection, golden, columns, rows(lambda n, key: (
        _golden(key), entity, "live", 1, str(said(n).get("legal_name", key.key)), 1, each, key.record_id, 1, False, NOW,
        NOW,
    )))  # fmt: skip
    columns = ("golden_id", "version", "values", "provenance", "members", "ruleset", "valid_from")
    bulk.insert(connection, golden_version, columns,
                rows(lambda n, key: (_golden(key), 1, said(n), {}, [[str(key), ""]], "bench", NOW)))  # fmt: skip
    columns = ("record_id", "golden_id", "reason", "ruleset", "since")
    bulk.insert(connection, link, columns, rows(lambda n, key: (key.record_id, _golden(key), "alone", "bench", NOW)))
    columns = ("target", "entity", "golden_id", "version", "action", "waits_for", "state", "created_at")
    waits = (
        ("erp", entity, _golden(key), 1, "upsert", "approver" if number % 40 == 0 else None, "pending", NOW)
        for number, key in enumerate(keys)
        if number % 4 == 0
    )
    bulk.insert(connection, outbox, columns, waits)


def _questions(connection: Connection, accounts: list[SourceKey]) -> list[str]:
    pairs = [(accounts[2 * n], accounts[2 * n + 1]) for n in range(min(QUESTIONS, len(accounts) // 2))]
    ids = [str(uuid5(ROOT, str(left))) for left, _ in pairs]
    columns = ("id", "entity", "kind", "left_id", "right_id", "reason", "score", "state", "opened_at")
    asked = (
        (id_, "account", "match", left.record_id, right.record_id, "not certain", 6.7, "open", NOW - timedelta(hours=n % 200))
        for n, (id_, (left, right)) in enumerate(zip(ids, pairs, strict=True))
    )  # fmt: skip
    bulk.insert(connection, task, columns, asked)
    known = ((*sorted((left.record_id, right.record_id)), 6.7, PARTS) for left, right in pairs)
    bulk.insert(connection, evidence, ("left_id", "right_id", "score", "parts"), known)
    return ids


def measure(hub: Hub, questions: list[str], times: int) -> dict[str, tuple[float, float, float]]:
    """p50 and p95 of each page, and p95 of the processor time of this process for it, in milliseconds."""
    client = _signed_in(hub)
    settle()
    pages: dict[str, Callable[[int], str]] = {
        "/review": lambda _: "/review",
        "/review, filtered": lambda n: f"/review?entity=account&age=3-7d&q=company+{n}&sort=oldest",
        "/review, a later page": lambda n: f"/review?from={50 * (n % 90)}",
        "/review/numbers": lambda _: "/review/numbers",
        "/review/TASK": lambda n: f"/review/{questions[n * 37 % len(questions)]}",
        "/decisions": lambda _: "/decisions",
    }
    found = {}
    for name, address in pages.items():
        client.get(address(0))
        spent, worked = [], []
        for number in range(times):
            started, idle = time.perf_counter(), time.process_time()
            answer = client.get(address(number))
            spent.append((time.perf_counter() - started) * 1000)
            worked.append((time.process_time() - idle) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{address(number)} answered {answer.status_code}")
        cuts = quantiles(spent, n=20)
        found[name] = (cuts[9], cuts[18], quantiles(worked, n=20)[18])
    return found


def _signed_in(hub: Hub) -> FlaskClient:
    with writing(hub.engine) as connection:
        key = access.issue(connection, Principal("bench", "steward"), hub.clock())
    client = create_app(hub).test_client()
    client.get("/login")
    with client.session_transaction() as session:
        token = session["token"]
    client.post("/login", data={"token": token, "key": key})
    return client


def script_size() -> int:
    """Bytes of the script that pages of the queue load, compressed."""
    return len(gzip.compress((STATIC / "keys.js").read_bytes()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="An empty PostgreSQL database; SQLite without.")
    parser.add_argument("--golden", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--limit", type=float, help="Milliseconds that no p95 may exceed.")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        hub = Hub(Settings(dir=Path(folder), database_url=asked.url), lambda: NOW + timedelta(hours=1))
        hub.prepare()
        questions = fill(hub, asked.golden)
        with hub.engine.connect() as connection:
            connection.exec_driver_sql("analyze")
            connection.commit()
        found = measure(hub, questions, asked.times)
        hub.engine.dispose()
    print(f"{hub.engine.dialect.name}, {asked.golden} golden records, {len(questions)} open questions")
    print("| page | p50 ms | p95 ms | p95 ms of processor |\n| --- | --- | --- | --- |")
    for name, (middle, most, own) in found.items():
        print(f"| {name} | {middle:.0f} | {most:.0f} | {own:.0f} |")
    print(f"script {script_size()} of {SCRIPT} bytes, compressed")
    slow = [name for name, (_, most, _own) in found.items() if asked.limit and most > asked.limit]
    if slow or script_size() > SCRIPT:
        sys.exit(f"too much: {', '.join(slow) or 'script'}")


if __name__ == "__main__":
    main()
