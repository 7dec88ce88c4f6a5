"""The scheduled process, and the only home of APScheduler.

APScheduler only wakes: each worker computes the same fire times from the schedule table, and whoever
claims a firing first runs it. A claim is a lease; what a lost worker has claimed is run by another.
Two workers with one job store would fire everything twice, so there is no job store.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from canonical.errors import MasterDataError
from hub import queries, windows
from hub.errors import InvalidRequest
from hub.flow import dates, publish, relations, webhooks
from hub.flow.meanwhile import meanwhile
from hub.flow.reconcile import reconcile
from hub.log import logger
from hub.store import plans, retention, schedules, shown
from hub.store.engine import reading, writing
from hub.wiring import Hub

REFRESH = 10  # seconds between two looks at the schedule table
LATE = timedelta(minutes=2)  # after which a fire time counts as missed
MADE_UP = timedelta(days=1)  # for as long a missed one is still made up
SCHEDULER = "scheduler"  # who made a plan that a schedule made


class Worker:
    """One worker over one hub."""

    def __init__(self, hub: Hub) -> None:
        """A worker that is not running yet."""
        self.hub = hub
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._known: dict[str, tuple[str, str, bool]] = {}
        self.scheduler = BackgroundScheduler(timezone="UTC", executors={"default": _Claiming(self)})
        self.scheduler.add_job(self.refresh, "interval", seconds=REFRESH, id="refresh", executor="own")
        self.scheduler.add_executor(ThreadPoolExecutor(1), "own")

    def start(self) -> None:
        """Begin to wake at the fire times."""
        self.refresh()
        self.scheduler.start()

    def stop(self) -> None:
        """Finish what is running, and wake no more."""
        self.scheduler.shutdown()

    def refresh(self) -> None:
        """Follow the schedule table, take over what lost workers left unfinished, and seal who was shown what."""
        shown.seal(self.hub.engine, self.hub.beside)
        with reading(self.hub.engine) as connection:
            rows = schedules.every(connection)
            left = schedules.abandoned(connection, self.hub.clock())
            last = schedules.latest(connection)
        new = [row for row in rows if row["id"] not in self._known and not row["paused"]]
        missed = [(row["id"], self._missed(row, last.get(row["id"]))) for row in new]
        for row in rows:
            self._follow(row)
        for gone in self._known.keys() - {row["id"] for row in rows}:
            self.scheduler.remove_job(gone)
            del self._known[gone]
        for schedule_id, fire_at in [*left, *((name, at) for name, at in missed if at)]:
            if self.claim(schedule_id, fire_at):
                self.run(schedule_id, fire_at)

    def _missed(self, row: Mapping[str, Any], last: datetime | None) -> datetime | None:
        """The newest fire time since the last firing at which no worker was there; the first one makes it up."""
        now = self.hub.clock()
        if last is None or last < now - MADE_UP:
            last = last and now - MADE_UP
        trigger, found = CronTrigger.from_crontab(row["cron"], timezone=row["timezone"]), None
        while last and (last := trigger.get_next_fire_time(None, last + timedelta(seconds=1))) and last < now - LATE:
            found = last
        return found.astimezone(UTC) if found else None

    def claim(self, schedule_id: str, fire_at: datetime) -> bool:
        """Whether this worker is the one to run a firing."""
        with writing(self.hub.engine) as connection:
            return schedules.claim(connection, schedule_id, fire_at, self.name, self.hub.clock())

    def run(self, schedule_id: str, fire_at: datetime) -> None:
        """Run a firing that is claimed, and write how it ended."""
        with reading(self.hub.engine) as connection:
            row = next(one for one in schedules.every(connection) if one["id"] == schedule_id)
        with meanwhile(lambda: self._extend(schedule_id, fire_at), schedules.LEASE.total_seconds() / 3):
            try:
                outcome = ("done", _job(self.hub, row))
            except MasterDataError as error:
                outcome = ("failed", str(error))
        with writing(self.hub.engine) as connection:
            schedules.finish(connection, schedule_id, fire_at, outcome, self.hub.clock())
        logger().info("job_ended", schedule=schedule_id, state=outcome[0], worker=self.name)

    def _extend(self, schedule_id: str, fire_at: datetime) -> bool:
        """Hold the lease for as long as the work takes; a worker that dies stops extending it."""
        with writing(self.hub.engine) as connection:
            schedules.extend(connection, schedule_id, fire_at, self.name, self.hub.clock())
        return True

    def _follow(self, row: Mapping[str, Any]) -> None:
        wanted = (row["cron"], row["timezone"], row["paused"])
        if self._known.get(row["id"]) == wanted:
            return
        self._known[row["id"]] = wanted
        trigger = CronTrigger.from_crontab(row["cron"], timezone=row["timezone"])
        job = self.scheduler.add_job(
            lambda: None, trigger, id=row["id"], replace_existing=True, coalesce=True, misfire_grace_time=30
        )
        if row["paused"]:
            job.pause()


class _Claiming(ThreadPoolExecutor):  # type: ignore[misc]
    """An executor that runs only the firings that its worker could claim."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(2)
        self.worker = worker

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        def work() -> list[Any]:
            for fire_at in run_times:
                if self.worker.claim(job.id, fire_at):
                    self.worker.run(job.id, fire_at)
            return []

        def done(future: Any) -> None:
            error = future.exception()
            if error is not None:
                self._run_job_error(job.id, error, error.__traceback__)
            else:
                self._run_job_success(job.id, future.result())

        self._pool.submit(work).add_done_callback(done)


