"""Invoices and payments as X12 and EDIFACT, checked by a trading partner that is not ours (mock-edi)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mockedi.testing import Mock

from adapters.base import Connection, Message, Status, Target
from adapters.registry import KINDS


@pytest.fixture(scope="module")
def partner() -> Iterator[Mock]:
    with Mock.start() as running:
        yield running


def connect(home: Path, **options: Any) -> Target:
    said = {"folder": "out", "acks": "acks", "sender": "ACME", "receiver": "MOCKEDI", "usage": "T", **options}
    return KINDS["drop"](Connection("partner", "drop", home, said))


def invoice(key: str = "inv_1", **changed: Any) -> Message:
    body = {
        "document": "sales_invoice", "invoice_number": "R-1", "customer": "acc_1", "company": "ent_1", "currency": "EUR",
        "invoice_date": "2026-10-01", "due_date": "2026-10-31", "net": "147.50", "tax": "28.03", "gross": "175.53",
        "lines": [
            {"key": "1", "product": "SEAT", "description": "Seats 'pro'", "quantity": "2",
             "unit_amount": {"amount": "49.00", "currency": "EUR"}, "amount": {"amount": "98.00", "currency": "EUR"}},
            {"key": "2", "description": "Usage", "quantity": "3", "unit_amount": {"amount": "16.00", "currency": "EUR"},
             "amount": {"amount": "49.50", "currency": "EUR"}},
        ],
        **changed,
    }  # fmt: skip
    return Message("partner", "invoice", key, 1, "create", body)


def payment(key: str = "pay_1", **changed: Any) -> Message:
    body = {
        "document": "receipt", "reference": "T-1", "customer": "acc_1", "amount": "175.53", "currency": "EUR",
        "booked_at": "2026-10-20T08:00:00Z", "method": "bank_transfer",
        "allocations": [{"invoice": "R-1", "amount": {"amount": "175.53", "currency": "EUR"}}], **changed,
    }  # fmt: skip
    return Message("partner", "payment", key, 1, "create", body)


def put(home: Path) -> list[str]:
    return [path.read_bytes().decode("latin-1") for path in sorted((home / "out").glob("*.edi"))]


def segments(text: str, end: str) -> list[str]:
    return [part.strip() for part in text.split(end) if part.strip()]


def test_810_and_820_are_clean_to_the_partner(tmp_path: Path, partner: Mock) -> None:
    target = connect(tmp_path, format="x12")
    assert target.entities == {"invoice", "payment"}
    target.send([invoice(), payment()])
    bill, advice = put(tmp_path)
    assert partner.findings(bill) == ["810/0001: accepted"]
    assert partner.findings(advice) == ["820/0002: accepted"]
    assert segments(bill, "~")[2:-3] == [
        "ST*810*0001", "BIG*20261001*R-1", "CUR*SE*EUR", "N1*BT**91*acc_1", "N1*SE**91*ent_1", "ITD*01*3****20261031",
        "IT1*1*2*EA*49**VP*SEAT", "PID*F****Seats 'pro'", "IT1*2*1*EA*49.5**VP*2", "PID*F****Usage", "TDS*17553",
        "TXI*TX*28.03", "CTT*2",
    ]  # fmt: skip
    assert "RMR*IV*R-1**175.53" in segments(advice, "~")


def test_820_is_acknowledged_by_the_partners_997(tmp_path: Path, partner: Mock) -> None:
    """The partner answers each document; what it refuses is refused here, with its words."""
    target = connect(tmp_path, format="x12")
    batch = [payment(), payment("pay_2", reference="T-2", allocations=[])]
    assert {r.status for r in target.send(batch)} == {Status.UNCERTAIN}
    partner.send(put(tmp_path)[0])
    answer = partner.document(partner="ACME", kind="acknowledgment").payload
    (tmp_path / "out" / "acks").mkdir()
    (tmp_path / "out" / "acks" / "1.edi").write_text(answer)
    assert {r.status for r in target.send(batch)} == {Status.REPLAYED}
    refused = answer.replace("AK5*A", "AK5*R*5", 1)
    (tmp_path / "out" / "acks" / "2.edi").write_text(refused)
    assert [r.status for r in target.send(batch)] == [Status.INVALID, Status.REPLAYED]
    assert "AK5*R*5" in str(target.send(batch)[0].says)


def test_invoic_is_clean_to_the_partner(tmp_path: Path, partner: Mock) -> None:
    target = connect(tmp_path, format="edifact", sender="EURODIS")
    credit = invoice("inv_2", invoice_number="R'2+ü", gross="-10.00", lines=[], tax=None, due_date=None)
    target.send([invoice(due_date=None), credit])
    (text,) = put(tmp_path)
    assert partner.findings(text) == ["INVOIC/1: accepted", "INVOIC/2: accepted"]
    assert segments(text, "'\n")[2:6] == [
        "BGM+380+R-1+9", "DTM+137:20261001:102", "NAD+SU+ent_1::91", "NAD+BY+acc_1::91",
    ]  # fmt: skip
    assert "BGM+381+R?'2?+ü+9" in text


def test_invoic_says_when_it_is_due(tmp_path: Path, partner: Mock) -> None:
    target = connect(tmp_path, format="edifact", sender="EURODIS")
    target.send([invoice()])
    (text,) = put(tmp_path)
    assert "PAT+1'\nDTM+13:20261031:102'" in text  # 2005 = 13, terms net due date, which the partner's table has not
    assert partner.findings(text)[0] == "INVOIC/1: accepted, with findings"
    assert [one for one in partner.findings(text) if "segment" in one and "13 is not a code" not in one] == [
        "  one or more segments in error (5)"
    ]


def test_invoic_is_acknowledged_by_contrl(tmp_path: Path) -> None:
    target = connect(tmp_path, format="edifact", sender="EURODIS")
    batch = [invoice(), invoice("inv_2", invoice_number="R-2")]
    target.send(batch)
    (tmp_path / "out" / "acks").mkdir()
    head = "UNB+UNOC:3+MOCKEDI:ZZ+EURODIS:ZZ+261001:1200+9'UNH+1+CONTRL:D:3:UN'"
    told = "UCI+1+EURODIS:ZZ+MOCKEDI:ZZ+7'UCM+1+INVOIC:D:96A:UN+7'UCM+2+INVOIC:D:96A:UN+4+12'UNT+5+1'UNZ+1+9'"
    (tmp_path / "out" / "acks" / "1.edi").write_text(head + told)
    assert [r.status for r in target.send(batch)] == [Status.REPLAYED, Status.INVALID]


@pytest.mark.parametrize(
    ("form", "changed", "says"),
    [
        ("x12", {"gross": "1.005"}, "gross has more than two decimals"),
        ("x12", {"invoice_number": "R*1"}, "there is '*' in it, which X12 cannot say"),
        ("x12", {"customer": None}, "customer is needed"),
        ("edifact", {"customer": None}, "customer is needed"),
        ("edifact", {"invoice_number": "Ł1"}, "there is 'Ł' in it, which UNOC has not"),
    ],
)
def test_what_cannot_be_said_is_refused_alone(tmp_path: Path, form: str, changed: Any, says: str) -> None:
    target = connect(tmp_path, format=form, acks=None)
    receipts = target.send([invoice(**changed), invoice("inv_2")])
    assert [(r.status, r.says) for r in receipts] == [(Status.INVALID, says), (Status.APPLIED, None)]
    assert len(put(tmp_path)) == 1


def test_same_batch_put_again_is_the_same_interchange_byte_for_byte(tmp_path: Path) -> None:
    target = connect(tmp_path, format="x12", acks=None)
    target.send([invoice()])
    before = put(tmp_path)
    (book,) = (tmp_path / "partner.book").iterdir()
    book.rename(f"{book}.staged")
    for path in (tmp_path / "out").iterdir():
        path.unlink()  # the partner has collected it
    assert connect(tmp_path, format="x12", acks=None).send([invoice()])[0].status is Status.REPLAYED
    assert put(tmp_path) == before
