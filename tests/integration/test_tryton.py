"""Publishing to a real Tryton server: made once, changed where it differs, guarded, true under faults.

The server is installed and set up by the project the first time (`adapters.peers.tryton`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.base import Connection, Message, Receipt, Status
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable
from adapters.peers.faults import FaultProxy, Trouble
from adapters.peers.tryton import TrytonServer
from adapters.registry import KINDS
from adapters.targets.tryton import TrytonTarget
from adapters.transport import Paced
from canonical.record import GoldenRecord
from hub import queries
from hub.flow import publish
from hub.flow.reconcile import reconcile, resend
from hub.store import drift
from hub.store.access import Principal
from hub.store.engine import reading
from hub.wiring import Hub
from tests.worlds import account, deliver, golden_of, invoice

PARTY = {
    "document": "party.party", "name": "Acorn Ltd", "active": True, "street": "1 Mill Lane", "city": "Leeds",
    "postal_code": "LS1 1AA", "country": "GB", "email": "a@acorn.example", "phone": "+441131234567",
    "tax_type": "gb_vat", "tax_number": "980780684",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    with TrytonServer(tmp_path_factory.mktemp("tryton")) as running:
        yield running


Connect = Callable[..., TrytonTarget]


@pytest.fixture
def connected(server: TrytonServer) -> Iterator[Connect]:
    """Makes targets on the server, with other options where a test wants them."""
    made: list[TrytonTarget] = []

    def connect(**more: Any) -> TrytonTarget:
        target = KINDS["tryton"](Connection("erp", "tryton", Path(), {**server.options, **more}))
        assert isinstance(target, TrytonTarget)
        made.append(target)
        return target

    yield connect
    for target in made:
        target.tryton.transport.close()


@pytest.fixture
def erp(connected: Connect) -> TrytonTarget:
    return connected()


def new(prefix: str = "acc") -> str:
    return f"{prefix}_{uuid4().hex[:12]}"


def message(golden_id: str, body: dict[str, Any], version: int = 1, action: str = "create", **bound: Any) -> Message:
    entity = {"acc": "account", "prd": "product", "inv": "invoice"}[golden_id[:3]]
    return Message("erp", entity, golden_id, version, action, body, **bound)


def send(erp: TrytonTarget, *messages: Message) -> list[Receipt]:
    return erp.send(list(messages))


def bill(party: str, **changed: Any) -> dict[str, Any]:
    lines = [{"description": "Seats", "quantity": "2", "price": "49"}]
    return {"document": "account.invoice", "reference": "R-1", "party": party, "date": "2026-10-01", "currency": "EUR",
            "gross": "117.6", "tax": "19.6", "posted": True, "lines": lines, **changed}  # fmt: skip


def test_check_says_whose_books_they_are(erp: TrytonTarget) -> None:
    assert erp.check().startswith("Tryton, Concord Demo GmbH (EUR), ")


def test_wrong_password_is_refused_and_a_dead_address_unavailable(connected: Connect) -> None:
    with pytest.raises(TargetRefuses, match="does not let hub in"):
        connected(password="wrong").check()
    with pytest.raises(TargetUnavailable):
        _hasty(connected(url="http://127.0.0.1:9/")).check()
    with pytest.raises(ConnectionInvalid, match="`user` is missing"):
        connected(user="")


def test_party_stands_there_as_it_was_rendered(erp: TrytonTarget) -> None:
    key = new()
    (receipt,) = send(erp, message(key, PARTY))
    assert (receipt.status, receipt.says) == (Status.APPLIED, None)
    (found,) = erp.find("account", [key])
    assert (found.body, found.remote_id, found.version, found.changed_by) == (
        PARTY, receipt.remote_id, receipt.version, "hub",
    )  # fmt: skip
    assert send(erp, message(key, PARTY, 2, "update"))[0].status is Status.UNCHANGED


def test_change_keeps_the_address_that_invoices_point_at(erp: TrytonTarget) -> None:
    key = new()
    (made,) = send(erp, message(key, PARTY))
    changed = {**PARTY, "name": "Acorn PLC", "city": "York", "email": "b@acorn.example"}
    changed.pop("tax_type"), changed.pop("tax_number")
    (receipt,) = send(erp, message(key, changed, 2, "update", expected=made.version))
    assert receipt.status is Status.APPLIED, receipt
    (found,) = erp.find("account", [key])
    assert found.body == changed
    rows = erp.tryton.search_read("party.address", [["party.code", "=", key]], ["city"])
    assert [row["city"] for row in rows] == ["York"]


def test_edit_there_is_not_overwritten(erp: TrytonTarget) -> None:
    key = new()
    (made,) = send(erp, message(key, PARTY))
    erp.tryton.call("model.party.party.write", [int(str(made.remote_id))], {"name": "Edited there"})
    (receipt,) = send(erp, message(key, {**PARTY, "name": "Acorn PLC"}, 2, "update", expected=made.version))
    assert (receipt.status, receipt.code) == (Status.STALE, "stale")
    assert erp.find("account", [key])[0].body["name"] == "Edited there"


def test_one_bad_record_of_a_batch_stands_alone(erp: TrytonTarget) -> None:
    keys = [new() for _ in range(4)]
    bodies = [{**PARTY, "name": f"Company {n}"} for n in range(4)]
    bodies[2]["tax_number"] = "123"
    receipts = send(erp, *(message(key, body) for key, body in zip(keys, bodies, strict=True)))
    assert [r.status for r in receipts] == [Status.APPLIED, Status.APPLIED, Status.INVALID, Status.APPLIED]
    assert "VAT Number" in str(receipts[2].says)
    assert Counter(found.golden_id for found in erp.find("account", keys)) == dict.fromkeys(
        (keys[0], keys[1], keys[3]), 1
    )


def test_deactivated_party_is_hidden_and_comes_back(erp: TrytonTarget) -> None:
    key = new()
    send(erp, message(key, PARTY))
    assert send(erp, message(key, {}, 2, "deactivate"))[0].status is Status.APPLIED
    assert key not in {found.golden_id for found in erp.read("account")}
    assert send(erp, message(key, PARTY, 3, "update"))[0].status is Status.APPLIED
    assert key in {found.golden_id for found in erp.read("account")}


def test_party_deleted_there_is_gone_and_not_made_again_in_silence(erp: TrytonTarget) -> None:
    key = new()
    (made,) = send(erp, message(key, {"document": "party.party", "name": "Short lived", "active": True}))
    erp.tryton.call("model.party.party.delete", [int(str(made.remote_id))])
    known = message(key, {**PARTY, "name": "Acorn PLC"}, 2, "update", remote_id=made.remote_id, expected=made.version)
    (receipt,) = send(erp, known)
    assert (receipt.status, receipt.remote_id) == (Status.GONE, made.remote_id)
    assert erp.find("account", [key]) == []


def test_connection_is_paced_as_its_options_say(connected: Connect) -> None:
    throttle = connected(rate=5, burst=2, timeout=7).tryton.transport.manners.throttle
    assert isinstance(throttle, Paced)
    assert connected(timeout=7).tryton.transport.manners.read == 7


def test_lost_right_to_sign_in_is_an_answer_for_each_message(connected: Connect) -> None:
    shut = connected(password="not this one")
    receipts = send(shut, message(new(), PARTY), message(new(), PARTY))
    assert [one.status for one in receipts] == [Status.FORBIDDEN] * 2


def test_product_is_found_by_our_key_beside_its_own_code(erp: TrytonTarget) -> None:
    key, body = new("prd"), {"document": "product.template", "code": new("sku"), "name": "Seat", "active": True}
    (made,) = send(erp, message(key, body))
    assert made.status is Status.APPLIED, made
    (receipt,) = send(erp, message(key, {**body, "name": "Seat, yearly"}, 2, "update", expected=made.version))
    assert receipt.status is Status.APPLIED, receipt
    assert [found.body for found in erp.find("product", [key])] == [{**body, "name": "Seat, yearly"}]


def test_product_that_is_not_sold_any_more_is_hidden_and_can_still_be_changed(erp: TrytonTarget) -> None:
    key, body = new("prd"), {"document": "product.template", "code": new("sku"), "name": "Old", "active": False}
    assert send(erp, message(key, body))[0].status is Status.APPLIED
    assert send(erp, message(key, {**body, "name": "Older"}, 2, "update"))[0].status is Status.APPLIED
    assert [found.body for found in erp.find("product", [key])] == [{**body, "name": "Older"}]


def test_tax_numbers_are_of_the_kind_that_tryton_checks(erp: TrytonTarget) -> None:
    kinds = {
        ("CH", "CHE100155212"): "ch_uid", ("CH", "CHE107787577IVA"): "ch_vat", ("GR", "094259216"): "eu_vat",
        ("DE", "DE136695976"): "eu_vat", ("NO", "995525828MVA"): "no_vat", ("NO", "995525828"): "no_orgnr", ("US", "911144442"): None,
    }  # fmt: skip
    for (country, number), kind in kinds.items():
        values = {"legal_name": "Acorn", "tax_id": {"country": country, "number": number}}
        key = new()
        body = erp.render(GoldenRecord(key, "account", 1, values, {}, (), "r"), {})
        assert body.get("tax_type") == kind
        assert send(erp, message(key, body))[0].status is Status.APPLIED, number
        assert erp.find("account", [key])[0].body == body


def test_invoice_is_posted_to_the_cent_with_the_tax_of_billing(erp: TrytonTarget) -> None:
    party, key = new(), new("inv")
    receipts = send(erp, message(party, PARTY), message(key, bill(party)))
    assert [r.status for r in receipts] == [Status.APPLIED, Status.APPLIED], receipts
    (found,) = erp.find("invoice", [key])
    assert found.body == bill(party)
    (receipt,) = send(erp, message(key, bill(party, gross="200", tax="102"), 2, "update"))
    assert (receipt.status, receipt.code) == (Status.INVALID, "posted")


def test_invoice_whose_total_differs_stays_a_draft(erp: TrytonTarget) -> None:
    party, key = new(), new("inv")
    send(erp, message(party, PARTY))
    (receipt,) = send(erp, message(key, bill(party, tax="0", gross="98.01")))
    assert (receipt.status, receipt.code) == (Status.INVALID, "total")
    assert receipt.says == "the draft comes to 98.00 there, not to 98.01; it was not posted"
    (receipt,) = send(erp, message(key, bill(party, tax="0", gross="98"), 2, "update"))
    assert receipt.status is Status.APPLIED, receipt
    (found,) = erp.find("invoice", [key])
    assert (found.body["gross"], found.body["posted"]) == ("98", True)


def test_what_the_books_lack_is_said_before_anything_is_sent(erp: TrytonTarget) -> None:
    party = new()
    send(erp, message(party, PARTY))
    strange = [bill(party, currency="XTS"), bill(new())]
    codes = [send(erp, message(new("inv"), body))[0].code for body in strange]
    assert codes == ["currency", "party"]


@pytest.mark.promise("A-71")
@pytest.mark.parametrize("trouble", list(Trouble))
def test_whatever_the_way_does_each_record_is_there_once(
    server: TrytonServer, connected: Connect, hub: Hub, trouble: Trouble, clock: Any
) -> None:
    """The fault meets the call that makes the parties; the run ends acknowledged, and nothing is there twice."""
    names = [f"Company {letter * 7}" for letter in "abcde"]
    run_id = uuid4().hex[:8]
    deliver(hub, [account("crm", f"{run_id}{n}", name=name) for n, name in enumerate(names)])
    with FaultProxy(server.options["url"]) as proxy:
        erp = _hasty(connected(url=proxy.url))
        plan = publish.make_plan(hub.engine, erp, "ana", clock())
        publish.approve(hub.engine, plan, None, "ben", clock())
        proxy.plan(trouble, when=b"model.party.party.create")
        counts = publish.apply(hub.engine, erp, plan, clock, pause=lambda _seconds: None)
        assert proxy.met == [trouble]
        ids = [golden_of(hub, f"crm:account:{run_id}{n}")["id"] for n in range(5)]
        found = {one.golden_id: one.remote_id for one in erp.find("account", ids)}
        assert Counter(one.golden_id for one in erp.find("account", ids)) == dict.fromkeys(ids, 1)
    assert counts == {"acknowledged": 5}
    assert {id_: queries.record(hub.engine, id_).published[0]["remote_id"] for id_ in ids} == found


@pytest.mark.promise("A-71")
def test_invoices_that_cannot_be_read_back_are_not_made_a_second_time(server: TrytonServer, connected: Connect) -> None:
    party, keys = new(), [new("inv"), new("inv")]
    send(connected(), message(party, PARTY))
    batch = [message(key, bill(party)) for key in keys]
    with FaultProxy(server.options["url"]) as proxy:
        erp = _hasty(connected(url=proxy.url))
        proxy.plan(Trouble.LATE, when=b"model.account.invoice.create", seconds=0.0)
        proxy.plan(*[Trouble.THROTTLED] * erp.tryton.transport.manners.tries, when=b"invoice.search_read")
        assert [r.status for r in erp.send(batch)] == [Status.UNCERTAIN] * 2
        assert not proxy.faults
        assert Counter(found.golden_id for found in erp.find("invoice", keys)) == dict.fromkeys(keys, 1)
        assert [r.status for r in erp.send(batch)] == [Status.APPLIED] * 2  # posted now
        assert Counter(found.golden_id for found in erp.find("invoice", keys)) == dict.fromkeys(keys, 1)


def test_throttled_batch_pauses_the_connection_and_is_not_sent_one_by_one(
    server: TrytonServer, connected: Connect
) -> None:
    with FaultProxy(server.options["url"]) as proxy:
        erp = _hasty(connected(url=proxy.url))
        proxy.plan(Trouble.THROTTLED, when=b"model.party.party.create")
        receipts = send(erp, *(message(new(), PARTY) for _ in range(3)))
    assert [(r.status, r.wait) for r in receipts] == [(Status.THROTTLED, timedelta(0))] * 3


def _hasty(erp: TrytonTarget) -> TrytonTarget:
    """The same target, which waits for nothing between two tries."""
    erp.tryton.transport.manners = replace(erp.tryton.transport.manners, sleep=lambda _seconds: None)
    return erp


def test_hub_publishes_customers_and_invoices_and_then_owes_nothing(erp: TrytonTarget, hub: Hub, clock: Any) -> None:
    one = uuid4().hex[:6]
    deliver(hub, [
        account("billing", one, name="Acorn Foods Ltd", status="active", street="1 Mill Lane", city="Leeds", country="GB"),
        invoice("billing", f"i{one}", number=f"INV-{one}", status="open", account=one, net="100", gross="100",
                currency="EUR", lines=[{"id": "1", "net": "100"}]),
    ])  # fmt: skip
    for expected in ({"acknowledged": 2}, {}):
        plan = publish.make_plan(hub.engine, erp, "ana", clock())
        publish.approve(hub.engine, plan, None, "ben", clock())
        assert publish.apply(hub.engine, erp, plan, clock) == expected, queries.plan_with_entries(hub.engine, plan)
    invoice_id = golden_of(hub, f"billing:invoice:i{one}")["id"]
    (found,) = erp.find("invoice", [invoice_id])
    assert (found.body["reference"], found.body["gross"], found.body["posted"]) == (f"INV-{one}", "100", True)


@pytest.mark.promise("A-83")
def test_edit_made_there_is_drift_with_age_and_cause_and_is_adopted_or_resent(
    erp: TrytonTarget, hub: Hub, clock: Any
) -> None:
    one = uuid4().hex[:6]
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    deliver(
        hub,
        [
            account(
                "crm", f"{one}{n}", name=f"Company {n} {one}", email=f"a{n}@{one}.example", country="GB", city="Leeds"
            )
            for n in range(2)
        ],
    )
    _run(hub, erp, clock)
    ids = [golden_of(hub, f"crm:account:{one}{n}")["id"] for n in range(2)]
    first, second = (
        int(found.remote_id) for found in sorted(erp.find("account", ids), key=lambda f: ids.index(str(f.golden_id)))
    )
    erp.tryton.call("model.party.party.write", [first], {"name": "Renamed there"})
    mechanism = erp.tryton.search_read("party.contact_mechanism", [["party", "=", second]], ["value"])[0]["id"]
    erp.tryton.call("model.party.contact_mechanism.write", [mechanism], {"value": f"b@{one}.example"})
    reconcile(hub.engine, erp, clock)
    rows = {row["golden_id"]: row for row in _standing(hub)}
    assert rows[ids[0]]["fields"] == {"name": [f"Company 0 {one}", "Renamed there"]}
    assert rows[ids[1]]["fields"] == {"email": [f"a1@{one}.example", f"b@{one}.example"]}
    key = hub.adopt(rows[ids[1]]["id"], Principal("mia", "steward"), "the mailbox is new")
    assert golden_of(hub, key)["id"] == ids[1]
    resend(hub.engine, rows[ids[0]]["id"], "mia", "ours is right", clock())
    assert _run(hub, erp, clock)["acknowledged"] >= 1
    assert {found.golden_id: found.body["name"] for found in erp.find("account", ids)}[ids[0]] == f"Company 0 {one}"
    reconcile(hub.engine, erp, clock)
    assert not [row for row in _standing(hub) if row["golden_id"] == ids[0]]


def test_draft_that_was_not_taken_is_told_as_what_it_is(erp: TrytonTarget, hub: Hub, clock: Any) -> None:
    one = uuid4().hex[:6]
    deliver(hub, [
        account("billing", one, name=f"Acorn {one} Ltd", status="active", city="Leeds", country="GB"),
        invoice("billing", f"i{one}", number=f"INV-{one}", status="open", account=one, net="100", gross="120",
                currency="EUR", lines=[{"id": "1", "net": "100"}]),
    ])  # fmt: skip
    assert _run(hub, erp, clock) == {"acknowledged": 1, "rejected": 1}
    reconcile(hub.engine, erp, clock)
    found = {row["kind"]: row for row in _standing(hub) if row["entity"] == "invoice" and f"INV-{one}" in str(row)}
    assert found["extra"]["cause"].startswith("left there by a try that was not taken: the draft comes to 100")
    assert found["missing"]["cause"].startswith("rejected: the draft comes to 100")


def _run(hub: Hub, erp: TrytonTarget, clock: Any) -> dict[str, int]:
    plan = publish.make_plan(hub.engine, erp, "ana", clock())
    publish.approve(hub.engine, plan, None, "ben", clock())
    return publish.apply(hub.engine, erp, plan, clock)


def _standing(hub: Hub) -> list[dict[str, Any]]:
    with reading(hub.engine) as connection:
        return drift.standing(connection, "erp")
