"""Schedules: any number of workers, each job once; what a lost worker left is taken over."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from hub.settings import Settings
from hub.store import schedules
from hub.store.engine import reading, writing
from hub.store.tables import audit, firing
from hub.wiring import Hub
from hub.worker import Worker
from tests.worlds import account, deliver

NIGHTLY = {"id": "nightly", "job": "publish", "target": "erp", "cron": "0 2 * * *", "timezone": "UTC", "paused": False}


def test_claim_one_firing_belongs_to_one_worker(hub: Hub) -> None:
    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY)
    first, second = Worker(hub), Worker(hub)
    second.name = "another"
    assert first.claim("nightly", hub.clock())
    assert not second.claim("nightly", hub.clock())


def test_claim_that_has_run_out_is_taken_over_once(hub: Hub, clock: object) -> None:
    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY)
    fire_at = hub.clock()
    lost, next_one, late = Worker(hub), Worker(hub), Worker(hub)
    next_one.name, late.name = "next", "late"
    assert lost.claim("nightly", fire_at)
    clock.move(seconds=schedules.LEASE.total_seconds() + 1)  # type: ignore[attr-defined]
    assert next_one.claim("nightly", fire_at)
    assert not late.claim("nightly", fire_at)
    with writing(hub.engine) as connection:
        assert not schedules.extend(connection, "nightly", fire_at, lost.name, hub.clock())


def test_run_publishes_what_is_owed_and_writes_how_it_ended(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY)
    worker = Worker(hub)
    assert worker.claim("nightly", hub.clock())
    worker.run("nightly", hub.clock())
    with reading(hub.engine) as connection:
        row = connection.execute(sa.select(firing)).one()
    assert (row.state, row.outcome) == ("done", "P-1: 1 acknowledged")


def test_run_keeps_its_lease_while_the_work_takes_longer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub import worker as module

    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY)
    monkeypatch.setattr(schedules, "LEASE", timedelta(seconds=0.3))
    seen: list[object] = []

    def slow(hub: Hub, _row: object) -> str:
        for _ in range(4):
            time.sleep(0.15)
            hub.clock.move(seconds=0.15)  # type: ignore[attr-defined]
            with reading(hub.engine) as connection:
                seen.append(schedules.abandoned(connection, hub.clock()))
        return "slow"

    monkeypatch.setitem(module._JOBS, "publish", slow)
    worker = Worker(hub)
    fire_at = hub.clock()
    assert worker.claim("nightly", fire_at)
    worker.run("nightly", fire_at)
    assert seen == [[], [], [], []]


def test_refresh_runs_what_a_lost_worker_left(hub: Hub, clock: object) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY)
    assert Worker(hub).claim("nightly", hub.clock())
    clock.move(seconds=schedules.LEASE.total_seconds() + 1)  # type: ignore[attr-defined]
    rescuer = Worker(hub)
    rescuer.name = "rescuer"
    rescuer.refresh()
    with reading(hub.engine) as connection:
        assert connection.execute(sa.select(firing.c.state, firing.c.holder)).one() == ("done", "rescuer")


def _work(url: str, directory: str, seconds: float) -> None:
    worker = Worker(Hub(Settings(dir=directory, database_url=url)))  # type: ignore[arg-type]
    worker.start()
    time.sleep(seconds)
    worker.stop()


def test_start_makes_up_the_newest_firing_that_nobody_was_there_for_once(hub: Hub, clock: object) -> None:
    first = datetime(2026, 10, 1, 2, tzinfo=UTC)
    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY)
    assert Worker(hub).claim("nightly", first)
    with writing(hub.engine) as connection:
        schedules.finish(connection, "nightly", first, ("done", ""), hub.clock())
    clock.now = datetime(2026, 10, 4, 1, 59, tzinfo=UTC)  # type: ignore[attr-defined]
    for worker in (Worker(hub), Worker(hub)):
        worker.refresh()
        worker.refresh()
    with reading(hub.engine) as connection:
        ran = [row["fire_at"] for row in schedules.firings(connection) if row["schedule_id"] == "nightly"]
    assert ran == [datetime(2026, 10, 3, 2, tzinfo=UTC), first]


@pytest.mark.promise("A-38")
def test_three_worker_processes_run_every_firing_once(hub: Hub) -> None:
    """A job that is due every second fires once a second, not three times."""
    from hub import worker as module

    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY | {"id": "often", "cron": "* * * * *"})
    hub.engine.dispose()
    real = module.CronTrigger.from_crontab
    module.CronTrigger.from_crontab = lambda *_a, **_k: module.CronTrigger(second="*", timezone="UTC")
    try:
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=_work, args=(hub.settings.url, str(hub.settings.dir), 4)) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
    finally:
        module.CronTrigger.from_crontab = real
    with reading(hub.engine) as connection:
        mine = sa.select(firing.c.fire_at).where(firing.c.schedule_id == "often")
        fired = Counter(connection.execute(mine).scalars())
        plans = connection.execute(sa.select(sa.func.count()).where(audit.c.action == "plan")).scalar_one()
    assert 2 <= len(fired) <= 6
    assert set(fired.values()) == {1}
    assert plans == len(fired)
    assert max(fired) - min(fired) < timedelta(seconds=8)


@pytest.mark.promise("A-73")
def test_blackout_calls_nothing_and_what_is_owed_waits(hub: Hub, clock: object) -> None:
    from hub.worker import run_now

    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    with writing(hub.engine) as connection:
        schedules.put(connection, {**NIGHTLY, "blackouts": ["11:00-13:00"]})
    assert run_now(hub, "nightly") == "done: not run: blackout 11:00-13:00"
    clock.move(hours=2)  # type: ignore[attr-defined]
    assert run_now(hub, "nightly") == "done: P-1: 1 acknowledged"


def test_schedules_on_the_command_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from hub.cli import scheduling
    from hub.errors import InvalidRequest, NotFound

    monkeypatch.setattr(scheduling, "open_hub", lambda _directory: hub)
    run = CliRunner().invoke
    made = run(scheduling.schedule, ["put", "hourly", "publish", "--cron", "0 * * * *", "--target", "erp", "--zone", "Europe/Berlin",
                                     "--blackout", "sat,sun 00:00-24:00"])  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "sat,sun 00:00-24:00" in run(scheduling.schedule, ["ls"]).output
    run(scheduling.schedule, ["pause", "hourly"])
    with reading(hub.engine) as connection:
        assert schedules.get(connection, "hourly")["paused"]
    wrong = run(
        scheduling.schedule, ["put", "x", "publish", "--cron", "0 * * * *", "--target", "erp", "--blackout", "never"]
    )
    assert isinstance(wrong.exception, InvalidRequest)
    assert isinstance(run(scheduling.schedule, ["run", "nobody"]).exception, NotFound)
