"""Rules: what a simulation says is what promotion does, and nothing else is promoted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.targets.memory import MemoryTarget
from canonical.ids import SourceKey
from hub.errors import Conflict, InvalidRequest, NotFound, SimulationStale
from hub.flow import publish
from hub.flow.books import close
from hub.flow.promote import Will, promote, rollback
from hub.flow.replay import verify
from hub.flow.simulate import get, simulate
from hub.store import rulesets
from hub.store.access import Principal
from hub.store.engine import reading, writing
from hub.store.rule_tables import simulation
from hub.store.simulations import Simulation
from hub.store.tables import finding, golden, golden_version, metadata, outbox, publication, task
from hub.wiring import Hub
from rules.ruleset import RuleSet, load, shipped
from tests.worlds import account, deliver, enforce, golden_of, invoice, rules_text

MIA = Principal("mia", "steward")
WILL = Will("ben", "sales asked for it")
TAX = {"tax": "GB980780684", "country": "GB"}

OWNER = ("fields: [legal_name, trading_name, kind, status, parent, domain, industry, segment], system: crm",
         "fields: [legal_name, trading_name, kind, status, parent, domain, industry, segment], system: billing")  # fmt: skip
LOOSE = ("  match: 9\n  review: 4.5", "  match: 4\n  review: 2")
TIGHT = ("  match: 9\n  review: 4.5", "  match: 40\n  review: 4.5")
NO_VETO = (
    '    - {name: tax-id, field: tax_id.number, per: tax_id.country, why: "One company has one tax number in a country; two numbers are two companies."}\n',
    "",
)
CHECK = (
    "  - id: has-name\n",
    "  - id: has-mail\n    check: present\n    of: {field: email}\n    message: a customer needs a mailbox\n    severity: error\n    why: Invoices go out by mail.\n  - id: has-name\n",
)
NO_CHECK = ("    when: {status: active}\n", "    when: {status: cancelled}\n")
EVERYBODY = ("    when: {not: {fact: status, is: prospect}}\n", "")
KEYS = ("    - {name: name-bones, of: [legal_name|skeleton]}\n", "")


def draft(*changes: tuple[str, str]) -> RuleSet:
    """The shipped rules of account with these changes."""
    text = shipped()["account"].text
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return load(text, "draft.yaml")


@pytest.fixture
def world(hub: Hub) -> Hub:
    """Customers that are joined, asked about, decided, published and waiting."""
    deliver(hub, [
        account("crm", "a", name="Acorn Foods Ltd", email="x@acorn.example", industry="Food", **TAX),
        account("billing", "b", name="Acorn Foods Limited", email="x@acorn.example", industry="Meals", **TAX),
        account("crm", "c", name="Birch Brewing GmbH", industry="Beer", status="active"),
        account("billing", "d", name="Birch Brewing Gesellschaft", industry="Brewing"),
        account("crm", "e", name="Oak Rail Ltd", status="prospect"),
        account("erp", "f", name="Oak Rail Limited", industry="Trains"),
        account("crm", "g", name="Elm Partners", phone="+442079460000"),
        account("crm", "h", name="Fir Trading", email="h@fir.example", status="prospect"),
    ])  # fmt: skip
    hub.clock.move(days=1)  # type: ignore[attr-defined]
    target = hub.target("erp")
    plan = publish.make_plan(hub.engine, target, "a", hub.clock())
    publish.approve(hub.engine, plan, None, "b", hub.clock())
    publish.apply(hub.engine, target, plan, hub.clock)
    desk = hub.desk(MIA)
    desk.decide("same", key("a"), key("h"), "they were bought")
    desk.decide("different", key("a"), key("g"), "they said so")
    hub.clock.move(days=1)  # type: ignore[attr-defined]
    return hub


def key(text: str) -> SourceKey:
    return SourceKey("crm", "account", text)


def rehearse(hub: Hub, made: RuleSet) -> tuple[int, Simulation]:
    id_ = simulate(hub.engine, made, "kim", hub.clock())
    with reading(hub.engine) as connection:
        return id_, get(connection, id_)


def state(hub: Hub) -> dict[str, Any]:
    """What stands, read by other means than the simulation's."""
    with reading(hub.engine) as connection:
        v = golden_version.c
        both = sa.and_(v.golden_id == golden.c.id, v.version == golden.c.version)
        query = sa.select(golden.c.id, golden.c.state, golden.c.heir, golden.c.version, v["values"], v.provenance)
        rows = {
            r[0]: r for r in connection.execute(query.join(golden_version, both).where(golden.c.entity == "account"))
        }
        noted = sa.select(finding.c.golden_id, finding.c.message).where(finding.c.golden_id.is_not(None))
        asked = sa.select(task.c.kind, task.c.left_id, task.c.right_id).where(task.c.state == "open")
        owed = sa.select(outbox.c.target, outbox.c.golden_id, outbox.c.version, outbox.c.action)
        return {
            "golden": rows,
            "findings": {tuple(r) for r in connection.execute(noted)},
            "tasks": {tuple(r) for r in connection.execute(asked)},
            "outbox": {tuple(r) for r in connection.execute(owed)},
        }


