"""The whole way by itself: a worker publishes to a real Tryton, which is read back, and what is edited there is heard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ruamel.yaml import YAML

from adapters.peers.tryton import TrytonServer
from adapters.targets.tryton import TrytonTarget
from hub.flow.reconcile import accept, resend
from hub.flow.replay import verify as replay
from hub.settings import Settings
from hub.store import drift, schedules
from hub.store.access import Principal
from hub.store.engine import reading, writing
from hub.wiring import Hub
from hub.worker import run_now
from tests.worlds import account, deliver, golden_of, invoice

pytestmark = pytest.mark.slow  # a schedule fires at full minutes


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Hub]:
    """A hub whose target is a real server, and a worker process that follows its schedules."""
    with TrytonServer(tmp_path / "tryton") as server:
        with (tmp_path / "targets.yaml").open("w") as file:
            YAML().dump({"erp": {"kind": "tryton", **server.options}}, file)
        hub = Hub(Settings(dir=tmp_path))
        hub.prepare()
        worker = subprocess.Popen([sys.executable, "-m", "hub", "work"], env={**os.environ, "HUB_DIR": str(tmp_path)})
        yield hub
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        hub.engine.dispose()


def schedule(hub: Hub, job: str, cron: str = "* * * * *") -> None:
    row = {"job": job, "target": "erp", "cron": cron, "timezone": "UTC", "paused": False, "blackouts": []}
    with writing(hub.engine) as connection:
        schedules.put(connection, {"id": job, **row})


def until(hub: Hub, job: str, says: str) -> str:
    """Wait for the firing whose outcome says so."""
    end = time.monotonic() + 150
    while time.monotonic() < end:
        with reading(hub.engine) as connection:
            said = [one["outcome"] or "" for one in schedules.firings(connection) if one["schedule_id"] == job]
        for one in said:
            if says in one:
                return str(one)
        time.sleep(1)
    raise AssertionError(f"no firing of {job} says {says!r}: {said}")


def test_customers_are_published_read_back_edited_there_adopted_and_resent(work: Hub) -> None:
    one = uuid4().hex[:6]
    deliver(work, [
        *(account("crm", f"{one}{n}", name=f"Company {n} {one}", email=f"a{n}@{one}.example", street="1 Mill Lane",
                  city="Leeds", country="GB", status="active") for n in range(3)),
        invoice("crm", f"i{one}", number=f"INV-{one}", status="open", account=f"{one}0", net="100", gross="100",
                currency="EUR", issued="2026-10-01", lines=[{"id": "1", "net": "100"}]),
    ])  # fmt: skip
    schedule(work, "publish")
    for job in ("reconcile", "hear"):
        schedule(work, job, "0 0 1 1 *")  # asked for below
    until(work, "publish", "4 acknowledged")
    run_now(work, "reconcile")
    (own,) = _standing(work)  # the party of the ledger's own company
    assert own["kind"] == "extra"
    accept(work.engine, own["id"], "mia", "it is the ledger's own", work.clock())
    assert run_now(work, "reconcile") == "done: 5 read, 0 missing, 0 extra, 0 different, 1 accepted"
    assert "3 as sent" in run_now(work, "hear")
    assert "edited" not in run_now(work, "hear")
    ids = [str(golden_of(work, f"crm:account:{one}{n}")["id"]) for n in range(3)]
    erp = work.target("erp")
    assert isinstance(erp, TrytonTarget)
    there = {str(found.golden_id): int(found.remote_id) for found in erp.find("account", ids)}
    for golden_id, name in zip(ids, ("Adopted there", "Resent from here"), strict=False):
        erp.tryton.call("model.party.party.write", [there[golden_id]], {"name": name})
    assert "2 different" in run_now(work, "reconcile")
    rows = {row["golden_id"]: row for row in _standing(work) if row["kind"] == "different"}
    assert all(row["cause"].startswith("edited there") and row["since"] for row in rows.values())
    assert rows[ids[0]]["fields"] == {"name": [f"Company 0 {one}", "Adopted there"]}
    assert "2 edited there" in run_now(work, "hear")
    assert golden_of(work, f"erp:account:{there[ids[0]]}")["id"] == ids[0]
    work.adopt(rows[ids[0]]["id"], Principal("mia", "steward"), "the new name is right")
    work.desk(Principal("mia", "steward")).override(
        _key(one), "legal_name", "Adopted there", reason="the ledger is right"
    )
    resend(work.engine, rows[ids[1]]["id"], "mia", "ours is right", work.clock())
    _wait(lambda: _names(erp, ids) == {ids[0]: "Adopted there", ids[1]: f"Company 1 {one}", ids[2]: f"Company 2 {one}"})
    assert "0 different, 1 accepted" in run_now(work, "reconcile")
    assert replay(work.engine).differences == 0
    erp.tryton.transport.close()


def _key(one: str) -> Any:
    from canonical.ids import SourceKey

    return SourceKey("crm", "account", f"{one}0")


def _names(erp: TrytonTarget, ids: list[str]) -> dict[str, Any]:
    return {str(found.golden_id): found.body["name"] for found in erp.find("account", ids)}


def _standing(hub: Hub) -> list[dict[str, Any]]:
    with reading(hub.engine) as connection:
        return drift.standing(connection, "erp")


def _wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 150
    while not done():
        assert time.monotonic() < end
        time.sleep(1)