def run(hub: Hub) -> None:
    """Work until the process is asked to stop."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    worker = Worker(hub)
    worker.start()
    logger().info("worker_started", worker=worker.name)
    stopped.wait()
    worker.stop()


def run_now(hub: Hub, name: str) -> str:
    """Run a schedule at once, as a firing of this minute; what came of it. Raises NotFound, or what the job raises."""
    worker, fire_at = Worker(hub), hub.clock()
    with reading(hub.engine) as connection:
        schedules.get(connection, name)
    worker.claim(name, fire_at)
    worker.run(name, fire_at)
    with reading(hub.engine) as connection:
        done = next(one for one in schedules.firings(connection) if one["schedule_id"] == name)
    return f"{done['state']}: {done['outcome']}"


def _job(hub: Hub, row: Mapping[str, Any]) -> str:
    """Run a job, unless its blackout holds: then nothing is called, and what is owed waits for the next time."""
    window = windows.closed_by(row["blackouts"], hub.clock(), row["timezone"])
    return f"not run: blackout {window}" if window else _JOBS[row["job"]](hub, row)


def publish_owed(hub: Hub, row: Mapping[str, Any]) -> str:
    """Plan what is owed to the schedule's target and apply it: the schedule itself is its approval."""
    target = hub.target(row["target"])
    resumed = publish.resume(hub.engine, target, hub.clock)
    with reading(hub.engine) as connection:
        undecided = plans.undecided(connection, target.name)
    waits = [f"P-{one['id']} waits for an approval by {one['needs']}" for one in undecided]
    if waits:
        return f"{', '.join(waits)}; nothing new was planned"
    now = hub.clock()
    plan_id = publish.make_plan(hub.engine, target, SCHEDULER, now)
    if needs := queries.plan(hub.engine, plan_id)["needs"]:
        return f"P-{plan_id} waits for an approval by {needs}"
    publish.approve(hub.engine, plan_id, None, f"schedule {row['id']}", now, role=publish.SCHEDULE)
    counts = publish.apply(hub.engine, target, plan_id, hub.clock, by_hand=False)
    went_on = f"went on with {', '.join(f'P-{one}' for one in resumed)}; " if resumed else ""
    return went_on + (
        f"P-{plan_id}: " + ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        or f"P-{plan_id}: nothing owed"
    )


