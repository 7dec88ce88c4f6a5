"""Publishing, measured: `python -m tests.benchmarks.publish tryton|apply|plan|reconcile [--records N] [--store URL]`.

`tryton` publishes to a real server and tells how much of the time is spent in it, by the clock of the transport;
the rest is the hub's own. `apply` publishes to a target that takes 5 ms for each message. `plan` plans a few changed records of many; `reconcile` reads all of them back. Both
write their golden records straight into the tables, because only their number matters here.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.base import Connection, Found, Message, Receipt, Status
from adapters.ledger_words import render
from adapters.peers.tryton import TrytonServer
from adapters.registry import KINDS
from adapters.targets.memory import MemoryTarget
from canonical.record import GoldenRecord
from hub.flow import publish
from hub.flow.reconcile import reconcile
from hub.settings import Settings
from hub.store import bulk
from hub.store.engine import writing
from hub.store.tables import golden, golden_version, outbox, publication, record
from hub.wiring import Hub
from tests.worlds import account, deliver

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 20_000


class Shelf(MemoryTarget):
    """A target that has exactly what was published, without keeping a copy of it."""

    def __init__(self, count: int) -> None:
        super().__init__("erp")
        self.count = count

    def send(self, messages: Sequence[Any]) -> list[Receipt]:
        return [Receipt(Status.APPLIED, message.golden_id) for message in messages]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:
        for number in range(self.count if entity == "account" else 0):
            made = made_of(number)
            yield Found(entity, made.id, made.id, render(made, {}), "1")


def made_of(number: int, name: str = "Company") -> GoldenRecord:
    """A golden record by number."""
    values = {"legal_name": f"{name} {number}", "status": "active", "email": f"a{number}@company.example"}
    return GoldenRecord(f"acc_{number:016d}", "account", 1, values, {}, (), "r")


def fill(hub: Hub, count: int) -> None:
    """So many golden records, each published as it is."""
    for start in range(0, count, PAGE):
        numbers = range(start, min(start + PAGE, count))
        made = [made_of(number) for number in numbers]
        bodies = [render(one, {}) for one in made]
        with writing(hub.engine) as connection:
            columns = ("id", "system", "entity", "key", "number", "asserted_at", "content_hash", "state", "status")
            rows: Any = ((n, "crm", "account", str(n), 1, NOW, b"0" * 16, "live", "linked") for n in numbers)
            bulk.insert(connection, record, columns, rows)
            columns = ("id", "entity", "state", "version", "label", "sources", "content_hash", "founder_id", "generation",
                       "published", "created_at", "changed_at")  # fmt: skip
            rows = ((o.id, "account", "live", 1, o.values["legal_name"], 1, b"0" * 16, n, 0, True, NOW, NOW)
                    for n, o in zip(numbers, made, strict=True))  # fmt: skip
            bulk.insert(connection, golden, columns, rows)
            columns = ("golden_id", "version", "values", "provenance", "members", "ruleset", "valid_from")
            bulk.insert(connection, golden_version, columns, ((o.id, 1, o.values, {}, [], "r", NOW) for o in made))
            columns = ("target", "golden_id", "acknowledged_version", "remote_id", "remote_version", "values", "body",
                       "body_hash", "active", "acknowledged_at")  # fmt: skip
            rows = (("erp", o.id, 1, o.id, "1", o.values, body, b"0" * 16, True, NOW)
                    for o, body in zip(made, bodies, strict=True))  # fmt: skip
            bulk.insert(connection, publication, columns, rows)


def change(hub: Hub, count: int, of: int) -> None:
    """Another version of some of them, spread over all, owed to the target."""
    numbers = range(0, of, of // count)
    made = [made_of(number, "Renamed") for number in numbers]
    with writing(hub.engine) as connection:
        columns = ("golden_id", "version", "values", "provenance", "members", "ruleset", "valid_from")
        bulk.insert(connection, golden_version, columns, ((o.id, 2, o.values, {}, [], "r", NOW) for o in made))
        bulk.update(connection, golden, ("id",), [{"id": one.id, "version": 2} for one in made])
        columns = ("target", "entity", "golden_id", "version", "action", "state", "created_at")
        rows = (("erp", "account", one.id, 2, "upsert", "pending", NOW) for one in made)
        bulk.insert(connection, outbox, columns, rows)


def peak() -> float:
    """The most memory so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tryton(hub: Hub, folder: Path, count: int) -> None:
    """So many customers to a real server."""
    deliver(hub, [account("crm", str(n), name=f"Company {n:05d} {'abcdefgh'[n % 8] * 6}", email=f"a{n}@c{n}.example",
                          country="GB", city="Leeds", street=f"{n} Mill Lane") for n in range(count)])  # fmt: skip
    with TrytonServer(folder / "tryton") as server:
        target: Any = KINDS["tryton"](Connection("erp", "tryton", folder, server.options))
        target.check()
        spent, call = [0.0], target.tryton.transport.call

        def timed(*given: Any, **more: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*given, **more)
            finally:
                spent[0] += time.perf_counter() - started

        target.tryton.transport.call = timed
        plan = publish.make_plan(hub.engine, target, "ana", hub.clock())
        publish.approve(hub.engine, plan, None, "ben", hub.clock())
        started = time.perf_counter()
        counts = publish.apply(hub.engine, target, plan, hub.clock)
        took = time.perf_counter() - started
        target.tryton.transport.close()
    over = (took - spent[0]) / spent[0]
    print(
        f"tryton     {counts} in {took:.1f} s: {count / took:.0f} records/s; in Tryton {spent[0]:.1f} s, the hub's own {over:.0%} of that"
    )


