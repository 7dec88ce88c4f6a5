"""What every target must keep, by being in the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.base import Message, Status, Target
from adapters.registry import TARGETS
from adapters.registry import target as target_named
from canonical.record import GoldenRecord


@pytest.fixture(params=sorted(TARGETS))
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    return target_named(request.param, tmp_path)


def message(target: Target, golden_id: str = "acc_1", version: int = 1, action: str = "create", **body: str) -> Message:
    return Message(target.name, "account", golden_id, version, action, {"document": "customer", "name": "Acme", **body})


def kept(target: Target) -> dict[str, object]:
    return dict(target.read("account"))


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
    assert (receipt.status, receipt.code) == (Status.REJECTED, "stale")
    assert kept(target) == {"acc_1": dict(message(target).body)}


def test_target_deactivated_record_is_gone_from_what_is_read(target: Target) -> None:
    target.send([message(target)])
    target.send([message(target, action="deactivate")])
    assert kept(target) == {}


def test_target_gives_one_receipt_per_message_in_order(target: Target) -> None:
    target.send([message(target, "acc_1", 5)])
    receipts = target.send([message(target, "acc_2"), message(target, "acc_1", 4), message(target, "acc_3")])
    assert [r.status for r in receipts] == [Status.APPLIED, Status.REJECTED, Status.APPLIED]


def test_target_nothing_sent_is_nothing_kept(target: Target) -> None:
    assert target.send([]) == []
    assert kept(target) == {}


def test_file_target_second_process_reads_what_the_first_wrote(tmp_path: Path) -> None:
    first, second = target_named("erp", tmp_path), target_named("erp", tmp_path)
    first.send([message(first)])
    assert kept(second) == kept(first)
    assert second.send([message(second)])[0].status is Status.REPLAYED
    assert not list(tmp_path.glob("**/*.part"))
