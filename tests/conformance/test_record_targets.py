"""What every target of records must keep, whatever the system and whatever happens on the way to it.

The points are those that a target can be asked for: who may come in, reading, writing once, edits and
deletions there, trouble of the connection, refusals. What asks for a source (webhooks) is asked of sources.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.base import Receipt, Status, Target
from adapters.errors import TargetRefuses, TargetUnavailable
from adapters.peers.faults import Trouble
from adapters.registry import KINDS
from tests.conformance.peers import WORLDS, World, key, message

_AFTER = {
    Trouble.CUT_BEFORE: {Status.UNCERTAIN}, Trouble.CUT_AFTER: {Status.UNCERTAIN}, Trouble.GARBAGE: {Status.UNCERTAIN},
    Trouble.THROTTLED: {Status.THROTTLED}, Trouble.AWAY: {Status.THROTTLED},
    Trouble.TWICE: {Status.APPLIED, Status.UNCHANGED},  # the second one finds what the first has made
    Trouble.SESSION_LOST: {Status.APPLIED, Status.SESSION_LOST, Status.FORBIDDEN},
}  # fmt: skip


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = WORLDS[request.param]()
    with made.fake:
        yield made
        made.close()


@pytest.fixture
def erp(world: World) -> Target:
    # the address of the fake is known only now
    return world.connect()


def kept(erp: Target) -> dict[str | None, Any]:
    return {found.golden_id: found.body for found in erp.read("account")}


def test_every_kind_of_target_is_tried() -> None:
    of_records = {name.partition("-")[0] for name in WORLDS}
    assert of_records | {"file", "memory", "drop", "tryton"} == KINDS.keys()  # these have suites of their own


def test_wrong_credentials_fail_the_check_and_a_dead_address_too(world: World, erp: Target) -> None:
    assert erp.check()
    with pytest.raises(TargetRefuses):
        world.connect(**world.wrong).check()
    with pytest.raises(TargetUnavailable):
        world.connect(url="http://127.0.0.1:9/").check()


def test_reading_twice_gives_the_same(erp: Target) -> None:
    erp.send([message(erp, number, legal_name=f"Company {number}") for number in range(12)])
    assert list(erp.read("account")) == list(erp.read("account"))
    assert len(kept(erp)) == 12


def test_changed_since_the_future_is_nothing(world: World, erp: Target) -> None:
    erp.send([message(erp)])
    assert list(erp.read("account", world.fake.at + timedelta(days=1))) == []
    assert [found.golden_id for found in erp.read("account", world.fake.at - timedelta(days=1))] == [key(1)]


def test_equal_times_across_a_page_lose_nothing(world: World, erp: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    at = world.fake.tick()
    monkeypatch.setattr(world.fake, "tick", lambda: at)
    if world.pages:
        monkeypatch.setattr(world.pages, "PAGE", 7)
    erp.send([message(erp, number, legal_name=f"Company {number}") for number in range(30)])
    assert Counter(found.golden_id for found in erp.read("account")) == {key(number): 1 for number in range(30)}
    assert len(list(erp.read("account", at))) == 30


def test_reading_that_breaks_off_says_so_and_is_whole_the_next_time(
    world: World, erp: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a list is never taken for all of it."""
    if world.pages:
        monkeypatch.setattr(world.pages, "PAGE", 7)
    erp.send([message(erp, number, legal_name=f"Company {number}") for number in range(30)])
    reading = erp.read("account")
    first = [next(reading) for _ in range(7)]
    world.fake.plan(*[Trouble.AWAY] * 3)
    with pytest.raises(TargetUnavailable):
        list(reading)
    assert len(first) == 7
    assert len(kept(erp)) == 30


def test_deletion_there_is_seen_and_not_undone_in_silence(world: World, erp: Target) -> None:
    (made,) = erp.send([message(erp)])
    world.remove(str(made.remote_id))
    assert (list(erp.read("account")), erp.find("account", [key(1)])) == ([], [])
    bound = {"remote_id": made.remote_id, "expected": made.version}
    (receipt,) = erp.send([message(erp, version=2, action="update", legal_name="Acorn PLC", bound=bound)])
    assert receipt.status is Status.GONE
    assert list(world.records()) == []
    assert erp.send([message(erp, version=3)])[0].status is Status.APPLIED  # somebody decided to send it anew


def test_same_message_twice_makes_one_record(world: World, erp: Target) -> None:
    (first,) = erp.send([message(erp)])
    (second,) = erp.send([message(erp)])
    assert (first.status, second.status) == (Status.APPLIED, Status.UNCHANGED)
    assert (second.remote_id, second.version) == (first.remote_id, first.version)
    assert len(world.records()) == 1
    assert kept(erp) == {key(1): dict(message(erp).body)}


def test_same_record_twice_in_one_batch_ends_as_the_later_says(erp: Target) -> None:
    receipts = erp.send([message(erp), message(erp, version=2, action="update", legal_name="Acorn PLC")])
    assert [r.status for r in receipts] == [Status.APPLIED, Status.APPLIED]
    assert kept(erp) == {key(1): dict(message(erp, legal_name="Acorn PLC").body)}


@pytest.mark.parametrize("trouble", list(Trouble))
def test_whatever_happens_to_a_write_there_is_one_record(world: World, erp: Target, trouble: Trouble) -> None:
    world.fake.plan(trouble, when=b"Acorn", seconds=0.05)
    (first,) = erp.send([message(erp)])
    assert world.fake.met == [trouble]
    assert first.status in _AFTER.get(trouble, {Status.APPLIED}), first
    (second,) = erp.send([message(erp)])
    if trouble is Trouble.TWICE and not world.unique:
        assert second.status is Status.DUPLICATE  # it is there twice, and somebody is told
        return
    assert second.status.taken, second
    assert len(world.records()) == 1
    assert kept(erp) == {key(1): dict(message(erp).body)}


