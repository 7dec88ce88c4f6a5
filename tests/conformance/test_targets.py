"""What every target must keep, by being in the registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.base import Connection, Message, Status, Target
from adapters.registry import EMBEDDED, KINDS
from adapters.registry import target as target_named
from canonical.record import GoldenRecord


@pytest.fixture(params=[*sorted(EMBEDDED), "drop"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    return made(request.param, tmp_path)


def made(name: str, folder: Path) -> Target:
    """One of the embedded targets, or files for somebody else."""
    if name in EMBEDDED:
        return target_named(name, folder)
    return KINDS["drop"](Connection("drop", "drop", folder, {"format": "csv"}))


def message(target: Target, golden_id: str = "acc_1", version: int = 1, action: str = "create", **body: str) -> Message:
    return Message(target.name, "account", golden_id, version, action, {"document": "customer", "name": "Acme", **body})


def kept(target: Target) -> dict[str, object]:
    return {str(one.golden_id): one.body for one in target.read("account")}


def test_target_renders_every_entity_that_it_takes(target: Target) -> None:
    for entity in sorted(target.entities):
        body = target.render(GoldenRecord("x_1", entity, 1, {}, {}, (), "r"), {})
        assert body["document"]


def test_target_keeps_what_is_sent_and_gives_it_back(target: Target) -> None:
    receipts = target.send([message(target), message(target, "acc_2")])
    assert [r.status for r in receipts] == [Status.APPLIED, Status.APPLIED]
    assert all(r.remote_id for r in receipts)
    assert kept(target) == {"acc_1": dict(message(target).body), "acc_2": dict(message(target).body)}


@pytest.mark.promise("A-81")
def test_target_same_message_twice_has_one_effect(target: Target) -> None:
    target.send([message(target)])
    assert target.send([message(target)])[0].status is Status.REPLAYED
    assert len(kept(target)) == 1


def test_target_update_replaces(target: Target) -> None:
    target.send([message(target)])
    target.send([message(target, version=2, action="update", name="Acme Ltd")])
    assert kept(target) == {"acc_1": {"document": "customer", "name": "Acme Ltd"}}


def test_target_older_version_is_refused(target: Target) -> None:
    target.send([message(target, version=3)])
    receipt = target.send([message(target, version=2, name="old")])[0]
    assert (receipt.status, receipt.code) == (Status.STALE, "stale")
    assert kept(target) == {"acc_1": dict(message(target).body)}


def test_target_deactivated_record_is_gone_from_what_is_read(target: Target) -> None:
    target.send([message(target)])
    target.send([message(target, action="deactivate")])
    assert kept(target) == {}


def test_target_gives_one_receipt_per_message_in_order(target: Target) -> None:
    target.send([message(target, "acc_1", 5)])
    receipts = target.send([message(target, "acc_2"), message(target, "acc_1", 4), message(target, "acc_3")])
    assert [r.status for r in receipts] == [Status.APPLIED, Status.STALE, Status.APPLIED]


def test_target_nothing_sent_is_nothing_kept(target: Target) -> None:
    assert target.send([]) == []
    assert kept(target) == {}


def test_file_target_second_process_reads_what_the_first_wrote(tmp_path: Path) -> None:
    first, second = target_named("erp", tmp_path), target_named("erp", tmp_path)
    first.send([message(first)])
    assert kept(second) == kept(first)
    assert second.send([message(second)])[0].status is Status.REPLAYED
    assert not list(tmp_path.glob("**/*.part"))


def test_target_same_message_twice_in_one_batch_has_one_effect(target: Target) -> None:
    assert [r.status for r in target.send([message(target), message(target)])] == [Status.APPLIED, Status.REPLAYED]


def test_target_older_version_after_a_newer_in_one_batch_is_refused(target: Target) -> None:
    receipts = target.send([message(target, version=2, name="new"), message(target, version=1, name="old")])
    assert [r.status for r in receipts] == [Status.APPLIED, Status.STALE]
    assert kept(target) == {"acc_1": {"document": "customer", "name": "new"}}


def test_target_same_key_with_another_body_is_refused(target: Target) -> None:
    target.send([message(target)])
    receipt = target.send([message(target, name="other")])[0]
    assert (receipt.status, receipt.code) == (Status.INVALID, "key_reused")
    assert kept(target) == {"acc_1": dict(message(target).body)}


def test_target_new_version_of_the_same_body_is_unchanged_and_still_counts(target: Target) -> None:
    target.send([message(target)])
    assert target.send([message(target, version=3, action="update")])[0].status is Status.UNCHANGED
    assert target.send([message(target, version=2, action="update", name="late")])[0].code == "stale"


def test_target_reactivated_record_is_back(target: Target) -> None:
    target.send([message(target), message(target, version=2, action="deactivate")])
    assert target.send([message(target, version=1)])[0].status is Status.REPLAYED
    assert kept(target) == {}
    assert target.send([message(target, version=3, action="update")])[0].status is Status.APPLIED
    assert len(kept(target)) == 1


def test_target_lost_receipts_and_another_try_make_one_record(target: Target) -> None:
    batch = [message(target, f"acc_{n}") for n in range(5)]
    target.send(batch)  # the answer is lost
    assert {r.status for r in target.send(batch)} == {Status.REPLAYED}
    assert len(kept(target)) == 5


def test_target_order_of_records_in_a_batch_does_not_matter(target: Target, tmp_path: Path) -> None:
    batch = [message(target, f"acc_{n}", version=v, name=str(v)) for n in range(3) for v in (1, 2)]
    target.send(batch)
    other = made(target.name, tmp_path / "other")
    other.send(sorted(batch, key=lambda m: (m.version, m.golden_id), reverse=True))
    assert kept(other) == kept(target)


def test_target_keeps_its_own_copy_of_what_it_was_sent(target: Target) -> None:
    lines = [{"key": "1"}]
    target.send([Message(target.name, "account", "acc_1", 1, "create", {"lines": lines})])
    lines.append({"key": "2"})
    assert kept(target) == {"acc_1": {"lines": [{"key": "1"}]}}


def test_target_renders_the_same_record_the_same_way_as_json(target: Target) -> None:
    total = {"amount": "12.50", "currency": "EUR"}
    values = {"number": "R-1", "account": "crm:account:1", "total": total, "currency": "EUR"}
    golden = GoldenRecord("inv_1", "invoice", 1, values, {}, (), "r")
    body = target.render(golden, {"account": "acc_1"})
    assert body == target.render(golden, {"account": "acc_1"}) == json.loads(json.dumps(body))
    assert (body["customer"], body["gross"], body["currency"]) == ("acc_1", "12.50", "EUR")
    assert "customer" not in target.render(golden, {})
