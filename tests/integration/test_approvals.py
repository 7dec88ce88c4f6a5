"""A publication that waits for somebody, let go by somebody who may and who has seen it."""

from __future__ import annotations

import pytest

from adapters.targets.memory import MemoryTarget
from canonical.ids import SourceKey
from hub.errors import Conflict, InvalidRequest, NotFound, NotPermitted
from hub.flow import publish
from hub.store import plans
from hub.store.access import Principal
from hub.store.engine import reading
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver, enforce, golden_of

WAIT = {"approval": [{"id": "all", "wait_for": "finance", "why": "everything waits in this test"}]}
ACORN = account("crm", "1", name="Acorn Ltd", status="active", country="GB", street="1 Mill Lane")


def waiting(hub: Hub) -> list[tuple[str, int, str]]:
    with reading(hub.engine) as connection:
        return [(row["golden_id"], row["version"], row["waits_for"]) for row in plans.waiting(connection)]


def run(hub: Hub, target: MemoryTarget) -> dict[str, int]:
    plan = publish.make_plan(hub.engine, target, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    return publish.apply(hub.engine, target, plan, hub.clock)


def test_what_waits_is_held_until_it_is_approved_and_then_leaves(hub: Hub) -> None:
    enforce(hub, "account", WAIT)
    deliver(hub, [ACORN])
    golden = golden_of(hub, "crm:account:1")["id"]
    target = MemoryTarget("erp")
    assert run(hub, target) == {"held": 1}
    assert waiting(hub) == [(golden, 1, "finance")]
    hub.desk(Principal("fay", "approver")).approve(golden, "erp", 1, "checked with sales")
    assert waiting(hub) == []
    assert run(hub, target) == {"acknowledged": 1}


def test_an_approval_is_for_the_version_that_was_seen(hub: Hub, clock: FixedClock) -> None:
    enforce(hub, "account", WAIT)
    deliver(hub, [ACORN])
    golden = golden_of(hub, "crm:account:1")["id"]
    clock.move(days=1)
    deliver(hub, [ACORN | {"name": "Acorn Foods Ltd", "at": "2026-02-01"}])
    desk = hub.desk(Principal("fay", "approver"))
    with pytest.raises(Conflict, match="version 2"):
        desk.approve(golden, "erp", 1, "checked")
    desk.approve(golden, "erp", 2, "checked")
    clock.move(days=1)
    deliver(hub, [ACORN | {"name": "Acorn Bakeries Ltd", "at": "2026-03-01"}])
    assert waiting(hub) == [(golden, 3, "finance")], "what came after the approval waits again"


def test_who_may_not_approve(hub: Hub) -> None:
    enforce(hub, "account", WAIT)
    deliver(hub, [ACORN])
    golden = golden_of(hub, "crm:account:1")["id"]
    hub.desk(Principal("sam", "steward")).override(
        SourceKey.parse("crm:account:1"), "industry", "food", reason="the site says so"
    )
    version = golden_of(hub, "crm:account:1")["version"]
    with pytest.raises(NotPermitted, match="finance"):
        hub.desk(Principal("sue", "steward")).approve(golden, "erp", version, "fine")
    with pytest.raises(NotPermitted, match="somebody else"):
        hub.desk(Principal("sam", "approver")).approve(golden, "erp", version, "fine")
    with pytest.raises(InvalidRequest, match="reason"):
        hub.desk(Principal("fay", "approver")).approve(golden, "erp", version, " ")
    with pytest.raises(NotFound):
        hub.desk(Principal("fay", "approver")).approve("acc_0000000000000000", "erp", 1, "fine")
    hub.desk(Principal("fay", "approver")).approve(golden, "erp", version, "fine")
