"""Publishing on both stores: planned, approved, sent once, and true to the ledger under faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.base import Message, Receipt, Status
from adapters.errors import TargetUnavailable
from adapters.targets.memory import MemoryTarget
from hub import queries
from hub.errors import Conflict, NotApproved, PlanStale
from hub.flow import failures, publish, sending
from hub.flow.lease import Lease
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver, enforce, golden_of, invoice

TAX = {"tax": "GB980780684", "country": "GB", "email": "x@acorn.example"}


def target(**faults: Receipt) -> MemoryTarget:
    """A ledger called erp; it answers a fault once for each golden record named."""

    def fault(message: Message) -> Receipt | None:
        return faults.pop(str(message.body.get("name")), None)

    return MemoryTarget("erp", fault)


def run(hub: Hub, to: MemoryTarget) -> tuple[int, Mapping[str, int]]:
    plan = publish.make_plan(hub.engine, to, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    return plan, publish.apply(hub.engine, to, plan, hub.clock, pause=lambda _seconds: None)


def entries(hub: Hub, plan: int) -> dict[str, tuple[str, str]]:
    return {e["label"]: (e["action"], e["state"]) for e in queries.plan_with_entries(hub.engine, plan)[1]}


def test_publish_creates_then_has_nothing_more_to_say(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    erp = target()
    assert run(hub, erp)[1] == {"acknowledged": 1}
    assert [one.body["name"] for one in erp.read("account")] == ["Acme Ltd"]
    assert run(hub, erp)[1] == {}


def test_publish_update_shows_its_fields_and_an_unseen_change_sends_nothing(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd", industry="Rail")])
    erp = target()
    run(hub, erp)
    deliver(hub, [account("crm", "1", name="Acme PLC", industry="Rail", at="2026-02-01T00:00:00Z")])
    plan, _ = run(hub, erp)
    changes = queries.plan_with_entries(hub.engine, plan)[1][0]["changes"]
    assert changes == {"name": ["Acme Ltd", "Acme PLC"]}
    deliver(hub, [account("crm", "1", name="Acme PLC", industry="Ships", at="2026-03-01T00:00:00Z")])
    effects = erp.effects
    plan, counts = run(hub, erp)
    assert (entries(hub, plan), counts) == ({"Acme PLC": ("unchanged", "acknowledged")}, {"acknowledged": 1})
    assert erp.effects == effects


@pytest.mark.promise("A-51")
def test_publish_child_waits_for_its_parent_and_goes_after_it(hub: Hub) -> None:
    deliver(hub, [invoice("billing", "i1", number="INV-1", status="open", account="c1")])
    erp = target()
    plan, counts = run(hub, erp)
    assert counts == {"held": 1}
    assert queries.plan_with_entries(hub.engine, plan)[1][0]["reason"] == "account is not here yet"
    deliver(hub, [account("billing", "c1", name="Acme Ltd", status="active")])
    plan, counts = run(hub, erp)
    assert counts == {"acknowledged": 2}
    assert [e["entity"] for e in queries.plan_with_entries(hub.engine, plan)[1]] == ["account", "invoice"]
    made, *_ = erp.read("invoice")
    assert made.body["customer"] == golden_of(hub, "billing:account:c1")["id"]


def test_publish_parents_of_one_entity_go_before_their_children(hub: Hub) -> None:
    names = ("Acorn Holding", "Birch Brewing", "Cedar Clinics", "Dune Dairy", "Ember Energy")
    chain = [account("crm", str(n), name=name, parent=str(n + 1)) for n, name in enumerate(names)]
    deliver(hub, [*chain[:-1], account("crm", str(len(names) - 1), name=names[-1])])
    plan, counts = run(hub, target())
    assert counts == {"acknowledged": 5}
    assert [e["label"] for e in queries.plan_with_entries(hub.engine, plan)[1]] == list(reversed(names))


def test_publish_parents_in_a_circle_are_held_and_nothing_hangs(hub: Hub) -> None:
    deliver(
        hub, [account("crm", "1", name="Acorn Holding", parent="2"), account("crm", "2", name="Birch AG", parent="1")]
    )
    assert run(hub, target())[1] == {"held": 2}


def test_publish_merged_record_is_deactivated_there_once_published(hub: Hub) -> None:
    from canonical.ids import SourceKey
    from hub.store.access import Principal

    enforce(hub, "account", {"approval": []})
    deliver(hub, [account("crm", "a", name="Acorn Ltd"), account("crm", "b", name="Birch AG")])
    erp = target()
    run(hub, erp)
    deliver(hub, [account("crm", k, name="Acorn Ltd", at="2026-02-01T00:00:00Z", **TAX) for k in "ab"])
    assert len({golden_of(hub, f"crm:account:{k}")["id"] for k in "ab"}) == 2, (
        "published records never merge by themselves"
    )
    assert queries.tasks(hub.engine)[0]["reason"] == "both are published"
    keys = [SourceKey.parse(f"crm:account:{k}") for k in "ab"]
    hub.desk(Principal("mia", "steward")).decide("same", *keys, "they merged")
    plan, _ = run(hub, erp)
    assert sorted(e["action"] for e in queries.plan_with_entries(hub.engine, plan)[1]) == ["deactivate", "update"]
    assert len(list(erp.read("account"))) == 1
    assert run(hub, erp)[1] == {}


@pytest.mark.parametrize("winner", ["a", "b"])
def test_publish_merged_record_names_its_heir_goes_once_and_its_invoices_stay(hub: Hub, winner: str) -> None:
    """What was posted to the customer that is no more stays there, when the invoice changes too."""
    from canonical.ids import SourceKey
    from hub.store.access import Principal

    enforce(hub, "account", {"approval": []})
    old, new = {"a": "Acorn Ltd", "b": "Birch AG"}, {"at": "2026-02-01T00:00:00Z", "name": "Acorn Ltd", **TAX}
    deliver(hub, [account("crm", key, name=name) for key, name in old.items()])
    deliver(hub, [invoice("crm", f"i{key}", number=f"INV-{key}", status="open", account=key) for key in old])
    ids = {key: golden_of(hub, f"crm:account:{key}")["id"] for key in old}
    told: list[Message] = []
    erp = MemoryTarget("erp", told.append)  # type: ignore[arg-type, func-returns-value]
    assert run(hub, erp)[1] == {"acknowledged": 4}
    deliver(hub, [account("crm", key, **new) for key in old])
    keys = [SourceKey.parse(f"crm:account:{key}") for key in ("ab" if winner == "a" else "ba")]
    hub.desk(Principal("mia", "steward")).decide("same", *keys, "they merged")
    heir = golden_of(hub, "crm:account:a")["id"]
    (loser,) = set(ids.values()) - {heir}
    told.clear()
    run(hub, erp)
    assert [(one.golden_id, one.action, one.heir) for one in told] == [
        (heir, "update", None), (loser, "deactivate", heir)
    ]  # fmt: skip
    assert told[1].remote_ids == {heir: heir}
    later = {"at": "2026-03-01T00:00:00Z", "status": "paid"}
    deliver(hub, [invoice("crm", f"i{key}", number=f"INV-{key}", account=key, **later) for key in old])
    plan, counts = run(hub, erp)
    assert counts == {"acknowledged": 2}
    assert {tuple(e["changes"]) for e in queries.plan_with_entries(hub.engine, plan)[1]} == {("status",)}
    assert {one.golden_id: one.body["customer"] for one in erp.read("invoice")} == {
        golden_of(hub, f"crm:invoice:i{key}")["id"]: id_ for key, id_ in ids.items()
    }


def test_publish_needs_approval_by_somebody_else_of_exactly_this_content(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    erp = target()
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    with pytest.raises(NotApproved):
        publish.apply(hub.engine, erp, plan, hub.clock)
    with pytest.raises(Conflict, match="somebody else"):
        publish.approve(hub.engine, plan, None, "ana", hub.clock())
    with pytest.raises(Conflict, match="hash"):
        publish.approve(hub.engine, plan, "0000", "ben", hub.clock())
    assert erp.effects == 0


def test_publish_stale_plan_sends_nothing_names_the_record_and_owes_it_again(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    erp = target()
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    deliver(hub, [account("crm", "1", name="Acme PLC", at="2026-02-01T00:00:00Z")])
    with pytest.raises(PlanStale, match=golden_of(hub, "crm:account:1")["id"]):
        publish.apply(hub.engine, erp, plan, hub.clock)
    assert erp.effects == 0
    assert run(hub, erp)[1] == {"acknowledged": 1}


@pytest.mark.promise("A-69")
@pytest.mark.parametrize("status", [Status.TRANSIENT, Status.THROTTLED, Status.UNCERTAIN])
def test_publish_passing_trouble_is_tried_again(hub: Hub, status: Status) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd"), account("crm", "2", name="Birch AG")])
    erp = target(**{"Birch AG": Receipt(status, says="later")})
    _, counts = run(hub, erp)
    assert counts == {"acknowledged": 2}
    assert erp.effects == 2


@pytest.mark.promise("A-72")
def test_publish_waits_as_long_as_the_target_asks(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    asked: list[float] = []
    erp = target(**{"Acme Ltd": Receipt(Status.THROTTLED, says="later", wait=timedelta(seconds=7))})
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    assert publish.apply(hub.engine, erp, plan, hub.clock, pause=asked.append) == {"acknowledged": 1}
    assert max(asked) == 7


def test_publish_rejected_record_ends_so_and_the_rest_goes_on(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd"), account("crm", "2", name="Birch AG")])
    erp = target(**{"Acme Ltd": Receipt(Status.INVALID, code="missing", says="currency is mandatory")})
    plan, counts = run(hub, erp)
    assert counts == {"acknowledged": 1, "rejected": 1}
    assert entries(hub, plan) == {"Acme Ltd": ("create", "rejected"), "Birch AG": ("create", "acknowledged")}
    assert run(hub, erp)[1] == {"acknowledged": 1}, "it is owed again"


def test_publish_target_that_never_comes_back_is_given_up_after_its_attempts(hub: Hub, clock: FixedClock) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    erp = MemoryTarget("erp", lambda _: Receipt(Status.TRANSIENT, says="down"))
    plan, counts = run(hub, erp)
    while counts == {"planned": 1}:
        clock.move(minutes=31)
        counts = publish.apply(hub.engine, erp, plan, hub.clock, pause=lambda _seconds: None)
    assert counts == {"parked": 1}
    assert len(queries.walk(hub.engine, next(iter(_keys("crm:account:1"))))["deliveries"]) == failures.ATTEMPTS


@pytest.mark.parametrize("moment", ["before", "after"])
def test_publish_cut_off_while_sending_resumes_without_doubling(hub: Hub, moment: str) -> None:
    """The process dies before the target has it, or after the target has it and before we know."""
    deliver(hub, [account("crm", str(n), name=f"Company {n} {'abcde'[n] * 6}") for n in range(5)])
    erp = target()
    send, calls = erp.send, []

    def dying(messages: list[Message]) -> list[Receipt]:
        calls.append(1)
        if moment == "after":
            send(messages)
        raise TargetUnavailable("the line is dead")

    erp.send = dying  # type: ignore[method-assign, assignment]
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    with pytest.raises(TargetUnavailable):
        publish.apply(hub.engine, erp, plan, hub.clock)
    erp.send = send  # type: ignore[method-assign]
    assert publish.apply(hub.engine, erp, plan, hub.clock) == {"acknowledged": 5}
    assert erp.effects == 5
    assert len(list(erp.read("account"))) == 5


def test_publish_plan_is_sent_by_one_process_at_a_time(hub: Hub, clock: FixedClock) -> None:
    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    erp = target()
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    Lease(hub.engine, plan, hub.clock).take(lambda _seconds: None)
    with pytest.raises(Conflict, match="by another process"):
        publish.apply(hub.engine, erp, plan, hub.clock)
    assert erp.effects == 0
    clock.move(minutes=6)
    assert publish.apply(hub.engine, erp, plan, hub.clock, lambda _seconds: None) == {"acknowledged": 1}


def test_publish_worker_goes_on_with_what_a_dead_one_left(
    hub: Hub, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.worker import publish_owed

    deliver(hub, [account("crm", "1", name="Acme Ltd")])
    erp = target()
    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: erp)
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    monkeypatch.setattr("hub.flow.lease.GRACE", 0.0)
    lease = Lease(hub.engine, plan, hub.clock)
    lease.take(lambda _seconds: None)
    sending._begin(lease, erp, by_hand=False)
    assert sending._next(lease, erp, hub.clock())  # and then it dies
    clock.move(minutes=6)
    assert publish_owed(hub, {"id": "nightly", "target": "erp"}).startswith(f"went on with P-{plan}; ")
    assert erp.effects == 1


def _keys(text: str) -> list[object]:
    from canonical.ids import SourceKey

    return [SourceKey.parse(text)]


@pytest.mark.promise("A-69")
def test_publish_lost_answer_is_looked_for_after_the_cut_off_while_the_others_go_on(
    hub: Hub, clock: FixedClock
) -> None:
    deliver(hub, [account("crm", "1", name="Acorn Ltd"), account("crm", "2", name="Birch AG")])
    lost = iter([Receipt(Status.UNCERTAIN)])
    erp = MemoryTarget("erp", fault=lambda _message: next(lost, None))
    erp.capabilities = replace(erp.capabilities, settle=timedelta(minutes=15))
    plan, counts = run(hub, erp)
    assert counts == {"acknowledged": 1, "sending": 1}
    clock.move(minutes=14)
    assert publish.resume(hub.engine, erp, hub.clock) == []
    clock.move(minutes=1)
    assert publish.resume(hub.engine, erp, hub.clock) == [plan]
    assert publish.counted(hub.engine, plan) == {"acknowledged": 2}
    assert erp.effects == 2
