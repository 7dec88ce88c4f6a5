"""Steward decisions: they stick, they can be undone, and they cannot contradict each other."""

from __future__ import annotations

import pytest

from canonical.ids import SourceKey
from hub import queries
from hub.errors import Conflict, Contradiction, InvalidRequest, NotPermitted
from hub.store.access import Principal
from hub.store.audit import verify
from hub.store.engine import reading, writing
from hub.store.tables import audit
from hub.wiring import Hub
from tests.worlds import account, deliver, golden_of, outcome

MIA = Principal("mia", "steward")
ALIKE = {"city": "Leeds", "country": "GB"}


def key(text: str) -> SourceKey:
    return SourceKey.parse(f"crm:account:{text}")


@pytest.fixture
def asked(hub: Hub) -> str:
    """The task of two records that look alike but not enough."""
    deliver(
        hub,
        [account("crm", "a", name="Acorn Foods Ltd"), account("crm", "b", name="Acorn Foods Limited", industry="Food")],
    )
    return str(queries.tasks(hub.engine)[0]["id"])


def test_decide_same_joins_and_closes_the_task(hub: Hub, asked: str) -> None:
    hub.desk(MIA).answer(asked, "same", "I asked them")
    assert len(outcome(hub).clusters) == 1
    assert queries.tasks(hub.engine) == []
    assert queries.overview(hub.engine)["sources"][0]["review"] == 0


def test_decide_different_keeps_apart_for_ever(hub: Hub, asked: str) -> None:
    hub.desk(MIA).answer(asked, "different", "two owners")
    tax = {"tax": "GB980780684", "country": "GB", "email": "x@acorn.example"}
    deliver(hub, [account("crm", k, name="Acorn Foods Ltd", at="2026-02-01T00:00:00Z", **tax) for k in "ab"])
    assert len(outcome(hub).clusters) == 2
    assert [task["kind"] for task in queries.tasks(hub.engine)] == ["reconfirm"]


def test_undo_restores_clusters_values_and_the_question(hub: Hub, asked: str) -> None:
    before = outcome(hub)
    decision = hub.desk(MIA).answer(asked, "same", "sure")
    hub.desk(MIA).undo(decision)
    assert outcome(hub) == before


def test_undo_twice_is_a_conflict(hub: Hub, asked: str) -> None:
    decision = hub.desk(MIA).answer(asked, "same", "sure")
    hub.desk(MIA).undo(decision)
    with pytest.raises(Conflict):
        hub.desk(MIA).undo(decision)


def test_split_gives_the_part_without_the_id_a_new_one(hub: Hub, asked: str) -> None:
    first = golden_of(hub, "crm:account:a")["id"]
    second = golden_of(hub, "crm:account:b")["id"]
    decision = hub.desk(MIA).answer(asked, "same", "sure")
    merged = golden_of(hub, "crm:account:b")["id"]
    hub.desk(MIA).undo(decision)
    again = {golden_of(hub, f"crm:account:{k}")["id"] for k in "ab"}
    retired = ({first, second} - {merged}).pop()
    assert merged in again
    assert retired not in again, "a redirected id is never used again"


def test_decide_task_that_was_answered_is_a_conflict(hub: Hub, asked: str) -> None:
    hub.desk(MIA).answer(asked, "same", "sure")
    with pytest.raises(Conflict, match="not applied"):
        hub.desk(Principal("kim", "steward")).answer(asked, "different", "not sure")


@pytest.mark.parametrize("order", [("same", "same", "different"), ("different", "same", "same")])
def test_decide_contradiction_is_refused_with_its_path(hub: Hub, order: tuple[str, str, str]) -> None:
    deliver(hub, [account("crm", k, name=f"Company {k * 5}") for k in "abc"])
    pairs = {"same": [("a", "b"), ("b", "c")], "different": [("a", "c")]}
    steps = [(answer, pairs[answer].pop(0)) for answer in order]
    desk = hub.desk(MIA)
    for answer, (left, right) in steps[:2]:
        desk.decide(answer, key(left), key(right), "because")
    with pytest.raises(Contradiction) as caught:
        desk.decide(steps[2][0], key(steps[2][1][0]), key(steps[2][1][1]), "because")
    assert "crm:account:a" in caught.value.message
    assert "crm:account:c" in caught.value.message


