"""Closed books: whatever touches a closed period waits for finance, however harmless it looks."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner

from adapters.decode import decode
from adapters.mapping import load
from adapters.targets.memory import MemoryTarget
from hub import queries
from hub.cli import closing
from hub.errors import InvalidRequest, NotFound, PlanStale
from hub.flow import books as flow
from hub.flow import publish
from hub.flow.ingest import Delivery, ingest
from hub.flow.promote import Will
from hub.store import books, plans
from hub.store.access import Principal
from hub.store.audit import verify
from hub.store.engine import reading
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.worlds import golden_of

READER = Principal("rea", "reader")
FINN = Will("finn", "the quarter is reported")
SOURCE = load(
    """
system: {path: system, codes: {billing: billing, erp: erp}}
entities:
  - entity: legal_entity
    when: {path: kind, is: company}
    key: key
    fields: {code: key, legal_name: name, country: country, currency: currency}
  - entity: account
    when: {path: kind, is: account}
    key: key
    fields: {legal_name: name, status: {constant: active}}
  - entity: invoice
    when: {path: kind, is: invoice}
    key: key
    asserted_at: at
    fields:
      number: key
      status: {constant: open}
      issued_on: date
      due_on: due
      account: {reference: account, key: account}
      seller: {reference: legal_entity, key: seller, system: erp}
      total: {money: {amount: total, currency: currency}}
      currency: currency
