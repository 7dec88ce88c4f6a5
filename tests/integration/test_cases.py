"""The situations of the field, in its own words: `tests/cases/*.yaml`, on both stores, in both directions.

A case says why it matters, what the systems state (`given`), and what the hub has come to (`then`). It may
also say which parts of an entity's rules stand in place of the shipped ones (`rules`), that the records are
`published` to the ledger, what a steward has `decided` (and `undone`), how many days pass (`days`), and what the
systems state `later`, one delivery or, as a list of lists, several; in that order. A key `@crm:account:1` there is
the ledger's own key for that golden record; `id_of` names a record whose golden id, before anybody decided, it keeps.
`shows` names shipped rules that the case is an example of: each has one. With `at_once` each record of `given` comes in a
thread of its own; `take_back: N` undoes the decision at that place; `counts` is a line of `hub sources`. Whatever
happens, no word of a record stands in the log.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from ruamel.yaml import YAML

from adapters.targets.memory import MemoryTarget
from canonical.ids import SourceKey
from hub import queries
from hub.errors import Contradiction
from hub.flow import publish, relations
from hub.store import reads
from hub.store.access import Principal
from hub.store.engine import reading
from hub.wiring import Hub
from rules.ruleset import shipped
from tests.conftest import FixedClock
from tests.worlds import deliver, empty, enforce, golden_of

CASES = sorted((Path(__file__).resolve().parents[1] / "cases").glob("*.yaml"))
MIA = Principal("mia", "steward")


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_case_ends_as_it_should(hub: Hub, clock: FixedClock, capfd: pytest.CaptureFixture[str], path: Path) -> None:
    case = YAML(typ="safe").load(path.read_text("utf-8"))
    assert len(case["why"]) > 20
    assert case.keys() <= {
        "shows",
        "why",
        "rules",
        "at_once",
        "given",
        "published",
        "decided",
        "undone",
        "days",
        "later",
        "then",
    }
    for entity, parts in case.get("rules", {}).items():
        enforce(hub, entity, parts)
    start = clock.now
    for step in (1, -1):
        empty(hub)
        clock.now = start
        _given(hub, _payloads(hub, case["given"])[::step], at_once=case.get("at_once", False))
        if case.get("published"):
            _publish(hub)
        then = case["then"]
        named = {*then.get("retired", ()), *(one["id_of"] for one in then["golden"] if "id_of" in one)}
        before = {key: golden_of(hub, key)["id"] for key in named}
        made: list[str] = []
        for decision in case.get("decided", ()):
            made += _decide(hub, decision, made)
        if case.get("undone"):
            for id_ in made:
                hub.desk(MIA).undo(id_)
        clock.move(days=case.get("days", 0))
        later = case.get("later") or []
        for delivery in later if later and isinstance(later[0], list) else [later]:
            deliver(hub, _payloads(hub, delivery)[::step])
        relations.settle(hub.engine, hub.clock())
        _check(hub, then, before)
    logged = "".join(capfd.readouterr())
    assert [word for word in _words(case) if word in logged] == []


def test_each_shipped_rule_has_a_case_that_shows_it() -> None:
    shown = {rule for path in CASES for rule in YAML(typ="safe").load(path.read_text("utf-8")).get("shows", ())}
    shipped_ones = {
        f"{name}/{rule.id}"
        for name, ruleset in shipped().items()
        for section in ("survivorship", "validation", "relations", "approval", "publication")
        for rule in getattr(ruleset.document, section)
    }
    assert shown == shipped_ones


def test_each_hard_case_names_what_shows_it() -> None:
    text = (CASES[0].parent / "README.md").read_text("utf-8")
    named = set(re.findall(r"\]\((\w+\.yaml)\)", text))
    assert named <= {path.name for path in CASES}
    for test in re.findall(r"`(tests/[\w/]+\.py)`", text):
        assert (CASES[0].parents[2] / test).is_file(), test
    rows = [
        line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| Trap", "| Be"))
    ]
    assert len(rows) == 27 + 21
    assert [row for row in rows if ".yaml)" not in row and ".py`" not in row and "not there" not in row] == []


def _payloads(hub: Hub, stated: Any) -> list[dict[str, Any]]:
    found = [{"kind": "account", "at": "2026-01-01", **one} for one in stated]
    for one in found:
        if one["key"].startswith("@"):
            one["key"] = queries.record(hub.engine, one["key"][1:]).published[0]["remote_id"]
    return found


def _given(hub: Hub, payloads: list[dict[str, Any]], *, at_once: bool) -> None:
    if not at_once:
        deliver(hub, payloads)
        return
    start = Barrier(len(payloads))

    def come(payload: dict[str, Any]) -> None:
        start.wait()
        deliver(hub, [payload])

    with ThreadPoolExecutor(len(payloads)) as pool:
        list(pool.map(come, payloads))


def _words(case: dict[str, Any]) -> set[str]:
    """What the records of a case say of names, mail and numbers: nothing that may stand in a log."""
    later = case.get("later") or []
    deliveries = [case["given"], *(later if later and isinstance(later[0], list) else [later])]
    named = ("name", "email", "phone", "tax", "street", "legal_name")
    return {
        str(one[part]) for said in deliveries for one in said for part in named if len(str(one.get(part) or "")) > 5
    }


def _publish(hub: Hub) -> None:
    erp = MemoryTarget("erp")
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    publish.apply(hub.engine, erp, plan, hub.clock)


def _decide(hub: Hub, decision: dict[str, Any], made: list[str]) -> list[str]:
    desk = hub.desk(MIA)
    if "take_back" in decision:
        desk.undo(made[decision["take_back"]])
        return []
    if "override" in decision:
        key = SourceKey.parse(decision["override"])
        while_said = decision.get("while_said", False)
        return [desk.override(key, decision["field"], decision["value"], reason="they told us", while_said=while_said)]
    if "detach" in decision:
        return desk.detach(SourceKey.parse(decision["detach"]), "they told us", block=decision["block"])
    answer = "same" if "same" in decision else "different"
    left, right = (SourceKey.parse(text) for text in decision[answer])
    if decision.get("refused"):
        with pytest.raises(Contradiction):
            desk.decide(answer, left, right, "they told us")
        return []
    return [desk.decide(answer, left, right, "they told us")]


def _check(hub: Hub, then: dict[str, Any], before: dict[str, str]) -> None:
    ids = []
    for key in then.get("retired", ()):
        with reading(hub.engine) as connection:
            assert reads.goldens(connection, [before[key]])[before[key]]["state"] == "retired"
    for golden in then["golden"]:
        held = {golden_of(hub, key)["id"] for key in golden["holds"]}
        assert len(held) == 1, golden["holds"]
        ids += held
        if "id_of" in golden:
            assert held == {before[golden["id_of"]]}
        if "version" in golden:
            assert golden_of(hub, golden["holds"][0])["version"] == golden["version"]
        if "finds" in golden:
            with reading(hub.engine) as connection:
                found = reads.findings(connection, golden_id=ids[-1])
            assert [one["message"] for one in found] == golden["finds"]
        values = golden_of(hub, golden["holds"][0])["values"]
        for name, value in golden.get("values", {}).items():
            assert values.get(name) == value, name
        for name, told in golden.get("why", {}).items():
            _check_why(hub, golden["holds"][0], name, told)
        _check_road(hub, golden)
    assert len(set(ids)) == len(ids)
    for system, counts in then.get("counts", {}).items():
        with reading(hub.engine) as connection:
            lines = [one for one in reads.conservation(connection) if one["system"] == system]
        assert {name: sum(one[name] for one in lines) for name in counts} == counts
    if "asks" in then:
        assert [task["reason"] for task in queries.tasks(hub.engine)] == then["asks"]


def _check_road(hub: Hub, golden: dict[str, Any]) -> None:
    road = queries.walk(hub.engine, SourceKey.parse(golden["holds"][0]))
    if "leaves" in golden:
        assert {row["target"]: row["held"] for row in road["outbox"]} == golden["leaves"]
    if "waits_for" in golden:
        assert max(road["outbox"], key=lambda row: row["id"])["waits_for"] == golden["waits_for"]


def _check_why(hub: Hub, key: str, name: str, told: dict[str, Any]) -> None:
    _, found = queries.why(hub.engine, key, name)
    assert found.again is not None
    assert found.stands
    said = {
        "rule": found.again.rule,
        "won": found.again.candidates[0].key,
        "lost": {one.key: one.reason for one in found.again.candidates[1:]},
        "flip": queries.flip_words(found.again),
    }
    assert {part: said[part] for part in told} == told
