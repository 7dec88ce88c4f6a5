"""What NetSuite alone has: codes that say more than the status, references by external id, limits of the account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Connection, Message, Receipt, Status
from adapters.peers.netsuite import FakeNetSuite
from adapters.registry import KINDS
from adapters.targets.netsuite import NetSuiteTarget
from adapters.transport import Manners

CUSTOMER = {"document": "netsuite.customer", "companyName": "Acorn Ltd", "isPerson": False, "active": True}


@pytest.fixture
def fake() -> Iterator[FakeNetSuite]:
    with FakeNetSuite() as running:
        yield running


@pytest.fixture
def erp(fake: FakeNetSuite) -> Iterator[NetSuiteTarget]:
    options = {**fake.options, "manners": Manners(tries=2, sleep=lambda _: None), "subsidiary": 1}
    target = KINDS["netsuite"](Connection("erp", "netsuite", Path(), options))
    assert isinstance(target, NetSuiteTarget)
    yield target
    target.transport.close()


def send(erp: NetSuiteTarget, *sent: tuple[str, str, dict[str, Any]]) -> list[Receipt]:
    return erp.send([Message("erp", entity, key, 1, "create", body) for entity, key, body in sent])


def test_check_says_how_many_calls_at_once_the_account_is_allowed(erp: NetSuiteTarget) -> None:
    assert erp.check() == "NetSuite, 15 calls at once"


@pytest.mark.parametrize(
    ("status", "code", "means"),
    [
        (400, "SSS_REQUEST_LIMIT_EXCEEDED", Status.THROTTLED),
        (429, "CONCURRENCY_LIMIT_EXCEEDED", Status.THROTTLED),
        (400, "RCRD_HAS_BEEN_CHANGED", Status.STALE),
        (400, "DUP_RCRD", Status.DUPLICATE),
        (403, "INSUFFICIENT_PERMISSION", Status.FORBIDDEN),
        (400, "INVALID_PROPERTY", Status.SCHEMA_DRIFT),
        (400, "USER_ERROR", Status.INVALID),
        (500, "UNEXPECTED_ERROR", Status.UNCERTAIN),
        (503, "", Status.THROTTLED),
    ],
)
def test_code_is_heeded_before_the_status(
    erp: NetSuiteTarget, fake: FakeNetSuite, status: int, code: str, means: Status
) -> None:
    fake.refuse(status, code)
    assert send(erp, ("account", "acc_1", CUSTOMER))[0].status is means


def test_contact_and_item_stand_there_as_they_were_rendered(erp: NetSuiteTarget, fake: FakeNetSuite) -> None:
    person = {
        "document": "netsuite.contact",
        "entityId": "Ann Lee",
        "email": "ann@acorn.example",
        "company": "acc_1",
        "active": True,
    }
    item = {"document": "netsuite.serviceSaleItem", "itemId": "SEAT", "displayName": "Seat", "active": True}
    receipts = send(erp, ("product", "prd_1", item), ("contact", "con_1", person), ("account", "acc_1", CUSTOMER))
    assert [r.status for r in receipts] == [Status.APPLIED] * 3, receipts
    assert [erp.find(entity, [key])[0].body for entity, key in (("contact", "con_1"), ("product", "prd_1"))] == [
        person,
        item,
    ]
    assert next(iter(fake.records["customer"].values()))["subsidiary"] == {"id": "1"}
    assert send(erp, ("contact", "con_2", {**person, "company": "acc_9"}))[0].status is Status.INVALID


def test_token_that_runs_out_is_fetched_again_and_a_refused_one_stops_us(
    erp: NetSuiteTarget, fake: FakeNetSuite
) -> None:
    send(erp, ("account", "acc_1", CUSTOMER))
    fake.end_sessions()
    assert send(erp, ("account", "acc_2", CUSTOMER))[0].status is Status.APPLIED
    assert fake.calls.count("POST /token") == 2
    erp.bearer._form["client_id"] = "somebody else"
    fake.end_sessions()
    (receipt,) = send(erp, ("account", "acc_3", CUSTOMER))
    assert (receipt.status, receipt.says) == (Status.FORBIDDEN, "erp gives us no token: invalid_client.")
