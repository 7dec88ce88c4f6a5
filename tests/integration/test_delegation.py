"""Whose approval something needs besides what the rules say of one record: large plans, old approvals, lent roles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.targets.memory import MemoryTarget
from canonical.ids import SourceKey
from hub import queries
from hub.errors import Conflict, InvalidRequest, NotFound, NotPermitted
from hub.flow import approvals, publish
from hub.flow.approvals import Loan
from hub.store import delegations, plans
from hub.store.access import Principal
from hub.store.audit import verify
from hub.store.engine import reading
from hub.wiring import Hub
from hub.worker import publish_owed
from tests.worlds import account, deliver, enforce, golden_of

FAY = Principal("fay", "finance")
NEW = {"approval": [{"id": "new", "wait_for": "finance", "when": {"known_there": False}, "why": "Seen once before."}]}


def waiting(hub: Hub) -> list[tuple[str, int]]:
    with reading(hub.engine) as connection:
        return [(row["golden_id"], row["version"]) for row in plans.waiting(connection)]


def planned(hub: Hub, erp: MemoryTarget) -> tuple[int, list[tuple[str, str]]]:
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    return plan, [(e["action"], e["state"]) for e in queries.plan_with_entries(hub.engine, plan)[1]]


@pytest.mark.promise("A-50")
def test_approval_that_nothing_left_under_in_time_is_asked_for_again(hub: Hub) -> None:
    enforce(hub, "account", NEW | {"approval_lapses_after_days": 7})
    deliver(hub, [account("crm", "1", name="Acorn Ltd")])
    ((golden, version),) = waiting(hub)
    hub.desk(FAY).approve(golden, "erp", version, "credit checked")
    hub.clock.move(days=8)  # type: ignore[attr-defined]
    assert planned(hub, MemoryTarget("erp"))[1] == [("create", "held")]
    assert waiting(hub) == [(golden, version)]
    hub.desk(FAY).approve(golden, "erp", version, "checked again")
    assert planned(hub, MemoryTarget("erp"))[1] == [("create", "planned")]
    with reading(hub.engine) as connection:
        assert verify(connection) is None


BLAST = {"approval": [], "blast": {"more_than": 2, "wait_for": "finance", "why": "So many at once is seldom meant."}}


@pytest.fixture
def changed(hub: Hub) -> tuple[Hub, MemoryTarget]:
    """Three customers that the ERP has, all of them changed since."""
    enforce(hub, "account", BLAST)
    erp = MemoryTarget("erp")
    deliver(hub, [account("crm", str(n), name=f"Acorn {n} Ltd", at="2026-01-01T00:00:00Z") for n in range(3)])
    plan, lines = planned(hub, erp)
    assert lines == [("create", "planned")] * 3
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    publish.apply(hub.engine, erp, plan, hub.clock)
    deliver(hub, [account("crm", str(n), name=f"Oak {n} Ltd", at="2026-02-01T00:00:00Z") for n in range(3)])
    return hub, erp


def test_plan_that_changes_much_is_approved_by_whom_the_rules_name(changed: tuple[Hub, MemoryTarget]) -> None:
    hub, erp = changed
    plan, _ = planned(hub, erp)
    assert queries.plan(hub.engine, plan)["needs"] == "finance"
    with pytest.raises(NotPermitted, match="operator may not do this"):
        publish.approve(hub.engine, plan, None, "olga", hub.clock(), role="operator")
    publish.approve(hub.engine, plan, None, "fay", hub.clock(), role="finance")
    assert publish.apply(hub.engine, erp, plan, hub.clock) == {"acknowledged": 3}


def test_schedule_leaves_a_plan_that_changes_much_to_people(changed: tuple[Hub, MemoryTarget]) -> None:
    hub, _ = changed
    row = {"id": "nightly", "target": "erp"}
    first = publish_owed(hub, row)
    assert first.endswith("waits for an approval by finance")
    assert publish_owed(hub, row) == f"{first}; nothing new was planned"


def test_plan_that_changes_little_is_the_schedules_own(hub: Hub) -> None:
    enforce(hub, "account", BLAST)
    deliver(hub, [account("crm", "1", name="Acorn Ltd")])
    assert publish_owed(hub, {"id": "nightly", "target": "erp"}).endswith("1 acknowledged")


def test_lent_role_approves_until_its_day(hub: Hub) -> None:
    enforce(hub, "account", NEW)
    deliver(hub, [account("crm", "1", name="Acorn Ltd"), account("crm", "2", name="Boxwood GmbH")])
    (one, version), (other, _) = waiting(hub)
    gus, until = Principal("gus", "steward"), hub.clock() + timedelta(days=3)
    with pytest.raises(NotPermitted):
        hub.desk(gus).approve(one, "erp", version, "seen")
    approvals.lend(hub.engine, FAY, Loan("finance", "gus", until, "on leave"), hub.clock())
    hub.desk(gus).approve(one, "erp", version, "seen")
    hub.clock.move(days=3)  # type: ignore[attr-defined]
    with pytest.raises(NotPermitted):
        hub.desk(gus).approve(other, "erp", version, "seen")


def test_lent_role_does_not_approve_what_its_lender_decided(hub: Hub) -> None:
    enforce(hub, "account", NEW)
    deliver(hub, [account("crm", "1", name="Acorn Ltd"), account("crm", "2", name="Boxwood GmbH")])
    amy = Principal("amy", "admin")
    key = golden_of(hub, "crm:account:1")
    hub.desk(amy).override(SourceKey.parse("crm:account:1"), "legal_name", "Acorn Limited", reason="the register")
    approvals.lend(hub.engine, amy, Loan("finance", "gus", hub.clock() + timedelta(days=3), "on leave"), hub.clock())
    version = dict(waiting(hub))[key["id"]]
    with pytest.raises(NotPermitted, match="amy decided about"):
        hub.desk(Principal("gus", "steward")).approve(key["id"], "erp", version, "seen")


def test_plan_is_not_approved_in_the_name_of_who_made_it(changed: tuple[Hub, MemoryTarget]) -> None:
    hub, erp = changed
    plan, _ = planned(hub, erp)
    loan = Loan("finance", "gus", hub.clock() + timedelta(days=1), "away")
    approvals.lend(hub.engine, Principal("ana", "finance"), loan, hub.clock())
    with pytest.raises(Conflict, match="ana made plan"):
        publish.approve(hub.engine, plan, None, "gus", hub.clock(), role="steward")


def test_delegation_that_nobody_may_make_is_refused(hub: Hub) -> None:
    later = hub.clock() + timedelta(days=1)
    for who, role, borrower, until, reason, error in (
        (FAY, "admin", "gus", later, "away", NotPermitted),
        (FAY, "finance", "fay", later, "away", InvalidRequest),
        (FAY, "finance", "gus", hub.clock(), "away", InvalidRequest),
        (FAY, "finance", "gus", later, " ", InvalidRequest),
    ):
        with pytest.raises(error):
            approvals.lend(hub.engine, who, Loan(role, borrower, until, reason), hub.clock())
    with reading(hub.engine) as connection:
        assert delegations.every(connection) == []


def test_delegation_is_taken_back_by_its_lender_only(hub: Hub) -> None:
    made = approvals.lend(hub.engine, FAY, Loan("finance", "gus", hub.clock() + timedelta(days=9), "away"), hub.clock())
    with pytest.raises(NotPermitted):
        approvals.take_back(hub.engine, made, Principal("gus", "steward"), hub.clock())
    approvals.take_back(hub.engine, made, FAY, hub.clock())
    with pytest.raises(NotFound):
        approvals.take_back(hub.engine, made, FAY, hub.clock())
    with reading(hub.engine) as connection:
        assert list(delegations.roles_of(connection, Principal("gus", "steward"), hub.clock())) == ["steward"]
