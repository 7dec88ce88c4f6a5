"""What must be true between golden records: found when either side changes, asked about, and held back from leaving."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from adapters.decode import decode
from adapters.mapping import load
from adapters.targets.memory import MemoryTarget
from hub import queries
from hub.flow import publish, relations
from hub.flow.ingest import Delivery, ingest
from hub.flow.promote import Will, promote
from hub.flow.simulate import get, simulate
from hub.store import reads
from hub.store.engine import reading
from hub.store.relation_tables import relation_finding as table
from hub.wiring import Hub
from rules import ruleset as rules
from rules.ruleset import shipped
from tests.worlds import enforce, golden_of, rules_text

SOURCE = load(
    """
system: {path: system, codes: {billing: billing, erp: erp, crm: crm}}
entities:
  - entity: account
    when: {path: kind, is: account}
    key: key
    asserted_at: at
    fields: {legal_name: name, status: {constant: active}, industry: industry, domain: domain, email: mail}
  - entity: subscription
    when: {path: kind, is: contract}
    key: key
    asserted_at: at
    fields: {number: key, account: {reference: account, key: account, system: crm}, currency: currency, status: {constant: active}}
  - entity: invoice
    when: {path: kind, is: invoice}
    key: key
    asserted_at: at
    deleted: {path: gone, is: true}
    fields:
      number: key
      status: {constant: open}
      account: {reference: account, key: account}
      subscription: {reference: subscription, key: contract, system: crm}
      subtotal: {money: {amount: net, currency: currency}}
      currency: currency
  - entity: revenue_schedule
    when: {path: kind, is: revenue}
    key: key
    asserted_at: at
    fields:
      key: key
      status: {constant: open}
      invoice: {reference: invoice, key: invoice, system: billing}
      total: {money: {amount: total, currency: currency}}
