"""The process that sends is killed, again and again, over a real Tryton: nothing is doubled, nothing is lost.

In full (`pytest -m slow`): 200 kills over 500 records. Otherwise three over sixty.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Connection
from adapters.peers.tryton import TrytonServer
from adapters.registry import KINDS
from canonical.document import written
from hub import queries
from hub.clock import now
from hub.flow import publish
from hub.settings import Settings
from hub.store.engine import writing
from hub.store.tables import plan as plan_table
from hub.wiring import Hub
from tests.worlds import account, deliver, golden_of

SENDING = """
import sys
from pathlib import Path
from hub.clock import now
from hub.flow import publish
from hub.settings import Settings
from hub.wiring import Hub

publish.CHUNK = int(sys.argv[3])
hub = Hub(Settings(dir=Path(sys.argv[1])))
print("begun", flush=True)
publish.apply(hub.engine, hub.target("erp"), int(sys.argv[2]), now, pause=lambda _seconds: None)
"""


@pytest.mark.promise("A-48")
@pytest.mark.parametrize(("kills", "count"), [(3, 60), pytest.param(200, 500, marks=pytest.mark.slow)])
def test_sender_that_is_killed_again_and_again_doubles_nothing_and_loses_nothing(
    tmp_path: Path, kills: int, count: int
) -> None:
    hub = Hub(Settings(dir=tmp_path))
    hub.prepare()
    deliver(
        hub,
        [
            account("crm", str(n), name=f"Company {n:04d} {'abcdefgh'[n % 8] * 6}", city="Leeds", country="GB")
            for n in range(count)
        ],
    )
    chance = random.Random(7)
    with TrytonServer(tmp_path / "tryton") as server:
        (tmp_path / "targets.yaml").write_text(written({"erp": {"kind": "tryton", **server.options}}))
        erp: Any = KINDS["tryton"](Connection("erp", "tryton", tmp_path, server.options))
        number = publish.make_plan(hub.engine, erp, "ana", now())
        publish.approve(hub.engine, number, None, "ben", now())
        killed = 0
        for _ in range(kills):
            command = [sys.executable, "-c", SENDING, str(tmp_path), str(number), "5"]
            sender = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(Path.cwd())})
            assert sender.stdout is not None
            sender.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.25))
            sender.send_signal(signal.SIGKILL)
            sender.wait()
            sender.stdout.close()
            killed += sender.returncode == -signal.SIGKILL
            with writing(hub.engine) as connection:  # its lease would run out in five minutes
                connection.execute(plan_table.update().values(holder=None, lease_until=None))
        if queries.plan(hub.engine, number)["state"] != "done":
            publish.apply(hub.engine, erp, number, now, pause=lambda _seconds: None)
        ids = [golden_of(hub, f"crm:account:{n}")["id"] for n in range(count)]
        found = {one.golden_id: one.remote_id for one in erp.find("account", ids)}
        there = Counter(one.golden_id for one in erp.find("account", ids))
        erp.tryton.transport.close()
    assert killed >= min(3, kills) - 1
    assert there == dict.fromkeys(ids, 1)
    assert publish.counted(hub.engine, number) == {"acknowledged": count}
    assert {id_: queries.record(hub.engine, id_).published[0]["remote_id"] for id_ in ids} == found
    hub.engine.dispose()