@pytest.mark.parametrize("trouble", list(Trouble))
def test_whatever_happens_to_a_change_it_is_done_once(world: World, erp: Target, trouble: Trouble) -> None:
    (made,) = erp.send([message(erp, legal_name="Bolt Ltd")])
    world.fake.plan(trouble, when=b"Acorn", seconds=0.05)
    change = message(erp, version=2, action="update", bound={"remote_id": made.remote_id})
    (first,) = erp.send([change])
    assert world.fake.met == [trouble]
    expected = _AFTER.get(trouble, {Status.APPLIED})
    if trouble is Trouble.TWICE:
        expected = {Status.APPLIED, Status.STALE}  # the second one met its own first
    assert first.status in expected, first
    assert erp.send([change])[0].status.taken
    assert kept(erp) == {key(1): dict(message(erp).body)}
    assert len(world.records()) == 1


def test_edit_there_is_not_overwritten(world: World, erp: Target) -> None:
    (made,) = erp.send([message(erp)])
    world.edit(str(made.remote_id), "Edited there")
    bound = {"remote_id": made.remote_id, "expected": made.version}
    (receipt,) = erp.send(
        [message(erp, version=2, action="update", email="b@acorn.example", legal_name="New", bound=bound)]
    )
    assert (receipt.status, receipt.code) == (Status.STALE, "stale")
    assert kept(erp)[key(1)][world.name] == "Edited there"
    (found,) = erp.find("account", [key(1)])
    assert found.version == receipt.version != made.version
    bound["expected"] = found.version  # seen, and decided on
    (again,) = erp.send([message(erp, version=3, action="update", legal_name="New", bound=bound)])
    assert (again.status, kept(erp)[key(1)][world.name]) == (Status.APPLIED, "New")


def test_429_pauses_the_connection_and_not_the_record(world: World, erp: Target) -> None:
    batch = [message(erp, n, legal_name=f"Acorn {n}", spoilt={}) for n in range(3)]
    world.fake.plan(Trouble.THROTTLED, when=b"Acorn")
    receipts = erp.send(batch)
    assert [r.status for r in receipts] == [Status.THROTTLED] * 3
    assert receipts[0].wait == timedelta(0)
    assert list(world.records()) == []
    assert {r.status for r in erp.send(batch)} == {Status.APPLIED}


def test_lost_session_is_renewed_once_without_anybody_seeing(world: World, erp: Target) -> None:
    erp.send([message(erp)])
    if world.expires:
        world.fake.end_sessions()
    assert erp.send([message(erp, 2, legal_name="Other")])[0].status is Status.APPLIED


def test_refused_content_is_not_tried_again(world: World, erp: Target) -> None:
    erp.send([message(erp, 9, legal_name="Warm up")])  # signed in, and what is looked up once is known
    before = len(world.fake.calls)
    (receipt,) = erp.send([message(erp, spoilt=world.spoil)])
    assert receipt.status is Status.INVALID
    assert receipt.says
    writes = [
        c
        for c in world.fake.calls[before:]
        if c.startswith(("PUT", "PATCH")) or (c.startswith("POST") and "ql" not in c)
    ]
    assert len(writes) == (2 if world.kind == "odoo" else 1)  # Odoo reads by POST too: the key is looked for
    assert len(world.records()) == 1


def test_unknown_field_stops_the_connection(world: World, erp: Target) -> None:
    erp.send([message(erp, 9, legal_name="Warm up")])
    with world.fields():
        receipts = erp.send([message(erp), message(erp, 2)])
    assert {r.status for r in receipts} == {Status.SCHEMA_DRIFT}
    assert len(world.records()) == 1


def test_missing_right_stops_the_connection(world: World, erp: Target) -> None:
    world.forbid()
    assert {r.status for r in erp.send([message(erp), message(erp, 2)])} == {Status.FORBIDDEN}
    assert list(world.records()) == []


def test_one_bad_record_of_a_hundred_stands_alone(world: World, erp: Target) -> None:
    batch = [message(erp, n, legal_name=f"Company {n}", spoilt=world.spoil if n == 41 else {}) for n in range(100)]
    receipts = erp.send(batch)
    assert Counter(r.status for r in receipts) == {Status.APPLIED: 99, Status.INVALID: 1}
    assert receipts[41].status is Status.INVALID
    assert len(world.records()) == 99


def test_deactivated_record_is_not_read_and_comes_back(erp: Target) -> None:
    (made,) = erp.send([message(erp)])
    gone = message(erp, version=2, action="deactivate", bound={"remote_id": made.remote_id})
    assert erp.send([gone])[0].status is Status.APPLIED
    assert (kept(erp), erp.send([gone])[0].status) == ({}, Status.UNCHANGED)
    assert erp.send([message(erp, version=3, action="update")])[0].status is Status.APPLIED
    assert kept(erp) == {key(1): dict(message(erp).body)}


def test_what_was_never_there_need_not_be_deactivated(world: World, erp: Target) -> None:
    assert erp.send([message(erp, action="deactivate")])[0].status is Status.UNCHANGED
    assert list(world.records()) == []


def test_two_workers_with_one_key_make_one_record(world: World) -> None:
    if not world.unique:
        pytest.skip("the system has no key of ours that is unique: the hub's lease keeps workers apart")
    both, answers = [world.connect(), world.connect()], list[Receipt]()
    ready = threading.Barrier(2)

    def work(target: Target) -> None:
        ready.wait()
        answers.extend(target.send([message(target)]))

    threads = [threading.Thread(target=work, args=(target,)) for target in both]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(one.status.taken for one in answers), answers
    assert len(world.records()) == 1