def try_again(hub: Hub, _row: Mapping[str, Any]) -> str:
    """Send on what waits for its next try, or was left by a process that is gone; not where a blackout holds."""
    with reading(hub.engine) as connection:
        begun = plans.begun(connection)
        rows = schedules.every(connection)
    closed = {
        row["target"]
        for row in rows
        if row["job"] == "publish" and windows.closed_by(row["blackouts"], hub.clock(), row["timezone"])
    }
    went_on = [
        f"P-{plan}"
        for name in begun
        if name not in closed and name in hub.targets
        for plan in publish.resume(hub.engine, hub.target(name), hub.clock)
    ]
    return f"went on with {', '.join(went_on)}" if went_on else "nothing waited"


def read_back(hub: Hub, row: Mapping[str, Any]) -> str:
    """Compare what the schedule's target has with what it was sent."""
    found = reconcile(hub.engine, hub.target(row["target"]), hub.clock)
    told = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
    return f"{found.read} read, {told}" + (f"; broken off: {found.trouble}" if found.trouble else "")


def hear_edits(hub: Hub, row: Mapping[str, Any]) -> str:
    """Take in what was edited in the schedule's target since it was heard last."""
    heard = hub.hear(row["target"])
    return ", ".join(f"{count} {word}" for word, count in heard.items()) or "nothing changed there"


def tell_changes(hub: Hub, _row: Mapping[str, Any]) -> str:
    """Tell every webhook what it has not heard."""
    told = webhooks.tell(hub.engine, hub.clock)
    return f"{sum(told.values())} changes told to {len(told)} receivers"


def follow_dates(hub: Hub, _row: Mapping[str, Any]) -> str:
    """Judge again what an owner's first day or an override's end has touched."""
    changed = dates.follow(hub.engine, hub.clock())
    return ", ".join(f"{count} {entity} changed" for entity, count in changed.items()) or "no date has come"


def forget_reads(hub: Hub, _row: Mapping[str, Any]) -> str:
    """Empty the entries of reads that are older than the hub keeps; none where no age is set."""
    days = hub.settings.read_audit_days
    if days is None:
        return "0 entries forgotten: HUB_READ_AUDIT_DAYS is not set"
    shown.seal(hub.engine, hub.beside)
    return f"{retention.forget_reads(hub.engine, hub.clock() - timedelta(days=days), hub.clock())} entries forgotten"


def look_at_relations(hub: Hub, _row: Mapping[str, Any]) -> str:
    """Look again at what must be true between golden records, where changes have touched it."""
    found = relations.settle(hub.engine, hub.clock())
    return ", ".join(f"{count} findings of {entity} came or went" for entity, count in found.items()) or "nothing new"


def require_fit(name: str, row: Mapping[str, Any], targets: Sequence[str]) -> None:
    """Refuse a schedule that no worker could run: an unknown job, target, time or time zone. Raises InvalidRequest."""
    if row["job"] not in _JOBS:
        raise InvalidRequest(f"schedule {name}: no job {row['job']!r}.", hint=f"Jobs: {', '.join(_JOBS)}.")
    if row["job"] in ("publish", "reconcile", "hear") and row["target"] not in targets:
        raise InvalidRequest(f"schedule {name}: no target {row['target']!r}.", hint=f"Targets: {', '.join(targets)}.")
    for text in row.get("blackouts") or ():
        windows.window(text)
    try:
        CronTrigger.from_crontab(row["cron"], timezone=row["timezone"])
    except (ValueError, LookupError) as error:
        raise InvalidRequest(
            f"schedule {name}: {error}.", hint="Five fields of cron, and a zone as Europe/Berlin."
        ) from None


_JOBS: dict[str, Callable[[Hub, Mapping[str, Any]], str]] = {
    "publish": publish_owed,
    "retries": try_again,
    "reconcile": read_back,
    "hear": hear_edits,
    "dates": follow_dates,
    "relations": look_at_relations,
    "retention": forget_reads,
    "webhooks": tell_changes,
}