""",
    "books.yaml",
)
_serial = iter(range(10**6))


def deliver(hub: Hub, *payloads: dict[str, Any]) -> None:
    lines = [decode(json.dumps({"at": "2026-09-01T00:00:00Z", **one}), n) for n, one in enumerate(payloads, 1)]
    ingest(hub.engine, hub.rulesets, SOURCE, Delivery("test", f"books {next(_serial)}", lines), clock=hub.clock)


def bill(key: str, day: str, seller: str = "1000", **more: Any) -> dict[str, Any]:
    return {"system": "billing", "kind": "invoice", "key": key, "date": day, "account": "c", "seller": seller,
            "total": "10", "currency": "EUR", **more}  # fmt: skip


@pytest.fixture
def erp(hub: Hub) -> MemoryTarget:
    deliver(hub, *({"system": "erp", "kind": "company", "key": key, "name": f"Concordia {key}", "country": "DE", "currency": "EUR"}
                   for key in ("1000", "2000")), {"system": "billing", "kind": "account", "key": "c", "name": "Acorn Ltd"})  # fmt: skip
    return MemoryTarget("erp")


def run(hub: Hub, erp: MemoryTarget) -> dict[str, str]:
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    publish.apply(hub.engine, erp, plan, hub.clock)
    return {
        e["label"]: e["reason"] or e["state"]
        for e in queries.plan_with_entries(hub.engine, plan)[1]
        if e["entity"] == "invoice"
    }


WAITS = "waits for an approval by finance"


@pytest.mark.promise("A-50")
def test_invoice_of_a_closed_period_waits_for_finance_and_goes_when_approved(hub: Hub, erp: MemoryTarget) -> None:
    deliver(hub, bill("R-1", "2026-08-15"), bill("R-2", "2026-09-15"))
    flow.close(hub.engine, "*", date(2026, 8, 31), FINN, hub.clock())
    assert run(hub, erp) == {"R-1": WAITS, "R-2": "acknowledged"}
    with reading(hub.engine) as connection:
        (row,) = plans.waiting(connection)
    hub.desk(Principal("fay", "finance")).approve(row["golden_id"], "erp", row["version"], "credit agreed")
    assert run(hub, erp) == {"R-1": "acknowledged"}


def test_change_out_of_a_closed_period_touches_it_too(hub: Hub, erp: MemoryTarget) -> None:
    deliver(hub, bill("R-1", "2026-08-15"))
    assert run(hub, erp) == {"R-1": "acknowledged"}
    flow.close(hub.engine, "*", date(2026, 8, 31), FINN, hub.clock())
    deliver(hub, bill("R-1", "2026-08-15", due="2026-09-30", at="2026-09-20T00:00:00Z"))
    assert run(hub, erp) == {"R-1": WAITS}


def test_books_of_one_company_close_for_that_company_alone(hub: Hub, erp: MemoryTarget) -> None:
    deliver(hub, bill("R-1", "2026-08-15", "1000"), bill("R-2", "2026-08-15", "2000"))
    first = golden_of(hub, "erp:legal_entity:1000")["id"]
    made = flow.close(hub.engine, first, date(2026, 8, 31), FINN, hub.clock())
    assert run(hub, erp) == {"R-1": WAITS, "R-2": "acknowledged"}
    flow.reopen(hub.engine, made, FINN, hub.clock())
    with reading(hub.engine) as connection:
        assert books.through(connection) == {}
        assert verify(connection) is None


def test_plan_made_before_the_books_were_closed_is_stale(hub: Hub, erp: MemoryTarget, clock: Any) -> None:
    deliver(hub, bill("R-1", "2026-08-15"))
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    clock.move(minutes=1)
    flow.close(hub.engine, "*", date(2026, 8, 31), FINN, hub.clock())
    with pytest.raises(PlanStale, match="the closed books"):
        publish.apply(hub.engine, erp, plan, hub.clock)
    assert erp.effects == 0
    assert run(hub, erp) == {"R-1": WAITS}


def test_what_cannot_be_closed_is_refused(hub: Hub, erp: MemoryTarget, clock: Any) -> None:
    customer = golden_of(hub, "billing:account:c")["id"]
    with pytest.raises(NotFound, match="no legal entity"):
        flow.close(hub.engine, customer, date(2026, 8, 31), FINN, clock())
    with pytest.raises(InvalidRequest, match="is not over"):
        flow.close(hub.engine, "*", date(2027, 8, 31), FINN, clock())
    with pytest.raises(InvalidRequest, match="needs a reason"):
        flow.close(hub.engine, "*", date(2026, 8, 31), Will("finn", ""), clock())
    with pytest.raises(NotFound, match="closing 7"):
        flow.reopen(hub.engine, 7, FINN, clock())


def test_commands_and_graphql_close_and_list(hub: Hub, erp: MemoryTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.cli import closing

    monkeypatch.setattr(closing, "open_hub", lambda _directory: hub)
    run_ = CliRunner().invoke
    who = ["--reason", "reported", "--as", "finn"]
    assert run_(closing.books, ["close", "--through", "2026-08-31", *who]).exit_code == 0
    schema = build()

    def ask(query: str, role: str) -> Any:
        found = schema.execute(query, context={"hub": hub, "principal": Principal("fay", role)})
        assert found.errors is None, found.errors
        return found.data

    act = 'mutation { closeBooks(through: "2026-09-30", reason: "reported") { closing userErrors { code } } }'
    assert ask(act, "steward")["closeBooks"]["userErrors"] == [{"code": "HUB-4302"}]
    assert ask(act, "approver")["closeBooks"] == {"closing": 2, "userErrors": []}
    listed = ask("{ bookClosings { id books through author reopenedAt } }", "reader")["bookClosings"]
    assert [(one["through"], one["author"]) for one in listed] == [("2026-09-30", "fay"), ("2026-08-31", "finn")]
    assert run_(closing.books, ["reopen", "1", *who]).exit_code == 0
    assert "2026-09-30" in run_(closing.books, ["ls"]).output


def test_sign_off_is_outdated_once_something_of_its_period_changes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(hub, bill("1", "2026-08-15"), bill("2", "2026-09-15"))
    made = flow.close(hub.engine, "*", date(2026, 8, 31), FINN, hub.clock())
    hub.clock.move(hours=1)  # type: ignore[attr-defined]
    deliver(hub, bill("2", "2026-09-20", at="2026-09-21T00:00:00Z"), bill("3", "2026-09-21"))
    assert _outdated(hub) == {}
    hub.clock.move(hours=1)  # type: ignore[attr-defined]
    deliver(hub, bill("1", "2026-09-15", at="2026-09-22T00:00:00Z"))  # moved out of the period
    assert _outdated(hub) == {made: ["1"]}
    deliver(hub, bill("4", "2026-08-31"))
    assert _outdated(hub) == {made: ["1", "4"]}
    monkeypatch.setattr(closing, "open_hub", lambda _directory: hub)
    listed = CliRunner().invoke(closing.books, ["ls", "--format", "json"])
    assert [row["touched"] for row in json.loads(listed.stdout)] == [2]
    asked = build().execute("{ bookClosings { touched outdatedSince } }", context={"hub": hub, "principal": READER})
    assert asked.data["bookClosings"] == [{"touched": 2, "outdatedSince": "2026-10-01T14:00:00+00:00"}]
    flow.close(hub.engine, "*", date(2026, 8, 31), FINN, hub.clock())  # signed off again
    assert _outdated(hub) == {}


def _outdated(hub: Hub) -> dict[int, list[str]]:
    with reading(hub.engine) as connection:
        return {id_: [one.label for one in moved] for id_, moved in flow.outdated(connection, hub.rulesets).items()}
