"""The shipped targets under trouble: a cut connection, a damaged folder, a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.base import Message, Receipt, Status
from adapters.errors import TargetDamaged, TargetUnavailable, UnknownOutcome
from adapters.targets.file import FileTarget
from adapters.targets.memory import MemoryTarget


def message(golden_id: str = "acc_1", version: int = 1, name: str = "Acme") -> Message:
    return Message("erp", "account", golden_id, version, "create", {"document": "customer", "name": name})


def once(golden_id: str) -> Callable[[Message], bool]:
    """True for the first message of this golden record."""
    left = [golden_id]
    return lambda sent: sent.golden_id in left and left.remove(sent.golden_id) is None


def test_memory_target_cut_after_keeping_then_sent_again_has_one_effect() -> None:
    target = MemoryTarget("erp", cut=once("acc_2"))
    batch = [message("acc_1"), message("acc_2"), message("acc_3")]
    with pytest.raises(UnknownOutcome):
        target.send(batch)
    assert [r.status for r in target.send(batch)] == [Status.REPLAYED, Status.REPLAYED, Status.APPLIED]
    assert target.effects == 3


def test_memory_target_fault_before_keeping_leaves_nothing() -> None:
    def refuse(sent: Message) -> Receipt | None:
        return Receipt(Status.THROTTLED) if sent.golden_id == "acc_2" else None

    target = MemoryTarget("erp", refuse)
    assert [r.status for r in target.send([message("acc_1"), message("acc_2")])] == [Status.APPLIED, Status.THROTTLED]
    assert [one.golden_id for one in target.read("account")] == ["acc_1"]


def test_file_target_batch_sent_again_makes_no_second_file(tmp_path: Path) -> None:
    for _ in range(3):  # each a new process
        FileTarget("erp", tmp_path).send([message(), message("acc_2")])
    assert len(list(tmp_path.iterdir())) == 1


def test_file_target_refused_messages_are_not_written(tmp_path: Path) -> None:
    target = FileTarget("erp", tmp_path)
    target.send([message(version=5)])
    target.send([message(version=4)])
    assert len(list(tmp_path.iterdir())) == 1


def test_file_target_half_written_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".000000-x.jsonl.part").write_text('{"key": "er')
    assert list(FileTarget("erp", tmp_path).read("account")) == []


@pytest.mark.parametrize("line", ["not json", "[1]", '{"key": "k"}', ""])
def test_file_target_damaged_file_is_named_and_nothing_is_sent(tmp_path: Path, line: str) -> None:
    FileTarget("erp", tmp_path).send([message()])
    (tmp_path / "000001-x.jsonl").write_text(line + "\n")
    with pytest.raises(TargetDamaged, match=r"000001-x\.jsonl:1"):
        FileTarget("erp", tmp_path).send([message("acc_2")])
    assert len(list(tmp_path.iterdir())) == 2


def test_file_target_folder_that_cannot_be_made_is_unavailable_and_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "erp").write_text("in the way")
    target = FileTarget("erp", tmp_path / "erp")
    with pytest.raises(TargetUnavailable):
        target.send([message()])
    (tmp_path / "erp").unlink()
    assert target.send([message()])[0].status is Status.APPLIED
