"""Publishing to Odoo, by each of its three interfaces: upsert by external id, taxes said, edits there kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Connection, Message, Receipt, Status
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable
from adapters.peers.faults import Trouble
from adapters.peers.odoo import FakeOdoo
from adapters.registry import KINDS
from adapters.targets.odoo import OdooTarget
from adapters.transport import Manners
from canonical.record import GoldenRecord

PARTNER = {
    "document": "res.partner", "name": "Acorn Ltd", "is_company": True, "active": True, "street": "1 Mill Lane",
    "city": "Leeds", "zip": "LS1 1AA", "country": "GB", "email": "a@acorn.example", "vat": "GB980780684", "ref": "C-1",
}  # fmt: skip
HASTY = Manners(tries=3, longest_wait=0.01, sleep=lambda _: None)
Connect = Callable[..., OdooTarget]


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    with FakeOdoo() as running:
        yield running


@pytest.fixture
def connect(fake: FakeOdoo) -> Iterator[Connect]:
    made: list[OdooTarget] = []

    def connected(**more: Any) -> OdooTarget:
        target = KINDS["odoo"](Connection("erp", "odoo", Path(), {**fake.options, "manners": HASTY, **more}))
        assert isinstance(target, OdooTarget)
        made.append(target)
        return target

    yield connected
    for target in made:
        target.odoo.wire.transport.close()  # type: ignore[attr-defined]


@pytest.fixture(params=["jsonrpc", "xmlrpc", "json2"])
def erp(request: pytest.FixtureRequest, connect: Connect) -> OdooTarget:
    return connect(protocol=request.param)


def message(golden_id: str, body: dict[str, Any], version: int = 1, action: str = "create", **bound: Any) -> Message:
    entity = {"acc": "account", "con": "contact", "prd": "product", "inv": "invoice"}[golden_id[:3]]
    return Message("erp", entity, golden_id, version, action, body, **bound)


def send(erp: OdooTarget, *messages: Message) -> list[Receipt]:
    return erp.send(list(messages))


def bill(**changed: Any) -> dict[str, Any]:
    lines = [{"name": "Seats", "quantity": "2", "price": "49"}, {"name": "Usage", "quantity": "1", "price": "0.5"}]
    return {"document": "account.move", "type": "out_invoice", "reference": "R-1", "party": "acc_1", "date": "2026-10-01",
            "due": "2026-10-31", "currency": "EUR", "gross": "117.22", "tax": "18.72", "state": "posted", "lines": lines,
            **changed}  # fmt: skip


def stands(erp: OdooTarget, key: str) -> Any:
    entity = message(key, {}).entity
    return [dict(found.body) for found in erp.find(entity, [key])]


def test_check_says_whose_books_they_are(erp: OdooTarget) -> None:
    assert erp.check() == "Odoo 19.0, Concord Demo GmbH (EUR), 1 partners"


@pytest.mark.parametrize("protocol", ["jsonrpc", "xmlrpc", "json2"])
def test_wrong_password_is_refused_and_a_dead_address_unavailable(connect: Connect, protocol: str) -> None:
    with pytest.raises(TargetRefuses):
        connect(protocol=protocol, password="wrong").check()
    with pytest.raises(TargetUnavailable):
        connect(protocol=protocol, url="http://127.0.0.1:9/").check()


def test_record_stands_there_as_it_was_rendered(erp: OdooTarget) -> None:
    person = {
        "document": "res.partner",
        "name": "Ann Lee",
        "active": True,
        "parent": "acc_1",
        "email": "ann@acorn.example",
    }
    product = {"document": "product.template", "name": "Seat", "code": "SEAT", "active": True}
    receipts = send(erp, message("con_1", person), message("prd_1", product), message("acc_1", PARTNER))
    assert [r.status for r in receipts] == [Status.APPLIED] * 3
    assert (stands(erp, "acc_1"), stands(erp, "con_1"), stands(erp, "prd_1")) == ([PARTNER], [person], [product])
    assert [f.golden_id for f in erp.read("account")] == ["acc_1"]
    again = send(erp, message("acc_1", PARTNER, 2, "update", expected=receipts[2].version))
    assert (again[0].status, again[0].version) == (Status.UNCHANGED, receipts[2].version)


def test_change_empties_what_is_not_said_any_more(erp: OdooTarget) -> None:
    (made,) = send(erp, message("acc_1", PARTNER))
    changed = {name: value for name, value in PARTNER.items() if name not in ("email", "vat", "country")} | {
        "name": "New"
    }
    (receipt,) = send(erp, message("acc_1", changed, 2, "update", expected=made.version))
    assert (receipt.status, receipt.remote_id) == (Status.APPLIED, made.remote_id)
    assert stands(erp, "acc_1") == [changed]


def test_edit_there_in_the_same_second_is_not_overwritten(erp: OdooTarget, fake: FakeOdoo) -> None:
    (made,) = send(erp, message("acc_1", PARTNER))
    fake.tables["res.partner"][int(str(made.remote_id))]["city"] = "York"  # write_date stays
    (receipt,) = send(erp, message("acc_1", {**PARTNER, "name": "New"}, 2, "update", expected=made.version))
    assert (receipt.status, receipt.code) == (Status.STALE, "stale")
    assert stands(erp, "acc_1")[0]["city"] == "York"


def test_invoice_is_drafted_compared_and_posted(erp: OdooTarget, fake: FakeOdoo) -> None:
    receipts = send(erp, message("inv_1", bill()), message("acc_1", PARTNER))
    assert [r.status for r in receipts] == [Status.APPLIED] * 2, receipts
    assert stands(erp, "inv_1") == [bill()]
    (refused,) = send(erp, message("inv_1", bill(gross="200", tax="0"), 2, "update"))
    assert (refused.status, refused.code) == (Status.INVALID, "posted")


def test_tax_is_always_said_so_that_no_default_slips_in(erp: OdooTarget, fake: FakeOdoo) -> None:
    free = bill(gross="98.5", tax="0")
    assert [r.status for r in send(erp, message("acc_1", PARTNER), message("inv_1", free))] == [Status.APPLIED] * 2
    assert {tuple(line["tax_ids"]) for line in fake.tables["account.move.line"].values()} == {()}
    (refused,) = send(erp, message("inv_2", bill(tax="11.11", gross="109.61")))
    assert (refused.status, refused.code) == (Status.INVALID, "tax")


def test_invoice_that_odoo_reckons_otherwise_stays_a_draft_until_it_is_corrected(erp: OdooTarget) -> None:
    send(erp, message("acc_1", PARTNER))
    (refused,) = send(erp, message("inv_1", bill(gross="117.23")))
    assert (refused.status, refused.code) == (Status.INVALID, "total")
    assert refused.says == "Odoo makes 117.22 of gross, not 117.23; it stays a draft"
    assert stands(erp, "inv_1")[0]["state"] == "draft"
    lines = [{"name": "Seats", "quantity": "3", "price": "10"}]
    corrected = bill(gross="35.7", tax="5.7", lines=lines)
    assert send(erp, message("inv_1", corrected, 2, "update"))[0].status is Status.APPLIED
    assert stands(erp, "inv_1") == [corrected]


def test_draft_is_cancelled_and_a_posted_invoice_is_not(erp: OdooTarget) -> None:
    send(erp, message("acc_1", PARTNER), message("inv_1", bill(state="draft")), message("inv_2", bill()))
    first, second = (send(erp, message(f"inv_{n}", {}, 2, "deactivate"))[0] for n in (1, 2))
    assert (first.status, second.status, second.code) == (Status.APPLIED, Status.INVALID, "posted")
    assert (stands(erp, "inv_1")[0]["state"], stands(erp, "inv_2")[0]["state"]) == ("cancel", "posted")
    assert [f.golden_id for f in erp.read("invoice")] == ["inv_2"]


def test_one_bad_record_of_a_hundred_stands_alone(erp: OdooTarget, fake: FakeOdoo) -> None:
    batch = [
        message(f"acc_{n}", {**PARTNER, "name": f"Company {n}", "vat": "?" if n == 41 else "GB980780684"})
        for n in range(100)
    ]
    receipts = send(erp, *batch)
    assert Counter(r.status for r in receipts) == {Status.APPLIED: 99, Status.INVALID: 1}
    assert "VAT number" in str(receipts[41].says)
    assert len(fake.tables["res.partner"]) == 1 + 99


def test_deactivated_partner_is_hidden_and_comes_back(erp: OdooTarget) -> None:
    send(erp, message("acc_1", PARTNER))
    assert send(erp, message("acc_1", {}, 2, "deactivate"))[0].status is Status.APPLIED
    assert list(erp.read("account")) == []
    assert send(erp, message("acc_1", PARTNER, 3, "update"))[0].status is Status.APPLIED
    assert [f.golden_id for f in erp.read("account")] == ["acc_1"]


def test_changed_since_is_read_with_who_changed_it(erp: OdooTarget, fake: FakeOdoo) -> None:
    receipts = send(erp, message("acc_1", PARTNER), message("acc_2", {**PARTNER, "name": "Other"}))
    since = fake.tick()
    fake.edit("res.partner", int(str(receipts[1].remote_id)), city="York")
    (found,) = erp.read("account", since)
    assert (found.golden_id, found.changed_by, found.body["city"]) == ("acc_2", "Administrator", "York")


def test_missing_right_and_unknown_field_stop_the_connection(erp: OdooTarget, fake: FakeOdoo) -> None:
    fake.forbidden.add("res.partner")
    receipts = send(erp, message("acc_1", PARTNER), message("prd_1", {"document": "product.template", "name": "Seat"}))
    assert [(r.status, r.code) for r in receipts] == [(Status.FORBIDDEN, "forbidden"), (Status.FORBIDDEN, "not_sent")]
    fake.forbidden.clear()
    from adapters.peers import odoo_models

    known = odoo_models.MODELS["res.partner"].pop("ref")
    try:
        assert send(erp, message("acc_1", PARTNER))[0].status is Status.SCHEMA_DRIFT
    finally:
        odoo_models.MODELS["res.partner"]["ref"] = known


@pytest.mark.parametrize("protocol", ["jsonrpc", "xmlrpc", "json2"])
@pytest.mark.parametrize("trouble", list(Trouble))
def test_whatever_happens_on_the_way_there_is_one_record(
    fake: FakeOdoo, connect: Connect, protocol: str, trouble: Trouble
) -> None:
    erp = connect(protocol=protocol)
    fake.plan(trouble, when=b"Acorn", seconds=0.05)
    (first,) = send(erp, message("acc_1", PARTNER))
    assert fake.met == [trouble]
    assert first.status in _AFTER[trouble], first
    (second,) = send(erp, message("acc_1", PARTNER))
    assert second.status.taken
    assert stands(erp, "acc_1") == [PARTNER]
    assert len(fake.tables["res.partner"]) == 2


_AFTER = {trouble: {Status.APPLIED} for trouble in Trouble} | {
    Trouble.CUT_BEFORE: {Status.UNCERTAIN}, Trouble.CUT_AFTER: {Status.UNCERTAIN}, Trouble.GARBAGE: {Status.UNCERTAIN},
    Trouble.THROTTLED: {Status.THROTTLED}, Trouble.AWAY: {Status.THROTTLED},
    Trouble.SESSION_LOST: {Status.SESSION_LOST, Status.FORBIDDEN},
}  # fmt: skip


def test_golden_records_are_rendered_in_odoos_words(connect: Connect) -> None:
    erp = connect()
    values = {
        "legal_name": "Acorn Ltd", "email": "a@acorn.example", "external_number": "C-1", "status": "active",
        "billing_address": {"line1": "1 Mill Lane", "city": "Leeds", "postcode": "LS1 1AA", "country": "GB"},
        "tax_id": {"country": "GB", "type": "vat", "number": "GB 980 7806 84"},
    }  # fmt: skip
    assert erp.render(GoldenRecord("acc_1", "account", 1, values, {}, (), "r"), {}) == PARTNER
    euro = {"currency": "EUR"}
    credit = {
        "number": "R-9", "issued_on": "2026-10-02", "status": "open", "currency": "EUR",
        "total": {"amount": "-119.00", **euro}, "tax": {"amount": "-19.00", **euro},
        "lines": [{"key": "1", "description": "Seats", "quantity": "1", "amount": {"amount": "-100.00", **euro}}],
    }  # fmt: skip
    assert erp.render(GoldenRecord("inv_1", "invoice", 1, credit, {}, (), "r"), {"account": "acc_1"}) == {
        "document": "account.move", "type": "out_refund", "reference": "R-9", "party": "acc_1", "date": "2026-10-02",
        "due": "2026-10-02", "currency": "EUR", "gross": "119", "tax": "19", "state": "posted",
        "lines": [{"name": "Seats", "quantity": "1", "price": "100"}],
    }  # fmt: skip


def test_invoice_that_came_without_its_lines_is_one_line(connect: Connect) -> None:
    values = {
        "number": "R-1",
        "total": {"amount": "119.00", "currency": "EUR"},
        "tax": {"amount": "19.00", "currency": "EUR"},
    }
    body = connect().render(GoldenRecord("inv_1", "invoice", 1, values, {}, (), "r"), {"account": "acc_1"})
    assert body["lines"] == [{"name": "R-1", "quantity": "1", "price": "100"}]


def test_what_cannot_work_is_said_before_anything_is_sent(connect: Connect) -> None:
    with pytest.raises(ConnectionInvalid, match="`user` is missing"):
        connect(user="")
    with pytest.raises(ConnectionInvalid, match="no protocol 'soap'"):
        connect(protocol="soap")
