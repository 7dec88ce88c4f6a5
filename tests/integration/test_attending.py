"""Stewards at one queue: claims, putting off, comments, versions seen, batches, asking again, parting what was merged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from canonical.ids import SourceKey
from hub import queries
from hub.errors import Conflict, Contradiction, InvalidRequest, NotPermitted
from hub.flow.replay import verify
from hub.store import attention, decisions
from hub.store.access import Principal
from hub.store.engine import reading
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.worlds import account, deliver, golden_of, outcome

MIA, KIM = Principal("mia", "steward"), Principal("kim", "steward")
TAX = {"tax": "GB980780684", "country": "GB"}


def key(text: str) -> SourceKey:
    return SourceKey.parse(f"crm:account:{text}")


def tasks(hub: Hub) -> list[str]:
    return [str(row["id"]) for row in queries.tasks(hub.engine)]


def kinds(hub: Hub) -> list[str]:
    return [str(row["kind"]) for row in queries.tasks(hub.engine)]


@pytest.fixture
def asked(hub: Hub) -> str:
    """The task of two records that look alike but not enough."""
    deliver(hub, [account("crm", "a", name="Acorn Foods Ltd"), account("crm", "b", name="Acorn Foods Limited")])
    return tasks(hub)[0]


def seen(hub: Hub, task_id: str) -> str:
    with reading(hub.engine) as connection:
        task = decisions.task_of(connection, task_id)
        assert task is not None
        return attention.mark_of(connection, task)


def said(hub: Hub, task_id: str) -> list[str]:
    with reading(hub.engine) as connection:
        task = decisions.task_of(connection, task_id)
        assert task is not None
        return [f"{row['author']}: {row['body']}" for row in attention.said(connection, attention.pair_of(task))]


def test_claim_of_another_keeps_the_answer_out_until_it_is_over(hub: Hub, asked: str, clock: object) -> None:
    hub.attending(MIA).claim(asked)
    with pytest.raises(Conflict, match="mia holds"):
        hub.attending(KIM).claim(asked)
    with pytest.raises(Conflict, match=r"mia holds.*not applied"):
        hub.desk(KIM).answer(asked, "same", "sure")
    clock.move(minutes=11)  # type: ignore[attr-defined]
    hub.desk(KIM).answer(asked, "same", "sure")
    assert tasks(hub) == []


def test_claim_taken_over_is_told_and_holds(hub: Hub, asked: str) -> None:
    hub.attending(MIA).claim(asked)
    taken = hub.attending(KIM).claim(asked, take_over=True, note="you are at lunch")
    assert (taken.holder, taken.taken_from) == ("kim", "mia")
    assert said(hub, asked) == ["kim: took over from mia: you are at lunch"]
    with pytest.raises(Conflict, match="kim holds"):
        hub.desk(MIA).answer(asked, "same", "sure")


def test_task_put_off_sleeps_until_its_time_and_survives_judging_and_replay(
    hub: Hub, asked: str, clock: object
) -> None:
    until = hub.clock() + timedelta(days=2)
    hub.attending(MIA).snooze(asked, until, "they call back")
    hub.attending(MIA).say(asked, "left a message")
    hub.attending(KIM).claim(asked)
    deliver(hub, [account("crm", "a", name="Acorn Foods Ltd", industry="Food", at="2026-02-01T00:00:00Z")])
    assert tasks(hub) == [asked]
    assert said(hub, asked) == ["mia: they call back", "mia: left a message"]
    with reading(hub.engine) as connection:
        task = decisions.task_of(connection, asked)
        assert task is not None
        assert attention.of(connection, attention.pair_of(task)).asleep(hub.clock())
    assert verify(hub.engine).first == []
    clock.move(days=3)  # type: ignore[attr-defined]
    with reading(hub.engine) as connection:
        assert not attention.of(connection, attention.pair_of(task)).asleep(hub.clock())
    with pytest.raises(InvalidRequest, match="is over"):
        hub.attending(MIA).snooze(asked, until)


def test_task_is_not_attended_by_a_reader(hub: Hub, asked: str) -> None:
    with pytest.raises(NotPermitted):
        hub.attending(Principal("rob", "reader")).claim(asked)


def test_answer_to_what_has_changed_since_is_a_conflict_that_names_it(hub: Hub, asked: str, clock: object) -> None:
    mark = seen(hub, asked)
    clock.move(minutes=5)  # type: ignore[attr-defined]
    deliver(hub, [account("crm", "a", name="Acorn Foods Ltd", industry="Food", at="2026-02-01T00:00:00Z")])
    with pytest.raises(Conflict, match=r"crm:account:a said something else at 12:05 .*not applied"):
        hub.desk(MIA).answer(asked, "same", "sure", seen=mark)
    assert tasks(hub) == [asked]
    hub.desk(MIA).answer(asked, "same", "sure", seen=seen(hub, asked))


def test_answer_after_somebody_else_names_who_and_what(hub: Hub, asked: str) -> None:
    hub.desk(MIA).answer(asked, "same", "I asked them")
    with pytest.raises(Conflict, match=r"mia decided same about crm a and crm b at 12:00"):
        hub.desk(KIM).answer(asked, "different", "not sure")


def test_related_keeps_apart_closes_the_question_and_contradicts_same(hub: Hub, asked: str) -> None:
    hub.desk(MIA).answer(asked, "related", "sister companies")
    assert len(outcome(hub).clusters) == 2
    assert tasks(hub) == []
    with pytest.raises(Contradiction, match="sister companies"):
        hub.desk(KIM).decide("same", key("a"), key("b"), "no")
    assert verify(hub.engine).first == []


def test_answers_of_a_batch_are_given_and_taken_back_as_one(hub: Hub) -> None:
    names = ("Walnut", "Hazel", "Rowan")
    deliver(hub, [account("crm", f"{n}{i}", name=f"{n} Trading {form}") for n in names for i, form in enumerate(("Ltd", "Limited"))])  # fmt: skip
    asked = tasks(hub)
    assert len(asked) == 3
    before = outcome(hub)
    hub.attending(KIM).claim(asked[0])
    batch = hub.desk(MIA).answer_all([*asked, "nothing"], "same", "spelling")
    assert sorted(batch.made) == sorted(asked[1:])
    assert [id_ for id_, _ in batch.skipped] == [asked[0], "nothing"]
    assert "kim holds" in batch.skipped[0][1]
    assert tasks(hub) == asked[:1]
    assert hub.desk(MIA).undo_batch(batch.id) == 2
    assert outcome(hub) == before
    with pytest.raises(Conflict):
        hub.desk(MIA).undo_batch(batch.id)


def test_question_settled_by_another_decision_closes_and_names_it(hub: Hub, asked: str) -> None:
    decision = hub.desk(MIA).decide("different", key("a"), key("b"), "two owners")
    assert tasks(hub) == []
    with reading(hub.engine) as connection:
        assert (decisions.task_of(connection, asked) or {})["closed_by"] == decision


def test_decision_whose_evidence_changed_is_asked_again_and_confirmed(hub: Hub, asked: str) -> None:
    hub.desk(MIA).answer(asked, "different", "two owners")
    deliver(hub, [account("crm", k, name="Acorn Foods Ltd", at="2026-02-01T00:00:00Z", **TAX) for k in "ab"])
    (again,) = queries.tasks(hub.engine)
    assert (again["kind"], "mia decided different" in again["reason"]) == ("reconfirm", True)
    assert verify(hub.engine).first == []
    confirmed = hub.desk(KIM).answer(again["id"], "different", "still two")
    assert tasks(hub) == []
    deliver(hub, [account("crm", "a", name="Acorn Foods Ltd", industry="Food", at="2026-03-01T00:00:00Z", **TAX)])
    assert tasks(hub) == []
    hub.desk(KIM).undo(confirmed)
    assert kinds(hub) == ["reconfirm"]
    hub.desk(KIM).answer(tasks(hub)[0], "same", "one owner after all")
    assert len(outcome(hub).clusters) == 1


def test_merge_is_undone_for_good_and_undone_again(hub: Hub, asked: str) -> None:
    ids = {golden_of(hub, f"crm:account:{k}")["id"] for k in "ab"}
    hub.desk(MIA).answer(asked, "same", "sure")
    merged = outcome(hub)
    retired = (ids - {golden_of(hub, "crm:account:a")["id"]}).pop()
    parted = hub.desk(KIM).undo_merge(retired, "it was a mistake")
    assert len(outcome(hub).clusters) == 2
    assert tasks(hub) == []
    with pytest.raises(Conflict, match="not merged"):
        hub.desk(KIM).undo_merge(retired, "again")
    hub.desk(KIM).undo_batch(parted.id)
    assert outcome(hub) == merged, "the answer `same` that parting ended stands again"
    hub.desk(KIM).undo_merge(retired, "a mistake all the same")
    hub.desk(KIM).decide("different", key("a"), key("b"), "two owners")
    with pytest.raises(Contradiction, match="two owners"):
        hub.desk(KIM).undo_batch(queries.decisions(hub.engine)[1]["batch"])
    assert verify(hub.engine).first == []


@pytest.mark.parametrize(("block", "clusters"), [(True, 2), (False, 1)])
def test_detached_record_matches_again_only_where_it_may(hub: Hub, block: bool, clusters: int) -> None:
    deliver(hub, [account("crm", k, name="Acorn Foods Ltd", **TAX) for k in "abc"])
    hub.desk(MIA).detach(key("b"), "a branch", block=block)
    assert len(outcome(hub).clusters) == 2
    deliver(hub, [account("crm", "b", name="Acorn Foods Ltd", at="2026-02-01T00:00:00Z", **TAX)])
    assert len(outcome(hub).clusters) == 2, "it said nothing new"
    email = {"email": "x@acorn.example"}
    deliver(hub, [account("crm", k, name="Acorn Foods Ltd", at="2026-03-01T00:00:00Z", **TAX, **email) for k in "abc"])
    assert len(outcome(hub).clusters) == clusters
    assert verify(hub.engine).first == []


def test_api_claims_decides_together_and_takes_back(hub: Hub, asked: str) -> None:
    def ask(who: Principal, query: str) -> Any:
        context = {"hub": hub, "principal": who}
        answer = build().execute(query, context_value=context)
        assert answer.errors is None, answer.errors
        return answer.data

    (row,) = ask(KIM, "{ tasks { id mark } }")["tasks"]
    assert row["mark"] == seen(hub, asked)
    held = ask(KIM, f'mutation {{ attend(task: "{asked}", claim: true, comment: "mine") {{ heldUntil }} }}')
    assert held["attend"]["heldUntil"].startswith("2026-10-01T12:10")
    many = (
        f'mutation {{ decideAll(tasks: ["{asked}"], answer: "same", reason: "sure") {{ batch skipped {{ reason }} }} }}'
    )
    assert "kim holds" in ask(MIA, many)["decideAll"]["skipped"][0]["reason"]
    batch = ask(KIM, many)["decideAll"]["batch"]
    assert ask(KIM, f'mutation {{ undoBatch(batch: "{batch}") {{ undone }} }}')["undoBatch"]["undone"] == 1
    assert tasks(hub) != []
