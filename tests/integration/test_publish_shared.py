"""What all senders keep together, on both stores: one hand to a plan, one gate, one pace; calls at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from adapters.base import Message, Receipt, Status
from adapters.errors import TargetRefuses, TargetUnavailable
from adapters.targets.memory import MemoryTarget
from hub import clock as wall
from hub import queries
from hub.errors import Conflict, NotApproved, StoreUnavailable
from hub.flow import failures, gates, lease, publish, sending
from hub.flow.gates import Shared
from hub.flow.lease import Lease
from hub.store import sending as stored
from hub.store.engine import connect, writing
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver, golden_of, invoice


def quiet(_seconds: float) -> None:
    """Do not wait."""


def approved(hub: Hub, erp: MemoryTarget) -> int:
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    return plan


def companies(hub: Hub, count: int) -> list[str]:
    deliver(hub, [account("crm", str(n), name=f"Company {n} {'abcdefgh'[n % 8] * 6}") for n in range(count)])
    return [golden_of(hub, f"crm:account:{n}")["id"] for n in range(count)]


class Watched(MemoryTarget):
    """Takes its time, and notes what is in flight with what."""

    def __init__(self, parallel: int = 4, seconds: float = 0.01) -> None:
        super().__init__("erp")
        self.capabilities = replace(self.capabilities, parallel=parallel, batch=5)
        self.seconds, self.lock = seconds, threading.Lock()
        self.calls, self.most = list[list[Message]](), 0
        self.together = set[frozenset[str]]()
        self.sent = Counter[str]()

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        mine = list(messages)
        with self.lock:
            self.calls.append(mine)
            self.most = max(self.most, len(self.calls))
            self.sent.update(one.golden_id for one in mine)
            flying = [one.golden_id for call in self.calls for one in call]
            self.together |= {frozenset((a, b.golden_id)) for a in flying for b in mine}
        time.sleep(self.seconds)
        receipts = super().send(messages)
        with self.lock:
            self.calls.remove(mine)
        return receipts


def test_calls_are_made_at_once_as_many_as_the_target_allows(hub: Hub) -> None:
    companies(hub, 40)
    erp = Watched(parallel=3)
    assert publish.apply(hub.engine, erp, approved(hub, erp), hub.clock) == {"acknowledged": 40}
    assert erp.most == 3
    assert set(erp.sent.values()) == {1}


@pytest.mark.promise("A-51")
def test_child_is_never_in_flight_with_its_parent(hub: Hub) -> None:
    customers = [account("billing", f"c{n}", name=f"Company {n} {'abcdefgh'[n] * 6}") for n in range(8)]
    bills = [invoice("billing", f"i{n}", number=f"INV-{n}", status="open", account=f"c{n % 8}") for n in range(16)]
    deliver(hub, [*customers, *bills])
    erp = Watched()
    assert publish.apply(hub.engine, erp, approved(hub, erp), hub.clock) == {"acknowledged": 24}
    assert erp.most == 4
    for n in range(16):
        pair = frozenset(golden_of(hub, f"billing:{key}")["id"] for key in (f"invoice:i{n}", f"account:c{n % 8}"))
        assert pair not in erp.together


def test_call_that_is_lost_costs_only_its_own_messages(hub: Hub) -> None:
    """The answers of the other calls are written; only what was lost is looked for, and nothing goes twice."""
    ids = companies(hub, 20)
    erp = Watched()
    erp.cut = lambda message: message.golden_id == ids[7] and erp.sent[ids[7]] == 1
    plan = approved(hub, erp)
    with pytest.raises(Exception, match="its answer was lost"):
        publish.apply(hub.engine, erp, plan, hub.clock, quiet)
    assert publish.counted(hub.engine, plan) == {"acknowledged": 15, "sending": 5}
    assert publish.apply(hub.engine, erp, plan, hub.clock, quiet) == {"acknowledged": 20}
    assert erp.effects == 20


@pytest.mark.promise("A-72")
def test_gate_that_one_sender_met_shut_is_shut_for_all(hub: Hub, clock: FixedClock) -> None:
    companies(hub, 2)
    tries: list[str] = []
    says = [Receipt(Status.THROTTLED, says="slow down", wait=timedelta(minutes=10))]

    def answer(message: Message) -> Receipt | None:
        tries.append(message.golden_id)
        return says[0] if says else None

    first = MemoryTarget("erp", answer)
    plan = approved(hub, first)
    assert publish.apply(hub.engine, first, plan, hub.clock, quiet) == {"planned": 2}
    deliver(hub, [account("crm", "new", name="Dune Dairy")])
    tried, other = len(tries), approved(hub, first)
    assert publish.apply(hub.engine, first, other, hub.clock, quiet) == {"planned": 1}
    assert len(tries) == tried
    (told,) = failures.status(hub.engine, "erp")
    assert told["gate"]["opens_at"] == clock() + timedelta(minutes=10)
    says.clear()
    clock.move(minutes=10)
    assert publish.resume(hub.engine, first, hub.clock, quiet) == [plan, other]
    assert failures.status(hub.engine, "erp")[0]["gate"] is None


def test_gate_lets_one_message_try_it_for_all_after_trouble_in_a_row(hub: Hub, clock: FixedClock) -> None:
    companies(hub, 20)
    down, sizes = [True], list[int]()
    erp = MemoryTarget("erp")
    take = erp.send

    def send(messages: Sequence[Message]) -> list[Receipt]:
        sizes.append(len(messages))
        if down[0]:
            raise TargetUnavailable("no route")
        return take(messages)

    erp.send = send  # type: ignore[method-assign]
    erp.capabilities = replace(erp.capabilities, parallel=1)
    plan = approved(hub, erp)
    for _ in range(gates.FAILS + 2):
        with pytest.raises(TargetUnavailable):
            publish.apply(hub.engine, erp, plan, hub.clock, quiet)
        clock.move(minutes=31)
    with writing(hub.engine) as connection:
        assert gates.passing(connection, "erp", clock(), 200) == 1
        assert gates.passing(connection, "erp", clock(), 200) == 0
    down[0] = False
    clock.move(minutes=3)
    sizes.clear()
    assert publish.apply(hub.engine, erp, plan, hub.clock, quiet) == {"acknowledged": 20}
    assert erp.effects == 20


def test_target_that_refuses_us_stops_all_workers_until_somebody_sends_by_hand(hub: Hub, clock: FixedClock) -> None:
    companies(hub, 1)
    says = [Receipt(Status.FORBIDDEN, says="the password has changed")]
    calls: list[str] = []

    def answer(message: Message) -> Receipt | None:
        calls.append(message.golden_id)
        return says[0] if says else None

    erp = MemoryTarget("erp", answer)
    plan = approved(hub, erp)
    with pytest.raises(TargetRefuses, match="password"):
        publish.apply(hub.engine, erp, plan, hub.clock, quiet, by_hand=False)
    clock.move(minutes=10)
    for _ in range(5):
        assert publish.apply(hub.engine, erp, plan, hub.clock, quiet, by_hand=False) == {"planned": 1}
    assert len(calls) == 1
    with pytest.raises(TargetRefuses):
        publish.apply(hub.engine, erp, plan, hub.clock, quiet)
    says.clear()
    assert publish.apply(hub.engine, erp, plan, hub.clock, quiet) == {"acknowledged": 1}


def test_pace_is_kept_by_all_senders_together(hub: Hub) -> None:
    """Four senders, 20 calls a second with bursts of two: no window holds more than the rate allows."""
    starts, lock = list[float](), threading.Lock()

    def sender(_: int) -> None:
        shared = Shared(hub.engine, wall.now, "erp", 20.0, 2)
        for _call in range(5):
            time.sleep(shared.wait())
            with lock:
                starts.append(time.monotonic())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sender, range(4)))
    starts.sort()
    assert starts[-1] - starts[0] >= 18 / 20 - 0.15


def test_pace_forgets_turns_that_a_clock_took_that_went_wrong(hub: Hub) -> None:
    ahead = Shared(hub.engine, lambda: wall.now() + timedelta(hours=1), "erp", 1.0, 1)
    assert ahead.wait() == 0.0
    assert Shared(hub.engine, wall.now, "erp", 1.0, 1).wait() == 0.0


def test_sender_that_lost_its_plan_changes_nothing_and_stops(hub: Hub, clock: FixedClock) -> None:
    companies(hub, 3)
    erp = MemoryTarget("erp")
    plan = approved(hub, erp)
    take, inside = erp.send, [True]

    def send(messages: Sequence[Message]) -> list[Receipt]:
        receipts = take(messages)
        if inside.pop() if inside else False:  # while the answer is on its way, another one takes the plan over
            with writing(hub.engine) as connection:
                assert stored.holds(connection, plan, 1, hub.clock() - timedelta(minutes=1))
            Lease(hub.engine, plan, hub.clock).take(quiet)
        return receipts

    erp.send = send  # type: ignore[method-assign]
    erp.capabilities = replace(erp.capabilities, parallel=1)
    with pytest.raises(Conflict, match="taken over"):
        publish.apply(hub.engine, erp, plan, hub.clock, quiet)
    assert publish.counted(hub.engine, plan) == {"sending": 3}
    clock.move(minutes=6)
    assert publish.apply(hub.engine, erp, plan, hub.clock, quiet) == {"acknowledged": 3}
    assert erp.effects == 3


@pytest.mark.promise("A-48")
def test_clock_that_jumps_ahead_does_not_hand_a_plan_over_that_is_being_sent(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    companies(hub, 30)
    monkeypatch.setattr(lease, "BEAT", 0.05)
    monkeypatch.setattr(lease, "GRACE", 0.5)
    monkeypatch.setattr(sending, "CHUNK", 5)
    erp = Watched(parallel=1, seconds=0.3)
    plan = approved(hub, erp)

    def ahead() -> datetime:
        return wall.now() + timedelta(hours=3)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(publish.apply, hub.engine, erp, plan, wall.now)
        while not erp.sent:
            time.sleep(0.01)
        with pytest.raises(Conflict, match="by another process"):
            publish.apply(hub.engine, erp, plan, ahead)
        assert first.result() == {"acknowledged": 30}
    assert set(erp.sent.values()) == {1}


@pytest.mark.promise("A-48")
@pytest.mark.parametrize("workers", [2, 4])
def test_workers_on_one_plan_send_each_record_once(hub: Hub, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    companies(hub, 40)
    monkeypatch.setattr(sending, "CHUNK", 10)
    erp = Watched(parallel=2, seconds=0.05)
    plan = approved(hub, erp)

    def work(_: int) -> object:
        try:
            return publish.apply(hub.engine, erp, plan, wall.now)
        except (Conflict, NotApproved) as error:
            return type(error).__name__

    with ThreadPoolExecutor(workers) as pool:
        ended = list(pool.map(work, range(workers)))
    assert {"acknowledged": 40} in ended
    assert set(erp.sent.values()) == {1}
    assert queries.plan(hub.engine, plan)["state"] == "done"


@pytest.mark.promise("A-48")
def test_database_that_goes_away_in_the_middle_of_a_run_loses_and_doubles_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its connections end while calls are in flight, as they do when the server is restarted."""
    if hub.engine.dialect.name == "sqlite":
        return  # a file has no server; that its process dies is tried in test_publish_killed
    companies(hub, 30)
    monkeypatch.setattr(sending, "CHUNK", 10)
    erp = Watched(parallel=2)
    plan = approved(hub, erp)
    other = connect(hub.settings.url)
    send, cuts = erp.send, [3]

    def cut(messages: Sequence[Message]) -> list[Receipt]:
        receipts = send(messages)
        if len(erp.sent) > 10 and cuts and cuts.pop():
            with other.connect() as connection:
                ended = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                connection.execute(sa.text(f"{ended} and pid <> pg_backend_pid()"))
        return receipts

    monkeypatch.setattr(erp, "send", cut)
    counts: dict[str, int] = {}
    with suppress(StoreUnavailable, sa.exc.OperationalError):
        counts = publish.apply(hub.engine, erp, plan, hub.clock, quiet)
    if counts != {"acknowledged": 30}:
        hub.clock.move(minutes=6)  # type: ignore[attr-defined]
        counts = publish.apply(hub.engine, erp, plan, hub.clock, quiet)
    other.dispose()
    assert counts == {"acknowledged": 30}
    assert erp.effects == 30