""",
    "relations.yaml",
)
_serial = iter(range(10**6))


def deliver(hub: Hub, *payloads: dict[str, Any]) -> None:
    number = next(_serial)
    at = f"2026-08-01T00:00:{number % 60:02d}Z"
    lines = [decode(json.dumps({"at": at, **one}), n) for n, one in enumerate(payloads, 1)]
    ingest(hub.engine, hub.rulesets, SOURCE, Delivery("test", f"relations {number}", lines), clock=hub.clock)


def account(system: str, key: str, name: str, **more: Any) -> dict[str, Any]:
    domain = f"{name.split()[0].lower()}.example"
    return {
        "system": system,
        "kind": "account",
        "key": key,
        "name": name,
        "domain": domain,
        "mail": f"ap@{domain}",
        **more,
    }


def contract(key: str, account: str, currency: str = "EUR") -> dict[str, Any]:
    return {"system": "crm", "kind": "contract", "key": key, "account": account, "currency": currency}


def invoice(key: str, account: str, contract: str = "C-1", **more: Any) -> dict[str, Any]:
    return {"system": "billing", "kind": "invoice", "key": key, "account": account, "contract": contract,
            "net": "100", "currency": "EUR", **more}  # fmt: skip


def revenue(key: str, invoice: str, total: str) -> dict[str, Any]:
    return {"system": "erp", "kind": "revenue", "key": key, "invoice": invoice, "total": total, "currency": "EUR"}


def said(hub: Hub, key: str) -> list[str]:
    """The rules that the golden record of a source key does not meet, after all changes were looked at."""
    relations.settle(hub.engine, hub.clock())
    with reading(hub.engine) as connection:
        found = reads.findings(connection, golden_id=golden_of(hub, key)["id"])
    return [one["message"].split("(")[-1].rstrip(")") for one in found if one["code"] == "HUB-3504"]


def questions(hub: Hub) -> list[str]:
    with reading(hub.engine) as connection:
        return [row["reason"] for row in reads.tasks(connection) if row["kind"] == "relation"]


@pytest.fixture
def agreed(hub: Hub) -> Hub:
    """Two customers, whom billing calls by other keys than the CRM, and a contract of one."""
    enforce(hub, "subscription", {"validation": [], "relations": []})
    deliver(
        hub,
        *(account(system, f"{system[0]}{n}", name) for system in ("crm", "billing")
          for n, name in enumerate(("Acorn Ltd", "Boxwood GmbH"), 1)),
        contract("C-1", "c1"),
    )  # fmt: skip
    for one in ("1", "2"):
        assert golden_of(hub, f"crm:account:c{one}")["id"] == golden_of(hub, f"billing:account:b{one}")["id"]
    return hub


def test_relation_between_two_systems_compares_golden_records_not_keys(agreed: Hub) -> None:
    deliver(agreed, invoice("I-1", "b1"), invoice("I-2", "b2"))
    assert said(agreed, "billing:invoice:I-1") == []
    assert said(agreed, "billing:invoice:I-2") == ["customer-of-contract"]
    assert questions(agreed) == ["the invoice goes to another customer than its contract (customer-of-contract)"]


@pytest.mark.parametrize("healed", [invoice("I-2", "b1"), contract("C-1", "c2")], ids=["itself", "the other"])
def test_relation_healed_on_either_side_takes_finding_and_question_back(agreed: Hub, healed: dict[str, Any]) -> None:
    deliver(agreed, invoice("I-2", "b2"))
    assert said(agreed, "billing:invoice:I-2") == ["customer-of-contract"]
    deliver(agreed, healed)
    assert said(agreed, "billing:invoice:I-2") == []
    assert questions(agreed) == []


def test_relation_of_a_record_that_is_gone_asks_nothing(agreed: Hub) -> None:
    deliver(agreed, invoice("I-2", "b2"))
    assert said(agreed, "billing:invoice:I-2")
    deliver(agreed, invoice("I-2", "b2", gone=True))
    relations.settle(agreed.engine, agreed.clock())
    assert questions(agreed) == []


def test_sum_of_children_is_looked_at_where_a_child_came_from_and_where_it_went(agreed: Hub) -> None:
    deliver(agreed, invoice("I-1", "b1"), invoice("I-2", "b1"))
    deliver(agreed, revenue("R-1", "I-1", "60"), revenue("R-2", "I-1", "60"), revenue("R-3", "I-2", "50"))
    assert said(agreed, "billing:invoice:I-1") == ["revenue-within-invoice"]
    deliver(agreed, revenue("R-2", "I-2", "60"))
    assert said(agreed, "billing:invoice:I-1") == []
    assert said(agreed, "billing:invoice:I-2") == ["revenue-within-invoice"]


HOLD = {
    "relations": [
        {"id": "customer-of-contract", "check": "equal", "to": ["subscription"], "their": "account", "own": "account",
         "message": "another customer than its contract", "effect": "hold", "why": "It would be sent to the wrong one."},
    ]
}  # fmt: skip


def leave(hub: Hub, erp: MemoryTarget, entity: str) -> dict[str, str]:
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    publish.apply(hub.engine, erp, plan, hub.clock)
    _, entries = queries.plan_with_entries(hub.engine, plan)
    return {one["label"]: one["reason"] or one["state"] for one in entries if one["entity"] == entity}


def test_relation_that_holds_keeps_the_record_from_leaving_until_it_is_met(agreed: Hub) -> None:
    enforce(agreed, "invoice", HOLD)
    erp = MemoryTarget("erp")
    deliver(agreed, invoice("I-1", "b1"), invoice("I-2", "b2"))
    assert leave(agreed, erp, "invoice") == {"I-1": "acknowledged", "I-2": "rule customer-of-contract is not met"}
    deliver(agreed, invoice("I-2", "b1"))
    assert leave(agreed, erp, "invoice") == {"I-2": "acknowledged"}


def test_new_relations_are_asked_of_everything_that_is_here(agreed: Hub) -> None:
    enforce(agreed, "invoice", {"relations": []})
    deliver(agreed, invoice("I-1", "b1"), invoice("I-2", "b2"))
    assert said(agreed, "billing:invoice:I-2") == []
    enforce(agreed, "invoice", HOLD)
    assert said(agreed, "billing:invoice:I-2") == ["customer-of-contract"]
    enforce(agreed, "invoice", {"relations": []})
    assert said(agreed, "billing:invoice:I-2") == []


@pytest.mark.promise("A-44")
def test_target_is_told_no_field_that_is_withheld_from_it(agreed: Hub) -> None:
    rule = {"id": "to-erp", "target": "erp", "withhold": ["industry"], "why": "The ledger has no use for it."}
    enforce(agreed, "account", {"publication": [rule], "approval": []})
    erp = MemoryTarget("erp")
    deliver(agreed, account("crm", "c9", "Cedar SA", industry="timber"))
    assert leave(agreed, erp, "account")["Cedar SA"] == "acknowledged"
    id_ = golden_of(agreed, "crm:account:c9")["id"]
    assert "industry" not in next(iter(erp.find("account", [id_]))).body
    deliver(agreed, account("crm", "c9", "Cedar SA", industry="furniture"))
    assert leave(agreed, erp, "account") == {"Cedar SA": "the target has it so"}


LOOSE = {"relations": [], "validation": [], "approval": []}


def findings(hub: Hub) -> set[tuple[str, str]]:
    """What is not met once everything is settled: golden id and rule, read from the table."""
    relations.settle(hub.engine, hub.clock())
    with reading(hub.engine) as connection:
        return {tuple(row) for row in connection.execute(sa.select(table.c.golden_id, table.c.rule))}


def _drafts() -> dict[str, tuple[str, dict[str, Any]]]:
    newest = [{"id": "newest", "fields": ["*"], "take": "most_recent", "why": "What was said last stands."}]
    matching = YAML(typ="safe").load(shipped()["account"].text)["matching"]
    owed = {"id": "owed", "check": "exists", "to": ["invoice.subscription"], "why": "Contracts are invoiced.",
            "message": "nothing has been invoiced", "severity": "warning", "effect": "review"}  # fmt: skip
    return {
        "other relations": ("subscription", {**LOOSE, "relations": [owed]}),
        "no relations": ("invoice", {"relations": []}),
        "values of parents": ("subscription", {**LOOSE, "ownership": [], "survivorship": newest}),
        "customers part": ("account", {**LOOSE, "matching": {**matching, "match": 80, "review": 70}}),
        "customers join": ("account", {**LOOSE, "matching": {**matching, "match": 1, "review": 0.5}}),
    }


CHANGES = {  # whether something is not met any more, and whether something is met again
    "other relations": (True, False), "no relations": (False, True), "values of parents": (True, False),
    "customers part": (True, False), "customers join": (False, True),
}  # fmt: skip


@pytest.mark.parametrize("name", _drafts())
def test_simulation_tells_what_relations_would_find_and_promotion_then_finds_it(agreed: Hub, name: str) -> None:
    deliver(
        agreed,
        {"system": "erp", "kind": "contract", "key": "C-1", "account": "c1", "currency": "GBP", "at": "2026-08-03T00:00:00Z"},
        contract("C-2", "c2", "GBP"),
        invoice("I-1", "b1"), invoice("I-2", "b2"), invoice("I-3", "b2", "C-2"), invoice("I-4", "b1", "C-2"),
        revenue("R-1", "I-1", "90"), revenue("R-2", "I-1", "20"),
        {**account("crm", "c3", "Boxwood Ltd"), "domain": "boxwood.example"},
        invoice("I-5", "c3", "C-2", system="crm"),
        account("crm", "c4", "Walnut Trading Ltd"), account("billing", "b4", "Walnut Trading Ltd") | {"domain": "wt.example", "mail": "ap@wt.example"},
        contract("C-4", "c4"), contract("C-9", "c4"), invoice("I-6", "b4", "C-4"),
    )  # fmt: skip
    before = findings(agreed)
    assert before
    entity, parts = _drafts()[name]
    draft = rules.load(rules_text(entity, parts), "draft")
    number = simulate(agreed.engine, draft, "kim", agreed.clock())
    with reading(agreed.engine) as connection:
        made = get(connection, number)
    promote(agreed.engine, entity, number, Will("ben", "they asked for it"), agreed.clock())
    after = findings(agreed)
    said = {
        part: {(line["golden"], line["rule"]) for line in made.report[f"relations_{part}"]}
        for part in ("gained", "lost")
    }
    assert (said["gained"], said["lost"]) == (after - before, before - after)
    assert made.counts["relations_gained"] == len(after - before)
    assert (bool(said["gained"]), bool(said["lost"])) == CHANGES[name]