def check(report: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    """The lists of the report are the difference of the two states, no more and no less."""
    old, new = before["golden"], after["golden"]
    merged = {(id_, new[id_].heir) for id_ in old if old[id_].state == "live" and new[id_].state == "merged"}
    assert {(r["golden"], r["into"]) for r in report["merges"]} == merged
    assert {r["golden"] for r in (*report["splits"], *report["founded"])} == new.keys() - old.keys()
    stayed = [id_ for id_ in old if new[id_].version > old[id_].version]
    fields = {
        (id_, name, str(old[id_][4].get(name)), str(new[id_][4].get(name)))
        for id_ in stayed
        for name in old[id_][4].keys() | new[id_][4].keys()
        if old[id_][4].get(name) != new[id_][4].get(name)
    }
    said = {(r["golden"], r["field"], str(r["before"]), str(r["after"])) for r in report["fields"]}
    assert {line for line in said if line[2] != line[3]} == fields
    live = {id_ for id_ in new if new[id_].state == "live"}
    for name, found in (("findings_gained", after["findings"] - before["findings"]),
                        ("findings_lost", before["findings"] - after["findings"])):  # fmt: skip
        expected = {line for line in found if line[0] in live}
        assert {(r["golden"], r["message"]) for r in report[name]} == expected
    entered, left = after["tasks"] - before["tasks"], before["tasks"] - after["tasks"]
    assert _subjects(report["reviews_entered"]) == entered
    assert _subjects(report["reviews_left"]) == left
    sent = {(row[0], row[1], row[3]) for row in after["outbox"] - before["outbox"]}
    assert {(r["target"], r["golden"], r["action"]) for r in report["publications"]} == sent


def _subjects(lines: list[dict[str, Any]]) -> set[tuple[str, int, int | None]]:
    sides = [(line["kind"], line["left"], line["right"]) for line in lines]
    return {(k, SourceKey.parse(a).record_id, SourceKey.parse(b).record_id if b else None) for k, a, b in sides}


DRAFTS = {
    "owner": [OWNER], "loose": [LOOSE], "tight": [TIGHT], "veto": [NO_VETO, LOOSE], "check": [CHECK],
    "no check": [NO_CHECK], "publication": [EVERYBODY], "keys": [KEYS], "all": [OWNER, LOOSE, CHECK, EVERYBODY],
}  # fmt: skip


@pytest.mark.parametrize("name", DRAFTS)
def test_promotion_does_exactly_what_the_simulation_said(world: Hub, name: str) -> None:
    made = draft(*DRAFTS[name])
    before = state(world)
    id_, said = rehearse(world, made)
    assert state(world) == before
    assert said.records == 8
    promote(world.engine, "account", id_, WILL, world.clock())
    check(said.report, before, state(world))
    assert world.rulesets["account"].version == made.version
    assert verify(world.engine).first == []


def test_simulation_counts_what_it_lists(world: Hub) -> None:
    _, said = rehearse(world, draft(*DRAFTS["all"]))
    for name, lines in said.report.items():
        if name not in ("publications", "document", "answers"):
            assert said.counts[name] == len(lines), name
    assert sum(said.counts["publications"].values()) == len(said.report["publications"])
    assert said.counts["merges"] >= 1
    assert said.counts["fields"] >= 1


def test_simulation_names_the_systems_and_the_values(world: Hub) -> None:
    _, said = rehearse(world, draft(OWNER))
    held = golden_of(world, "crm:account:a")["id"]
    line = next(r for r in said.report["fields"] if (r["golden"], r["field"]) == (held, "industry"))
    assert (line["from"], line["to"], line["before"], line["after"]) == ("crm", "billing", "Food", "Meals")
    assert line["published"]


def test_simulation_says_how_it_agrees_with_past_decisions(world: Hub) -> None:
    _, said = rehearse(world, draft(LOOSE))
    answers = said.report["answers"]
    assert [r["answer"] for r in answers["contradict"]] == ["same"]
    assert [r["answer"] for r in answers["agree"]] == ["different"]
    assert answers["undecided"] == []


def test_simulation_shows_how_the_documents_differ(world: Hub) -> None:
    _, said = rehearse(world, draft(LOOSE, CHECK))
    paths = {path: (before, after) for path, before, after in said.report["document"]}
    assert paths["matching.match"] == (9.0, 4.0)
    assert paths["validation.has-mail"][0] is None


def test_simulation_of_what_is_in_force_is_refused(world: Hub) -> None:
    with pytest.raises(InvalidRequest):
        simulate(world.engine, draft(), "kim", world.clock())


def _moves() -> dict[str, Callable[[Hub], object]]:
    return {
        "record": lambda hub: deliver(hub, [account("crm", "z", name="Yew")]),
        "version": lambda hub: deliver(hub, [account("crm", "e", name="Oak Rail Ltd", at="2026-03-01T00:00:00Z")]),
        "decision": lambda hub: hub.desk(MIA).decide("different", key("e"), key("h"), "known"),
        "override": lambda hub: hub.desk(MIA).override(key("e"), "industry", "Rail", reason="known"),
        "publication": _acknowledged,
    }


def _acknowledged(hub: Hub) -> None:
    with writing(hub.engine) as connection:
        connection.execute(sa.update(publication).values(acknowledged_at=hub.clock()))


@pytest.mark.parametrize("name", _moves())
def test_promotion_is_refused_when_the_store_has_moved(world: Hub, name: str) -> None:
    id_, _ = rehearse(world, draft(OWNER))
    _moves()[name](world)
    before = state(world)
    with pytest.raises(SimulationStale):
        promote(world.engine, "account", id_, WILL, world.clock())
    assert state(world) == before
    assert world.rulesets["account"].version == shipped()["account"].version


def test_promotion_is_not_refused_for_what_does_not_matter(world: Hub) -> None:
    id_, _ = rehearse(world, draft(OWNER))
    deliver(world, [account("crm", "e", name="Oak Rail Lt", at="2020-03-01T00:00:00Z")])  # late
    world.clock.move(days=3)  # type: ignore[attr-defined]
    promote(world.engine, "account", id_, WILL, world.clock())
    assert golden_of(world, "crm:account:a")["values"]["industry"] == "Meals"


def test_promotion_is_refused_to_whoever_simulated_the_draft(world: Hub) -> None:
    id_, made = rehearse(world, draft(OWNER))
    before = state(world)
    with pytest.raises(Conflict, match="somebody else"):
        promote(world.engine, "account", id_, Will(made.created_by, "I am sure"), world.clock())
    assert state(world) == before
    assert world.rulesets["account"].version == shipped()["account"].version
    promote(world.engine, "account", id_, WILL, world.clock())
    assert world.rulesets["account"].version == made.version


def test_promotion_is_refused_when_a_date_of_the_draft_has_come(world: Hub) -> None:
    since = (OWNER[0], OWNER[1] + ", from: 2026-10-05")
    id_, _ = rehearse(world, draft(since))
    world.clock.move(days=3)  # type: ignore[attr-defined]
    with pytest.raises(SimulationStale, match="owner began"):
        promote(world.engine, "account", id_, WILL, world.clock())


def test_promotion_is_refused_for_another_entity_document_base_or_result(world: Hub) -> None:
    first, _ = rehearse(world, draft(OWNER))
    second, _ = rehearse(world, draft(CHECK))
    with pytest.raises(SimulationStale, match="not about"):
        promote(world.engine, "invoice", first, WILL, world.clock())
    with pytest.raises(NotFound):
        promote(world.engine, "account", 999, WILL, world.clock())
    with pytest.raises(InvalidRequest, match="reason"):
        promote(world.engine, "account", first, Will("ben", " "), world.clock())
    with writing(world.engine) as connection:
        other = draft(LOOSE).text
        connection.execute(sa.update(simulation).where(simulation.c.id == second).values(document=other))
    with pytest.raises(SimulationStale):
        promote(world.engine, "account", second, WILL, world.clock())
    with writing(world.engine) as connection:
        connection.execute(
            sa.update(simulation).where(simulation.c.id == second).values(document=draft(CHECK).text, report={})
        )
    with pytest.raises(SimulationStale, match="not what"):
        promote(world.engine, "account", second, WILL, world.clock())
    promote(world.engine, "account", first, WILL, world.clock())
    with pytest.raises(SimulationStale, match="in force now"):
        promote(world.engine, "account", second, WILL, world.clock())


def test_rollback_restores_values_and_stands_in_the_history(world: Hub) -> None:
    before = {id_: (row[1], row[4]) for id_, row in state(world)["golden"].items()}
    id_, _ = rehearse(world, draft(OWNER, CHECK))
    promote(world.engine, "account", id_, WILL, world.clock())
    world.clock.move(hours=1)  # type: ignore[attr-defined]
    rollback(world.engine, "account", shipped()["account"].version, Will("lee", "it was wrong"), world.clock())
    assert {id_: (row[1], row[4]) for id_, row in state(world)["golden"].items()} == before
    assert verify(world.engine).first == []
    with reading(world.engine) as connection:
        rows = [r for r in rulesets.history(connection) if r["entity"] == "account"]
    assert [(r["author"], r["reason"], r["state"]) for r in rows] == [
        ("lee", "it was wrong", "live"), ("ben", "sales asked for it", "retired"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        rollback(world.engine, "account", "account@000000000000", WILL, world.clock())


def test_promotion_during_a_delivery_holds_from_the_next_chunk_on(world: Hub) -> None:
    """Whoever holds rules in hand from before judges with those in force."""
    old = dict(world.rulesets)
    id_, _ = rehearse(world, draft(OWNER))
    promote(world.engine, "account", id_, WILL, world.clock())
    from hub.flow.resolve import resolve

    with writing(world.engine) as connection:
        resolve(connection, old, {"account": [key("a").record_id]}, world.clock())
    assert golden_of(world, "crm:account:a")["values"]["industry"] == "Meals"
    assert verify(world.engine).first == []


def test_simulation_keeps_nobody_waiting(world: Hub) -> None:
    """A writer commits while the overlay is open, and the overlay sees one state throughout."""
    from hub.store.overlay import overlay

    with overlay(world.engine) as connection:
        count = sa.select(sa.func.count()).select_from(metadata.tables["record"])
        before = connection.execute(count).scalar()
        deliver(world, [account("crm", "late", name="Yew Trees")])
        assert connection.execute(count).scalar() == before


def test_promotion_beside_a_delivery_loses_neither(world: Hub) -> None:
    """Deliveries that come while a promotion is judged wait their turn, and are judged with the new rules."""
    from threading import Thread

    failed: list[BaseException] = []

    def guarded(act: Callable[[], object]) -> None:
        try:
            act()
        except SimulationStale:  # a delivery was faster
            pass
        except BaseException as error:
            failed.append(error)

    id_, _ = rehearse(world, draft(OWNER))
    again = [
        account("crm", k, name="Acorn Foods Ltd", industry=f"Food {k}", at="2026-04-01T00:00:00Z", **TAX) for k in "ag"
    ]
    acts = [
        lambda: promote(world.engine, "account", id_, WILL, world.clock()),
        *[lambda one=one: deliver(world, [one]) for one in again],
    ]
    threads = [Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert verify(world.engine).first == []


def test_simulation_tells_the_money_it_moves_and_what_it_does_in_closed_books(hub: Hub) -> None:
    enforce(hub, "invoice", {"validation": [], "approval": []})
    bill = {"number": "R-1", "status": "open", "currency": "EUR", "issued": "2026-08-15"}
    deliver(hub, [
        invoice("billing", "i", gross="119", **bill),
        invoice("erp", "i", gross="120", **bill),
        invoice("billing", "j", gross="50", number="R-2", status="open", currency="EUR", issued="2026-09-15"),
    ])  # fmt: skip
    close(hub.engine, "*", date(2026, 8, 31), Will("finn", "reported"), hub.clock())
    text = rules_text("invoice", {"ownership": [{"fields": ["total"], "system": "erp", "why": "The ledger decides."}]})
    draft = load(text, "draft")
    number = simulate(hub.engine, draft, "ana", hub.clock())
    with reading(hub.engine) as connection:
        report = get(connection, number).report
    assert report["money"] == [
        {"field": "total", "currency": "EUR", "records": 1, "before": "119.00", "after": "120.00"}
    ]
    assert [(one["label"], one["days"], one["wait_for"]) for one in report["closed"]] == [
        ("R-1", ["2026-08-15"], "finance")
    ]
    promote(hub.engine, "invoice", number, Will("ben", "the ledger knows"), hub.clock())
    assert golden_of(hub, "billing:invoice:i")["values"]["total"]["amount"] == "120.00"


def test_target_that_is_told_other_fields_is_owed_what_stands(hub: Hub) -> None:
    enforce(hub, "account", {"approval": []})
    deliver(hub, [account("crm", "1", name="Acorn Ltd", industry="Food")])
    erp = MemoryTarget("erp")
    send(hub, erp)
    rule = {"id": "to-erp", "target": "erp", "withhold": ["industry"], "why": "The ledger does not want it any more."}
    draft = load(rules_text("account", {"approval": [], "publication": [rule]}), "draft")
    number = simulate(hub.engine, draft, "ana", hub.clock())
    with reading(hub.engine) as connection:
        assert [one["target"] for one in get(connection, number).report["publications"]] == ["erp"]
    promote(hub.engine, "account", number, Will("ben", "they asked for it"), hub.clock())
    assert send(hub, erp) == {"acknowledged": 1}
    (there,) = erp.find("account", [golden_of(hub, "crm:account:1")["id"]])
    assert "industry" not in there.body


def send(hub: Hub, erp: MemoryTarget) -> dict[str, int]:
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    return publish.apply(hub.engine, erp, plan, hub.clock)
