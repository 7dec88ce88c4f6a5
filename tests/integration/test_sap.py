"""Publishing to SAP: against a partner service of our own that is strict, and against mock-sap, which is not ours."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mocksap
import pytest
from mocksap import schema

from adapters.base import Connection, Message, Receipt, Status
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable
from adapters.peers.faults import Trouble
from adapters.peers.sap import FakeSap
from adapters.registry import KINDS
from adapters.targets.sap import SapTarget
from adapters.transport import Manners
from canonical.record import GoldenRecord

ACORN = {
    "document": "A_BusinessPartner", "BusinessPartnerCategory": "2", "OrganizationBPName1": "Acorn Ltd",
    "BusinessPartnerIsBlocked": False, "StreetName": "1 Mill Lane", "CityName": "Leeds", "PostalCode": "LS1 1AA",
    "Country": "GB", "BPTaxType": "GB0", "BPTaxNumber": "980780684",
}  # fmt: skip
HASTY = Manners(tries=3, longest_wait=0.01, sleep=lambda _: None)
Connect = Callable[..., SapTarget]


@pytest.fixture
def fake() -> Iterator[FakeSap]:
    with FakeSap() as running:
        yield running


@pytest.fixture
def connect(fake: FakeSap) -> Iterator[Connect]:
    made: list[SapTarget] = []

    def connected(**more: Any) -> SapTarget:
        target = KINDS["sap"](Connection("erp", "sap", Path(), {**fake.options, "manners": HASTY, **more}))
        assert isinstance(target, SapTarget)
        made.append(target)
        return target

    yield connected
    for target in made:
        target.gateway.transport.close()


@pytest.fixture
def erp(connect: Connect) -> SapTarget:
    return connect()


def message(golden_id: str, body: dict[str, Any], version: int = 1, action: str = "create", **bound: Any) -> Message:
    return Message("erp", "account", golden_id, version, action, body, **bound)


def send(erp: SapTarget, *messages: Message) -> list[Receipt]:
    return erp.send(list(messages))


def stands(erp: SapTarget, *keys: str) -> Any:
    return [dict(found.body) for found in erp.find("account", keys)]


def test_check_and_who_may_come_in(erp: SapTarget, connect: Connect) -> None:
    assert erp.check().endswith("API_BUSINESS_PARTNER: none")
    with pytest.raises(TargetRefuses):
        connect(password="wrong").check()
    with pytest.raises(TargetUnavailable):
        connect(url="http://127.0.0.1:9/").check()
    with pytest.raises(ConnectionInvalid, match="`user` is missing"):
        connect(user="")


def test_partner_stands_there_as_it_was_rendered(erp: SapTarget, fake: FakeSap) -> None:
    (made,) = send(erp, message("acc_1", ACORN))
    assert (made.status, made.remote_id) == (Status.APPLIED, "1000001")
    assert stands(erp, "acc_1") == [ACORN]
    assert fake.sets["A_BusinessPartner"][("1000001",)]["Customer"] == "1000001"
    again = send(erp, message("acc_1", ACORN, 2, "update", expected=made.version))[0]
    assert (again.status, again.version) == (Status.UNCHANGED, made.version)


@pytest.mark.parametrize(
    ("changed", "methods"),
    [
        ({"OrganizationBPName1": "Acorn PLC"}, []),
        ({"CityName": "York", "StreetName": None}, ["PATCH A_BusinessPartnerAddress"]),
        ({"BPTaxNumber": "123456789"}, ["PATCH A_BusinessPartnerTaxNumber"]),
        ({"BPTaxType": "DE0", "BPTaxNumber": "DE136695976"}, ["DELETE A_BusinessPartnerTaxNumber", "POST A_BusinessPartnerTaxNumber"]),
        ({"BPTaxType": None, "BPTaxNumber": None}, ["DELETE A_BusinessPartnerTaxNumber"]),
    ],
)  # fmt: skip
def test_each_part_is_made_changed_or_deleted_as_it_stands_there(
    erp: SapTarget, changed: dict[str, Any], methods: list[str]
) -> None:
    (made,) = send(erp, message("acc_1", ACORN))
    wanted = {name: value for name, value in {**ACORN, **changed}.items() if value is not None}
    sent: list[str] = []
    whole = erp.gateway.changeset
    erp.gateway.changeset = lambda changes: (
        sent.extend(f"{c.method} {c.path.split('(')[0]}" for c in changes),
        whole(changes),
    )[1]  # type: ignore[method-assign]
    assert send(erp, message("acc_1", wanted, 2, "update", expected=made.version))[0].status is Status.APPLIED
    assert sent == ["PATCH A_BusinessPartner", *methods]
    assert stands(erp, "acc_1") == [wanted]


def test_part_that_was_not_there_is_made(erp: SapTarget) -> None:
    bare = {
        name: ACORN[name]
        for name in ("document", "BusinessPartnerCategory", "OrganizationBPName1", "BusinessPartnerIsBlocked")
    }
    send(erp, message("acc_1", bare))
    assert send(erp, message("acc_1", ACORN, 2, "update"))[0].status is Status.APPLIED
    assert stands(erp, "acc_1") == [ACORN]


def test_changeset_with_one_refused_request_changes_nothing(erp: SapTarget) -> None:
    (made,) = send(erp, message("acc_1", ACORN))
    wrong = {**ACORN, "OrganizationBPName1": "New", "CityName": "York", "BPTaxNumber": "none"}
    (receipt,) = send(erp, message("acc_1", wrong, 2, "update", expected=made.version))
    assert (receipt.status, receipt.says) == (Status.INVALID, "Tax number none is not valid")
    assert stands(erp, "acc_1") == [ACORN]


def test_edit_there_is_not_overwritten_even_between_reading_and_writing(erp: SapTarget, fake: FakeSap) -> None:
    (made,) = send(erp, message("acc_1", ACORN))
    changed = {**ACORN, "OrganizationBPName1": "New"}
    fake.edit(str(made.remote_id), OrganizationBPName2="Holding")
    assert send(erp, message("acc_1", changed, 2, "update", expected=made.version))[0].status is Status.STALE
    whole = erp.gateway.changeset

    def late(changes: Any) -> None:
        fake.edit(str(made.remote_id), OrganizationBPName2="Group")
        whole(changes)

    erp.gateway.changeset = late  # type: ignore[method-assign]
    assert send(erp, message("acc_1", changed, 2, "update"))[0].status is Status.STALE
    assert stands(erp, "acc_1") == [{**ACORN, "OrganizationBPName2": "Group"}]


def test_token_goes_with_all_its_cookies_and_is_fetched_again_once(erp: SapTarget, fake: FakeSap) -> None:
    send(erp, message("acc_1", ACORN))
    fake.end_sessions()
    assert send(erp, message("acc_2", ACORN))[0].status is Status.APPLIED
    whole = erp.gateway.transport._client.cookies
    whole.delete("sap-usercontext")
    assert send(erp, message("acc_3", ACORN))[0].status is Status.APPLIED  # the new token brings new cookies
    assert fake.calls.count("GET /sap/opu/odata/sap/API_BUSINESS_PARTNER/") == 3


def test_lock_is_passing_and_stops_nobody_else(erp: SapTarget, fake: FakeSap) -> None:
    receipts = send(erp, message("acc_1", ACORN), message("acc_2", ACORN))
    fake.locked.add(str(receipts[0].remote_id))
    changed = {**ACORN, "CityName": "York"}
    after = send(erp, message("acc_1", changed, 2, "update"), message("acc_2", changed, 2, "update"))
    assert [(r.status, r.code) for r in after] == [(Status.TRANSIENT, "locked"), (Status.APPLIED, None)]


def test_missing_right_and_unknown_field_stop_the_connection(erp: SapTarget, fake: FakeSap) -> None:
    (drift, after) = send(erp, message("acc_1", {**ACORN, "FirstName": "x" * 61}), message("acc_2", ACORN))
    assert (drift.status, after.status) == (Status.INVALID, Status.APPLIED)
    fake.readonly = True
    receipts = send(erp, message("acc_3", ACORN), message("acc_4", ACORN))
    assert [(r.status, r.code) for r in receipts] == [(Status.FORBIDDEN, "forbidden"), (Status.FORBIDDEN, "not_sent")]


def test_key_that_is_there_twice_is_somebodys_to_choose(erp: SapTarget, fake: FakeSap) -> None:
    receipts = send(erp, message("acc_1", ACORN), message("acc_2", ACORN))
    fake.sets["A_BuPaIdentification"][(str(receipts[1].remote_id), "HUB", "acc_1")] = {
        "BusinessPartner": str(receipts[1].remote_id), "BPIdentificationType": "HUB", "BPIdentificationNumber": "acc_1",
    }  # fmt: skip
    del fake.sets["A_BuPaIdentification"][(str(receipts[1].remote_id), "HUB", "acc_2")]
    (receipt,) = send(erp, message("acc_1", {**ACORN, "CityName": "York"}, 2, "update"))
    assert (receipt.status, receipt.says) == (Status.DUPLICATE, "it is there 2 times: 1000001, 1000003")


def test_blocked_partner_is_not_read_and_comes_back(erp: SapTarget, fake: FakeSap) -> None:
    send(erp, message("acc_1", ACORN))
    assert send(erp, message("acc_1", {}, 2, "deactivate"))[0].status is Status.APPLIED
    assert list(erp.read("account")) == []
    since = fake.tick()
    assert list(erp.read("account", since)) == []
    assert send(erp, message("acc_1", ACORN, 3, "update"))[0].status is Status.APPLIED
    (found,) = erp.read("account", since)
    assert (found.golden_id, found.changed_by) == ("acc_1", "HUB")


def test_one_bad_record_of_a_hundred_stands_alone(erp: SapTarget) -> None:
    batch = [message(f"acc_{n}", {**ACORN, "BPTaxNumber": "none" if n == 41 else "980780684"}) for n in range(100)]
    assert Counter(r.status for r in send(erp, *batch)) == {Status.APPLIED: 99, Status.INVALID: 1}
    assert len(list(erp.read("account"))) == 99


@pytest.mark.parametrize("trouble", list(Trouble))
def test_whatever_happens_on_the_way_there_is_one_partner(fake: FakeSap, erp: SapTarget, trouble: Trouble) -> None:
    fake.plan(trouble, when=b'"OrganizationBPName1":"Acorn', seconds=0.05)
    (first,) = send(erp, message("acc_1", ACORN))
    assert fake.met == [trouble]
    assert first.status in _AFTER.get(trouble, {Status.APPLIED}), first
    (second,) = send(erp, message("acc_1", ACORN))
    if trouble is Trouble.TWICE:  # SAP has no key of ours that is unique: it is there twice, and that is said
        assert (second.status, len(stands(erp, "acc_1"))) == (Status.DUPLICATE, 2)
        return
    assert second.status.taken
    assert stands(erp, "acc_1") == [ACORN]


_AFTER = {
    Trouble.CUT_BEFORE: {Status.UNCERTAIN}, Trouble.CUT_AFTER: {Status.UNCERTAIN}, Trouble.GARBAGE: {Status.UNCERTAIN},
    Trouble.THROTTLED: {Status.THROTTLED}, Trouble.AWAY: {Status.THROTTLED},
}  # fmt: skip


def test_golden_records_are_rendered_in_saps_words(erp: SapTarget) -> None:
    values = {
        "kind": "organisation", "legal_name": "Acorn Ltd", "status": "active",
        "billing_address": {"line1": "1 Mill Lane", "city": "Leeds", "postcode": "LS1 1AA", "country": "GB"},
        "tax_id": {"country": "GB", "type": "vat", "number": "980780684"},
    }  # fmt: skip
    assert erp.render(GoldenRecord("acc_1", "account", 1, values, {}, (), "r"), {}) == ACORN
    long = {"legal_name": "The Most Honourable Company of Makers of Very Long Names and their Successors in Title"}
    body = erp.render(GoldenRecord("acc_1", "account", 1, long, {}, (), "r"), {})
    assert [body[f"OrganizationBPName{n}"] for n in (1, 2, 3)] == [
        "The Most Honourable Company of Makers of", "Very Long Names and their Successors in", "Title",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """mock-sap with the two sets that it leaves out, by its own way of adding them."""
    made = {
        "A_BuPaIdentification": ("BPIdentificationType", "BPIdentificationNumber"), "A_BusinessPartnerTaxNumber": ("BPTaxType",),
    }  # fmt: skip
    service = schema.SERVICES["API_BUSINESS_PARTNER_SRV"]
    partner = schema.ENTITY_TYPES["A_BusinessPartner"]
    navs = {"A_BuPaIdentification": "to_BuPaIdentification", "A_BusinessPartnerTaxNumber": "to_BusinessPartnerTax"}
    for name, keys in made.items():
        more = [schema.S("BPTaxNumber", max_length=20)] if name.endswith("TaxNumber") else []
        props = [schema.S(key, key=True, nullable=False, max_length=60) for key in ("BusinessPartner", *keys)]
        schema._register(schema.EntityType(name, label=name, props=[*props, *more]))
        service.sets[name] = name
        partner.navs.append(schema.Nav(navs[name], name, "*", [("BusinessPartner", "BusinessPartner")]))
    httpd = mocksap.make_server(
        mocksap.Config(port=0, db_path=":memory:", quiet=True, require_if_match=True, auth=("HUB", "secret"))
    )
    threading.Thread(target=httpd.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}/"
    httpd.shutdown()
    httpd.server_close()


def test_mock_sap_takes_what_we_send(mock: str, connect: Connect) -> None:
    erp = connect(url=mock, user="HUB", password="secret", service="/sap/opu/odata/sap/API_BUSINESS_PARTNER_SRV")
    names = (
        "document",
        "BusinessPartnerCategory",
        "OrganizationBPName1",
        "BusinessPartnerIsBlocked",
        "BPTaxType",
        "BPTaxNumber",
    )
    wanted = {name: ACORN[name] for name in names}
    assert erp.check().endswith("some")
    (made,) = send(erp, message("acc_1", wanted))
    assert made.status is Status.APPLIED, made
    assert stands(erp, "acc_1") == [wanted]
    changed = {**wanted, "OrganizationBPName1": "Acorn PLC", "BPTaxNumber": "123456789"}
    (receipt,) = send(erp, message("acc_1", changed, 2, "update", expected=made.version))
    assert receipt.status is Status.APPLIED, receipt
    assert stands(erp, "acc_1") == [changed]
    assert "acc_1" in {found.golden_id for found in erp.read("account")}
    (row,) = erp.rows("account", ["acc_1"])
    stale = {**row.raw, "__metadata": {"etag": "W/\"datetimeoffset'2001-01-01T00:00:00Z'\""}}
    from dataclasses import replace

    from adapters.record_target import Refused

    with pytest.raises(Refused) as refused:
        erp.change(message("acc_1", wanted, 3), replace(row, raw=stale), wanted)
    assert refused.value.status is Status.STALE
    assert stands(erp, "acc_1") == [changed]