class Slow(MemoryTarget):
    """A target in this process that takes 5 ms for each message, as many calls at once as it is told."""

    def __init__(self, parallel: int) -> None:
        super().__init__("erp")
        self.capabilities = replace(self.capabilities, parallel=parallel, batch=50)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """One after the other."""
        time.sleep(0.005 * len(messages))
        return super().send(messages)


def at_once(hub: Hub, count: int, parallel: int) -> None:
    """So many new records to a target that takes its time."""
    deliver(hub, [account("crm", str(n), name=f"Company {n:05d} {'abcdefgh'[n % 8] * 6}") for n in range(count)])
    target = Slow(parallel)
    plan = publish.make_plan(hub.engine, target, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    started = time.perf_counter()
    counts = publish.apply(hub.engine, target, plan, hub.clock)
    took, alone = time.perf_counter() - started, count * 0.005
    print(
        f"apply      {counts}, {parallel} calls at once: {took:.1f} s, {count / took:.0f} records/s; one at a time takes the target {alone:.1f} s"
    )


def planned(hub: Hub, count: int, changed: int) -> None:
    """A plan over a few changed records of many."""
    fill(hub, count)
    change(hub, changed, count)
    before, started = peak(), time.perf_counter()
    plan = publish.make_plan(hub.engine, Shelf(count), "ana", hub.clock())
    took = time.perf_counter() - started
    print(f"plan       {count:,} golden, {changed:,} changed: {took:.1f} s, {peak() - before:.0f} MiB more (P-{plan})")


def read_back(hub: Hub, count: int, changed: int) -> None:
    """Everything read back and compared; some of it differs."""
    fill(hub, count)
    with writing(hub.engine) as connection:
        rows = [
            {"target": "erp", "golden_id": made_of(n).id, "body": {"name": "x"}}
            for n in range(0, count, count // changed)
        ]
        bulk.update(connection, publication, ("target", "golden_id"), rows)
    before, started = peak(), time.perf_counter()
    found = reconcile(hub.engine, Shelf(count), hub.clock)
    took = time.perf_counter() - started
    print(f"reconcile  {found.read:,} against {count:,}, {found.counts}: {took:.1f} s, {found.read / took:,.0f} records/s, "
          f"{peak() - before:.0f} MiB more")  # fmt: skip


def main() -> None:
    """Run one measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("what", choices=("tryton", "apply", "plan", "reconcile"))
    asked.add_argument("--records", type=int, default=100_000)
    asked.add_argument("--changed", type=int, default=1_000)
    asked.add_argument("--at-once", type=int, default=4, help="calls at once, of `apply`")
    asked.add_argument("--store", help="a database address; SQLite in a temporary folder without one")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Settings(dir=Path(folder), **({"database_url": given.store} if given.store else {})))
        hub.prepare()
        if given.what == "tryton":
            tryton(hub, Path(folder), given.records)
        elif given.what == "apply":
            at_once(hub, given.records, given.at_once)
        else:
            {"plan": planned, "reconcile": read_back}[given.what](hub, given.records, given.changed)


if __name__ == "__main__":
    main()
