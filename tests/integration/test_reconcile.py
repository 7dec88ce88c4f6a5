"""Reconciliation on both stores: what a target has against what it was sent, why, and what is done about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from adapters.base import Found, Message, Receipt, Status
from adapters.errors import TargetUnavailable
from adapters.targets.memory import MemoryTarget
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.flow import publish
from hub.flow.reconcile import Reconciled, accept, reconcile, resend
from hub.flow.replay import verify as replay
from hub.store import drift
from hub.store.access import Principal
from hub.store.audit import verify
from hub.store.engine import reading
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver, golden_of, invoice

SCHEMA = build()
QUIET = {"missing": 0, "extra": 0, "different": 0, "accepted": 0}
NAMES = ("Acorn Ltd", "Birch AG", "Cedar SpA", "Dune SA", "Ember Oy")


class Books(MemoryTarget):
    """A ledger whose clerks edit, delete and add."""

    def edit(self, golden_id: str, **changed: Any) -> None:
        kept = self._kept[golden_id]
        self._kept[golden_id] = type(kept)(kept.entity, kept.version, kept.body_hash, {**(kept.body or {}), **changed})

    def delete(self, golden_id: str) -> None:
        del self._kept[golden_id]

    def add(self, remote_id: str, **body: Any) -> None:
        self.own = [*getattr(self, "own", ()), Found("account", None, remote_id, body, "1")]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:
        yield from super().read(entity, since)
        yield from (one for one in getattr(self, "own", ()) if one.entity == entity)


@pytest.fixture
def books(hub: Hub) -> Books:
    deliver(hub, [account("crm", str(n), name=name) for n, name in enumerate(NAMES)])
    made = Books("erp")
    run(hub, made)
    return made


def run(hub: Hub, to: MemoryTarget) -> dict[str, int]:
    plan = publish.make_plan(hub.engine, to, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    return publish.apply(hub.engine, to, plan, hub.clock)


def read_back(hub: Hub, books: MemoryTarget) -> Reconciled:
    return reconcile(hub.engine, books, hub.clock)


def standing(hub: Hub) -> list[dict[str, Any]]:
    with reading(hub.engine) as connection:
        return drift.standing(connection, "erp")


def id_of(hub: Hub, key: str) -> str:
    return str(golden_of(hub, f"crm:account:{key}")["id"])


@pytest.mark.promise("A-38")
def test_what_was_sent_and_stands_so_is_no_drift(hub: Hub, books: Books) -> None:
    found = read_back(hub, books)
    assert (found.read, found.complete, found.counts) == (5, True, QUIET)


@pytest.mark.promise("A-83")
def test_every_planted_difference_is_found_and_none_is_invented(hub: Hub, books: Books, clock: FixedClock) -> None:
    books.edit(id_of(hub, "0"), name="Edited", terms="net90")
    books.delete(id_of(hub, "1"))
    books.add("clerk-1", name="Typed by hand")
    assert read_back(hub, books).counts == QUIET | {"missing": 1, "extra": 1, "different": 1}
    found = {row["kind"]: row for row in standing(hub)}
    assert found["different"]["fields"] == {"name": ["Acorn Ltd", "Edited"], "terms": [None, "net90"]}
    assert found["missing"]["golden_id"] == id_of(hub, "1")
    assert found["missing"]["cause"] == "deleted or hidden there"
    assert (found["extra"]["subject"], found["extra"]["there"]) == ("clerk-1", {"name": "Typed by hand"})
    first = {row["id"]: row["since"] for row in standing(hub)}
    clock.move(days=3)
    read_back(hub, books)
    assert {row["id"]: row["since"] for row in standing(hub)} == first, "drift keeps its age"


def test_resent_drift_is_planned_against_what_is_there_and_then_gone(hub: Hub, books: Books) -> None:
    books.edit(id_of(hub, "0"), name="Edited")
    books.delete(id_of(hub, "1"))
    read_back(hub, books)
    for row in standing(hub):
        resend(hub.engine, row["id"], "mia", "ours is right", hub.clock())
    plan = publish.make_plan(hub.engine, books, "ana", hub.clock())
    with reading(hub.engine) as connection:
        lines = {e["golden_id"]: (e["action"], e["changes"]) for e in publish.plans.entries(connection, plan)}
    assert lines[id_of(hub, "0")] == ("update", {"name": ["Edited", "Acorn Ltd"]})
    assert lines[id_of(hub, "1")][0] == "create"
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    books._sent.clear()  # a ledger that does not remember our keys for ever
    books._kept = {
        k: type(v)(v.entity, v.version, b"edited", v.body) if k == id_of(hub, "0") else v
        for k, v in books._kept.items()
    }
    assert publish.apply(hub.engine, books, plan, hub.clock) == {"acknowledged": 2}
    assert read_back(hub, books).counts == QUIET
    with reading(hub.engine) as connection:
        assert verify(connection) is None


def test_accepted_drift_stands_apart_until_its_date_or_until_it_is_another_one(
    hub: Hub, books: Books, clock: FixedClock
) -> None:
    books.edit(id_of(hub, "0"), name="Edited")
    books.add("clerk-1", name="Typed by hand")
    read_back(hub, books)
    different, extra = sorted(standing(hub), key=lambda row: row["kind"])
    accept(hub.engine, extra["id"], "mia", "it is the company itself", clock())
    accept(hub.engine, different["id"], "mia", "until the audit", clock(), until=clock() + timedelta(days=5))
    assert read_back(hub, books).counts == QUIET | {"accepted": 2}
    clock.move(days=5)
    assert read_back(hub, books).counts == QUIET | {"accepted": 1, "different": 1}
    accept(hub.engine, different["id"], "mia", "again", clock())
    books.edit(id_of(hub, "0"), name="Edited again")
    assert read_back(hub, books).counts == QUIET | {"accepted": 1, "different": 1}


def test_drift_that_is_not_met_again_is_closed(hub: Hub, books: Books) -> None:
    books.edit(id_of(hub, "0"), name="Edited")
    read_back(hub, books)
    books.edit(id_of(hub, "0"), name="Acorn Ltd")
    assert read_back(hub, books).counts == QUIET
    assert standing(hub) == []


def test_what_was_never_taken_is_missing_with_the_reason(hub: Hub) -> None:
    deliver(hub, [
        account("crm", "1", name="Acorn Ltd"), account("crm", "2", name="Birch AG"),
        invoice("billing", "i", number="I-1", status="open", account="nobody", net="5", gross="5", currency="EUR"),
    ])  # fmt: skip
    refuse = {"Acorn Ltd": Receipt(Status.INVALID, code="x", says="no terms")}
    books = Books("erp", lambda message: refuse.get(str(message.body.get("name"))))
    run(hub, books)
    deliver(hub, [account("crm", "3", name="Cedar SpA")])
    assert read_back(hub, books).counts == QUIET | {"missing": 3}
    causes = {row["label"]: (row["cause"], row["amount"]) for row in standing(hub)}
    assert causes == {
        "Acorn Ltd": ("rejected: no terms", None),
        "I-1": ("held: account is not here yet", {"amount": "5.00", "currency": "EUR"}),
        "Cedar SpA": ("never sent", None),
    }


def test_reading_that_breaks_off_takes_nothing_for_missing(hub: Hub, books: Books) -> None:
    books.edit(id_of(hub, "0"), name="Edited")
    whole = books.read

    def broken(entity: str, since: datetime | None = None) -> Iterator[Found]:
        yield from list(whole(entity, since))[:1]
        raise TargetUnavailable("the line is dead")

    books.read = broken  # type: ignore[method-assign]
    found = read_back(hub, books)
    assert (found.complete, found.counts["missing"]) == (False, 0)
    assert "the line is dead" in str(found.trouble)


def test_second_record_under_one_key_is_extra(hub: Hub, books: Books) -> None:
    key = id_of(hub, "0")
    books.own = [Found("account", key, "copy-1", {"name": "Acorn Ltd"}, "1")]  # type: ignore[attr-defined]
    assert read_back(hub, books).counts == QUIET | {"extra": 1}
    assert standing(hub)[0]["cause"] == f"stands under the key of {key}, which is bound to {key}"


def test_what_cannot_be_done_is_refused(hub: Hub, books: Books, clock: FixedClock) -> None:
    books.add("clerk-1", name="Typed by hand")
    read_back(hub, books)
    (row,) = standing(hub)
    with pytest.raises(InvalidRequest, match="nothing to resend"):
        resend(hub.engine, row["id"], "mia", "x", clock())
    with pytest.raises(InvalidRequest, match="needs a reason"):
        accept(hub.engine, row["id"], "mia", " ", clock())
    with pytest.raises(NotFound, match="D-99"):
        accept(hub.engine, 99, "mia", "x", clock())
    books.own = []  # type: ignore[attr-defined]
    read_back(hub, books)
    with pytest.raises(Conflict, match="not seen any more"):
        accept(hub.engine, row["id"], "mia", "x", clock())


def test_edit_made_under_the_guard_is_no_stale_write_once_it_was_undone(hub: Hub, clock: FixedClock) -> None:
    """A record that was edited and put back is as we sent it, under another version there."""
    seen: list[Message] = []
    deliver(hub, [account("crm", "1", name="Acorn Ltd")])
    books = Books("erp", lambda message: seen.append(message))  # type: ignore[func-returns-value]
    run(hub, books)
    kept = books._kept[id_of(hub, "1")]
    books._kept[id_of(hub, "1")] = type(kept)(kept.entity, 7, kept.body_hash, kept.body)
    read_back(hub, books)
    deliver(hub, [account("crm", "1", name="Acorn PLC", at="2026-03-01T00:00:00Z")])
    run(hub, books)
    assert seen[-1].expected == "7"


def test_adopted_edit_is_evidence_and_wins_only_what_its_system_owns(hub: Hub, books: Books) -> None:
    books.edit(id_of(hub, "0"), name="Edited", terms="net90")
    read_back(hub, books)
    (row,) = standing(hub)
    key = hub.adopt(row["id"], Principal("mia", "steward"), "agreed on the phone")
    assert key == f"erp:account:{id_of(hub, '0')}"
    golden = golden_of(hub, key)
    assert golden["id"] == id_of(hub, "0")
    assert (golden["values"]["legal_name"], golden["values"]["payment_terms"]) == ("Acorn Ltd", "net90")
    assert standing(hub) == []
    with pytest.raises(Conflict):
        hub.adopt(row["id"], Principal("mia", "steward"), "again")
    assert replay(hub.engine).differences == 0


def test_extra_record_cannot_be_adopted(hub: Hub, books: Books) -> None:
    books.add("clerk-1", name="Typed by hand")
    read_back(hub, books)
    with pytest.raises(InvalidRequest, match="cannot be adopted"):
        hub.adopt(standing(hub)[0]["id"], Principal("mia", "steward"), "why not")


def test_commands_and_graphql_tell_and_settle(hub: Hub, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.cli import reconciling

    monkeypatch.setattr(reconciling, "open_hub", lambda _directory: hub)
    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: books)
    run = CliRunner().invoke
    assert run(reconciling.reconcile, ["erp"]).exit_code == 0
    books.edit(id_of(hub, "0"), name="Edited")
    made = run(reconciling.reconcile, ["erp", "--exit-code"])
    assert made.exit_code == 4
    assert "name: Acorn Ltd -> Edited" in made.output
    (row,) = json.loads(run(reconciling.drift, ["ls", "--format", "json"]).stdout)

    def ask(query: str, role: str = "operator") -> Any:
        found = SCHEMA.execute(query, context={"hub": hub, "principal": Principal("eve", role)})
        assert found.errors is None, found.errors
        return found.data

    assert ask('{ drift(target: "erp") { id kind fields label state } }')["drift"] == [
        {
            "id": row["id"],
            "kind": "different",
            "fields": {"name": ["Acorn Ltd", "Edited"]},
            "label": "Acorn Ltd",
            "state": "open",
        }
    ]
    settle = f'mutation {{ settleDrift(drift: {row["id"]}, act: "resend", reason: "ours") {{ done userErrors {{ code }} }} }}'
    assert ask(settle, "reader")["settleDrift"] == {"done": False, "userErrors": [{"code": "HUB-4302"}]}
    assert ask(settle)["settleDrift"] == {"done": True, "userErrors": []}
    again = ask('mutation { reconcile(target: "erp") { reconciliation { read complete counts } userErrors { code } } }')
    assert again["reconcile"]["reconciliation"]["read"] == 5
    assert [one["complete"] for one in ask("{ reconciliations { complete } }")["reconciliations"]] == [True, True, True]


@pytest.mark.promise("A-38")
def test_schedule_reads_back_by_itself(hub: Hub, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.worker import read_back as job

    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: books)
    books.edit(id_of(hub, "0"), name="Edited")
    assert job(hub, {"target": "erp"}) == "5 read, 0 missing, 0 extra, 1 different, 0 accepted"