def test_override_wins_stays_with_its_record_and_lapses_on_its_date(hub: Hub, clock: object) -> None:
    from datetime import timedelta

    deliver(hub, [account("crm", "a", name="Acme", industry="Rail")])
    until = hub.clock() + timedelta(days=10)
    decision = hub.desk(MIA).override(key("a"), "industry", "Ships", reason="they told us", until=until)
    assert golden_of(hub, "crm:account:a")["values"]["industry"] == "Ships"
    _, found = queries.why(hub.engine, "crm:account:a", "industry")
    assert (found.field.source, found.field.losers) == (None, [("crm:account:a", "overridden by a steward")])
    assert found.stands
    assert found.again is not None
    assert {flip.kind.value: flip.value for flip in found.again.flips} == {"wait": "Rail", "override": "Rail"}
    clock.move(days=11)  # type: ignore[attr-defined]
    deliver(hub, [account("crm", "a", name="Acme", industry="Road", at="2026-02-01T00:00:00Z")])
    assert golden_of(hub, "crm:account:a")["values"]["industry"] == "Road"
    hub.desk(MIA).undo(decision)


def test_override_that_is_no_value_of_the_field_is_refused(hub: Hub) -> None:
    deliver(hub, [account("crm", "a", name="Acme")])
    with pytest.raises(InvalidRequest):
        hub.desk(MIA).override(key("a"), "email", "not an address", reason="typing")


@pytest.mark.parametrize("role", ["reader", "approver", "operator", "engineer"])
def test_decide_needs_the_role(hub: Hub, asked: str, role: str) -> None:
    with pytest.raises(NotPermitted):
        hub.desk(Principal("sam", role)).answer(asked, "same", "sure")


def test_decide_needs_a_reason(hub: Hub, asked: str) -> None:
    with pytest.raises(InvalidRequest, match="reason"):
        hub.desk(MIA).answer(asked, "same", " ")


@pytest.mark.promise("A-21")
def test_audit_changed_byte_is_found(hub: Hub, asked: str) -> None:
    hub.desk(MIA).answer(asked, "same", "sure")
    hub.desk(MIA).decide("same", key("a"), key("b"), "again")
    with reading(hub.engine) as connection:
        assert verify(connection) is None
    with writing(hub.engine) as connection:
        connection.execute(audit.update().where(audit.c.id == 1).values(actor="somebody else"))
    with reading(hub.engine) as connection:
        assert verify(connection) == 1


def test_detached_record_stays_out_whatever_it_says_and_comes_back_when_all_is_undone(hub: Hub) -> None:
    tax = {"tax": "GB980780684", "country": "GB"}
    deliver(hub, [account("crm", k, name="Acorn Foods Ltd", **tax) for k in "abc"])
    made = hub.desk(MIA).detach(key("b"), "a branch of its own")
    assert len(made) == 2
    assert outcome(hub).clusters == {frozenset({"crm:account:a", "crm:account:c"}), frozenset({"crm:account:b"})}
    deliver(hub, [account("crm", "b", name="Acorn Foods Ltd", at="2026-05-01T00:00:00Z", **tax)])
    assert len(outcome(hub).clusters) == 2
    for decision in made:
        hub.desk(MIA).undo(decision)
    assert len(outcome(hub).clusters) == 1
    hub.desk(MIA).detach(key("b"), "again")
    with pytest.raises(Conflict, match="alone"):
        hub.desk(MIA).detach(key("b"), "again")
