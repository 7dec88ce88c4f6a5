"""What Business Central alone has: ids of ours that lead both ways, and invoices drafted, compared and posted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Connection, Message, Receipt, Status
from adapters.errors import ConnectionInvalid
from adapters.peers.business_central import FakeBusinessCentral
from adapters.registry import KINDS
from adapters.targets.business_central import BusinessCentralTarget
from adapters.targets.business_central.words import golden_id, system_id
from adapters.transport import Manners
from canonical import ids
from canonical.ids import SourceKey
from canonical.record import GoldenRecord

HASTY = Manners(tries=2, sleep=lambda _: None)
ACORN = ids.golden_id("acc", SourceKey("crm", "account", "1"))
FIRST, SECOND = (ids.golden_id("inv", SourceKey("billing", "invoice", str(n))) for n in range(2))
EURO = {"currency": "EUR"}
VALUES: dict[str, Any] = {
    "number": "R-1", "issued_on": "2026-10-01", "status": "open", "currency": "EUR",
    "total": {"amount": "117.22", **EURO}, "tax": {"amount": "18.72", **EURO},
    "lines": [
        {"key": "1", "description": "Seats", "quantity": "2", "unit_amount": {"amount": "49.00", **EURO},
         "amount": {"amount": "98.00", **EURO}},
        {"key": "2", "description": "Usage", "amount": {"amount": "0.50", **EURO}},
    ],
}  # fmt: skip


@pytest.fixture
def fake() -> Iterator[FakeBusinessCentral]:
    with FakeBusinessCentral() as running:
        yield running


@pytest.fixture
def erp(fake: FakeBusinessCentral) -> Iterator[BusinessCentralTarget]:
    more = {"revenue_account": "8400", "tax_codes": {19: "VAT19", 0: "VAT0"}, "manners": HASTY}
    target = KINDS["business_central"](Connection("erp", "business_central", Path(), {**fake.options, **more}))
    assert isinstance(target, BusinessCentralTarget)
    body = target.render(GoldenRecord(ACORN, "account", 1, {"legal_name": "Acorn Ltd"}, {}, (), "r"), {})
    assert target.send([Message("erp", "account", ACORN, 1, "create", body)])[0].status is Status.APPLIED
    yield target
    target.transport.close()


def send(erp: BusinessCentralTarget, key: str, version: int = 1, action: str = "create", **changed: Any) -> Receipt:
    golden = GoldenRecord(key, "invoice", version, {**VALUES, **changed}, {}, (), "r")
    body = {} if action == "deactivate" else erp.render(golden, {"account": ACORN})
    return erp.send([Message("erp", "invoice", key, version, action, body)])[0]


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=16, max_size=16), st.sampled_from(["account", "invoice"]))
def test_system_id_leads_back_to_the_golden_id(letters: str, entity: str) -> None:
    key = f"{entity[:3]}_{letters}"
    number = system_id(key)
    assert (number.version, number.variant) == (8, "specified in RFC 4122")
    assert golden_id(entity, UUID(str(number))) == key


def test_ids_of_others_are_not_ours() -> None:
    assert [golden_id("account", uuid4()) for _ in range(100)] == [None] * 100
    with pytest.raises(ValueError, match="no golden id"):
        system_id("acc_1")


def test_invoice_is_drafted_compared_and_posted(erp: BusinessCentralTarget, fake: FakeBusinessCentral) -> None:
    receipt = send(erp, FIRST)
    assert receipt.status is Status.APPLIED, receipt
    (found,) = erp.find("invoice", [FIRST])
    assert found.body == {
        "document": "salesInvoices", "reference": "R-1", "party": ACORN, "date": "2026-10-01", "due": "2026-10-01",
        "currency": "EUR", "gross": "117.22", "tax": "18.72", "posted": True,
        "lines": [{"description": "Seats", "quantity": "2", "price": "49"}, {"description": "Usage", "quantity": "1", "price": "0.5"}],
    }  # fmt: skip
    assert send(erp, FIRST, 2).status is Status.UNCHANGED
    refused = send(erp, FIRST, 3, number="R-2")
    assert (refused.status, refused.code) == (Status.INVALID, "posted")


def test_draft_that_is_reckoned_otherwise_is_not_posted_until_it_is_corrected(
    erp: BusinessCentralTarget, fake: FakeBusinessCentral
) -> None:
    refused = send(erp, FIRST, total={"amount": "117.23", **EURO})
    assert (refused.status, refused.code) == (Status.INVALID, "total")
    assert refused.says == "the draft makes 117.22 of gross, not 117.23; it was not posted"
    assert send(erp, FIRST, 2).status is Status.APPLIED
    assert [row["status"] for row in fake.records["salesInvoices"].values()] == ["Open"]
    refused = send(erp, SECOND, tax={"amount": "11.11", **EURO})
    assert (refused.status, refused.code) == (Status.INVALID, "tax")


def test_invoice_that_came_without_its_lines_is_one_line(erp: BusinessCentralTarget) -> None:
    assert send(erp, FIRST, lines=None).status is Status.APPLIED
    (found,) = erp.find("invoice", [FIRST])
    assert found.body["lines"] == [{"description": "R-1", "quantity": "1", "price": "98.5"}]


def test_draft_is_posted_later_and_a_withdrawn_one_is_deleted(
    erp: BusinessCentralTarget, fake: FakeBusinessCentral
) -> None:
    assert [send(erp, key, status="draft").status for key in (FIRST, SECOND)] == [Status.APPLIED] * 2
    assert {found.body["posted"] for found in erp.read("invoice")} == {False}
    assert send(erp, FIRST, 2).status is Status.APPLIED
    assert send(erp, SECOND, 2, "deactivate").status is Status.APPLIED
    assert send(erp, FIRST, 3, "deactivate").code == "posted"
    assert [(f.golden_id, f.body["posted"]) for f in erp.read("invoice")] == [(FIRST, True)]


def test_invoice_of_a_customer_that_is_not_there_is_refused(
    erp: BusinessCentralTarget, fake: FakeBusinessCentral
) -> None:
    fake.records["customers"].clear()
    assert send(erp, FIRST).says == "The customer does not exist."


def test_without_a_revenue_account_no_invoices_are_taken(fake: FakeBusinessCentral) -> None:
    target = KINDS["business_central"](Connection("erp", "business_central", Path(), fake.options))
    assert target.entities == {"account", "product"}
    with pytest.raises(ConnectionInvalid, match="`company` is missing"):
        KINDS["business_central"](Connection("erp", "business_central", Path(), {**fake.options, "company": ""}))
