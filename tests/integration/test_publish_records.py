"""The hub with each target of records: published, owed nothing, compared, adopted or resent, true under trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Connection, Target
from adapters.peers.faults import Trouble
from adapters.registry import KINDS
from hub.flow import publish
from hub.flow.reconcile import reconcile, resend
from hub.store import drift
from hub.store.access import Principal
from hub.store.engine import reading
from hub.wiring import Hub
from tests.conformance.peers import WORLDS, World
from tests.worlds import account, deliver, golden_of, invoice


@pytest.fixture(params=["odoo-jsonrpc", "sap", "netsuite", "business_central"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = WORLDS[request.param]()
    with made.fake:
        yield made
        made.close()


def run(hub: Hub, erp: Target, clock: Any) -> dict[str, int]:
    plan = publish.make_plan(hub.engine, erp, "ana", clock())
    publish.approve(hub.engine, plan, None, "ben", clock())
    counts = publish.apply(hub.engine, erp, plan, clock, pause=lambda _seconds: None)
    if counts.keys() & {"planned", "sending"}:
        clock.move(seconds=erp.capabilities.settle.total_seconds() + 1800)
        counts = publish.apply(hub.engine, erp, plan, clock, pause=lambda _seconds: None)
    return counts


def standing(hub: Hub) -> dict[str, dict[str, Any]]:
    with reading(hub.engine) as connection:
        return {str(row["golden_id"]): row for row in drift.standing(connection, "erp")}


def customers(hub: Hub, count: int = 3) -> list[str]:
    deliver(
        hub,
        [
            account(
                "crm", f"c{n}", name=f"Company {'abc'[n] * 7}", email=f"a{n}@c{n}.example", country="GB", city="Leeds"
            )
            for n in range(count)
        ],
    )
    return [str(golden_of(hub, f"crm:account:c{n}")["id"]) for n in range(count)]


@pytest.mark.promise("A-83")
def test_edit_made_there_is_drift_that_is_adopted_or_resent(world: World, hub: Hub, clock: Any) -> None:
    erp = world.connect()
    ids = customers(hub)
    assert run(hub, erp, clock) == {"acknowledged": 3}
    assert run(hub, erp, clock) == {}
    assert not any(reconcile(hub.engine, erp, clock).counts.values())
    there = {found.golden_id: found.remote_id for found in erp.find("account", ids)}
    world.edit(there[ids[0]], "Renamed there")
    world.edit(there[ids[1]], "Better name")
    world.remove(there[ids[2]])
    reconcile(hub.engine, erp, clock)
    rows = standing(hub)
    assert {rows[one]["kind"] for one in ids[:2]} == {"different"}
    assert rows[ids[2]]["kind"] == "missing"
    assert rows[ids[0]]["fields"] == {world.name: ["Company aaaaaaa", "Renamed there"]}
    key = hub.adopt(rows[ids[1]]["id"], Principal("mia", "steward"), "the new name is right")
    assert golden_of(hub, key)["id"] == ids[1]
    for one in (ids[0], ids[2]):
        resend(hub.engine, rows[one]["id"], "mia", "ours is right", clock())
    assert run(hub, erp, clock)["acknowledged"] >= 2
    assert {one.golden_id for one in erp.find("account", ids)} == set(ids)
    (back,) = erp.find("account", ids[:1])
    assert back.body[world.name] == "Company aaaaaaa"
    reconcile(hub.engine, erp, clock)
    assert not {ids[0], ids[2]} & standing(hub).keys()


@pytest.mark.promise("A-71")
@pytest.mark.parametrize("trouble", list(Trouble))
def test_whatever_the_way_does_each_record_is_there_once(world: World, hub: Hub, clock: Any, trouble: Trouble) -> None:
    erp = world.connect()
    ids = customers(hub)
    world.fake.plan(trouble, when=b"Company bbbbbbb", seconds=0.05)
    if trouble is Trouble.TWICE and not world.unique:
        pytest.skip("the system has no key of ours that is unique, and a network that repeats a POST makes two")
    assert run(hub, erp, clock) == {"acknowledged": 3}
    assert world.fake.met == [trouble]
    assert Counter(one.golden_id for one in erp.find("account", ids)) == dict.fromkeys(ids, 1)
    assert not any(reconcile(hub.engine, erp, clock).counts.values())


@pytest.mark.parametrize("kind", ["odoo-json2", "business_central"])
def test_customers_and_invoices_go_in_one_run_and_then_nothing_is_owed(kind: str, hub: Hub, clock: Any) -> None:
    world = WORLDS[kind]()
    with world.fake:
        erp = world.connect(revenue_account="8400", tax_codes={19: "VAT19", 0: "VAT0"})
        deliver(hub, [
            account("billing", "a", name="Acorn Foods Ltd", status="active", street="1 Mill Lane", city="Leeds", country="GB"),
            *(
                invoice("billing", f"i{n}", number=f"INV-{n}", status="open", account="a", net="100", gross="100",
                        currency="EUR", lines=[{"id": "1", "net": "100"}])
                for n in range(3)
            ),
        ])  # fmt: skip
        assert run(hub, erp, clock) == {"acknowledged": 4}
        assert run(hub, erp, clock) == {}
        assert not any(reconcile(hub.engine, erp, clock).counts.values()), standing(hub)
        assert {found.body["reference"] for found in erp.read("invoice")} == {"INV-0", "INV-1", "INV-2"}
        world.close()


def test_file_is_acknowledged_while_the_run_waits_for_it(hub: Hub, clock: Any, tmp_path: Path) -> None:
    """Nothing is sent twice meanwhile; what is refused there is rejected here, in its words."""
    options = {"format": "csv", "folder": "out", "acks": "acks"}
    erp = KINDS["drop"](Connection("erp", "drop", tmp_path, options))
    ids = customers(hub)
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        (tmp_path / "out" / "acks").mkdir(exist_ok=True)
        said = "".join(f"erp/{one}/1/create,{'ok' if one != ids[1] else 'no'},,no such country\r\n" for one in ids)
        (tmp_path / "out" / "acks" / "1.csv").write_text(f"key,status,remote_id,says\r\n{said}")

    plan = publish.make_plan(hub.engine, erp, "ana", clock())
    publish.approve(hub.engine, plan, None, "ben", clock())
    assert publish.apply(hub.engine, erp, plan, clock, pause=pause) == {"acknowledged": 2, "rejected": 1}
    assert waited == [60.0]
    assert len(list((tmp_path / "out").glob("*.csv"))) == 1
