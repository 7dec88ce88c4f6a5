"""Code lists: a code that nobody has explained is counted, and explaining it reads again whoever says it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from adapters.decode import decode
from adapters.mapping import load
from canonical.errors import UnknownField
from canonical.ids import SourceKey
from hub import queries
from hub.errors import InvalidRequest, NotFound
from hub.flow import codes as flow
from hub.flow.ingest import Delivery, Report, ingest
from hub.flow.replay import verify
from hub.store import codes
from hub.store.access import Principal
from hub.store.engine import reading
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.worlds import golden_of

SOURCE = load(
    """
system: crm
entities:
  - entity: account
    key: id
    asserted_at: at
    fields:
      legal_name: name
      status: {path: state, codes: {A: active}}
      identifiers: {each: ids, as: {type: {path: kind, codes: {D: duns}}, value: value}}
""",
    "crm.yaml",
)
SCHEMA = build()
PLACE = ("crm", "account", "status")
_serial = iter(range(10**6))


def deliver(hub: Hub, *payloads: dict[str, Any]) -> Report:
    lines = [decode(json.dumps(one), place) for place, one in enumerate(payloads, 1)]
    delivery = Delivery("test", f"codes {next(_serial)}", lines)
    return ingest(hub.engine, hub.rulesets, SOURCE, delivery, clock=hub.clock)


def said(key: str, state: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "name": f"Acorn {key} Ltd", "state": state, "at": "2026-01-01T00:00:00Z"} | more


def explain(hub: Hub, code: str, value: Any, place: codes.Place = PLACE) -> int:
    desk = flow.Desk(hub.engine, hub.rulesets, hub.clock())
    return flow.explain(desk, codes.Listed(place, code, value, "their handbook", "mia"))


def withdraw(hub: Hub, code: str) -> int:
    desk = flow.Desk(hub.engine, hub.rulesets, hub.clock())
    return flow.withdraw(desk, PLACE, code, "mia", "mistaken")


def unlisted(hub: Hub) -> list[tuple[str, int]]:
    with reading(hub.engine) as connection:
        return [(row["code"], row["records"]) for row in codes.unlisted(connection)]


def status(hub: Hub, key: str) -> Any:
    return golden_of(hub, f"crm:account:{key}")["values"].get("status")


@pytest.mark.promise("A-06")
def test_explained_code_is_read_again_in_every_record_that_says_it(hub: Hub) -> None:
    report = deliver(hub, said("1", "A"), said("2", "X"), said("3", "X"), said("4", "Y"))
    assert report.findings["HUB-3205"] == 3
    assert unlisted(hub) == [("X", 2), ("Y", 1)]
    assert status(hub, "2") is None
    assert explain(hub, "X", "suspended") == 2
    assert [status(hub, key) for key in "1234"] == ["active", "suspended", "suspended", None]
    assert unlisted(hub) == [("Y", 1)]
    assert verify(hub.engine).differences == 0
    versions = queries.walk(hub.engine, SourceKey("crm", "account", "2"))["versions"]
    assert [one["number"] for one in versions] == [2, 1]
    assert versions[0]["body"] == versions[1]["body"]


@pytest.mark.promise("A-06")
def test_what_comes_later_is_read_with_the_list(hub: Hub) -> None:
    explain(hub, "X", "suspended")
    assert "HUB-3205" not in deliver(hub, said("1", "X")).findings
    assert status(hub, "1") == "suspended"
    assert deliver(hub, said("1", "X")).repeated == 1


def test_code_that_means_something_else_now_is_read_again_everywhere(hub: Hub) -> None:
    deliver(hub, said("1", "X"), said("2", "A"))
    explain(hub, "X", "suspended")
    assert explain(hub, "X", "churned") == 1
    assert status(hub, "1") == "churned"
    assert withdraw(hub, "X") == 1
    assert status(hub, "1") is None
    assert unlisted(hub) == [("X", 1)]
    with pytest.raises(NotFound, match="'X'"):
        withdraw(hub, "X")
    with reading(hub.engine) as connection:
        history = codes.entries(connection, ended=True)
    assert [(row["value"], row["until"] is None) for row in history] == [("churned", False), ("suspended", False)]


def test_code_inside_a_list_is_explained_like_any_other(hub: Hub) -> None:
    deliver(hub, said("1", "A", ids=[{"kind": "L", "value": "5493001KJTIIGC8Y1R12"}]))
    assert unlisted(hub) == [("L", 1)]
    assert explain(hub, "L", "lei", ("crm", "account", "identifiers")) == 1
    (found,) = golden_of(hub, "crm:account:1")["values"]["identifiers"]
    assert found["type"] == "lei"


def test_value_that_the_field_cannot_have_is_refused(hub: Hub) -> None:
    deliver(hub, said("1", "X"))
    with pytest.raises(InvalidRequest, match="status cannot be 'sleepy'"):
        explain(hub, "X", "sleepy")
    with pytest.raises(UnknownField):
        explain(hub, "X", "active", ("crm", "account", "statuss"))
    assert unlisted(hub) == [("X", 1)]


def test_codes_over_graphql_need_a_role(hub: Hub) -> None:
    deliver(hub, said("1", "X"))
    act = 'mutation { mapCode(system: "crm", entity: "account", field: "status", code: "X", value: "suspended", reason: "handbook") { records userErrors { code } } }'

    def ask(query: str, role: str) -> Any:
        found = SCHEMA.execute(query, context={"hub": hub, "principal": Principal("eve", role)})
        assert found.errors is None, found.errors
        return found.data

    assert ask("{ unmappedCodes { code records key } }", "reader")["unmappedCodes"] == [
        {"code": "X", "records": 1, "key": "1"}
    ]
    assert ask(act, "reader")["mapCode"] == {"records": None, "userErrors": [{"code": "HUB-4302"}]}
    assert ask(act, "engineer")["mapCode"] == {"records": 1, "userErrors": []}
    assert ask("{ codes { code value author } }", "reader")["codes"] == [
        {"code": "X", "value": "suspended", "author": "eve"}
    ]
    undo = act.replace("mapCode", "unmapCode").replace(', value: "suspended"', "")
    assert ask(undo, "engineer")["unmapCode"]["records"] == 1


def test_codes_on_the_command_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.cli import codes as room

    monkeypatch.setattr(room, "open_hub", lambda _directory: hub)
    deliver(hub, said("1", "X"))
    run, who = CliRunner().invoke, ["--reason", "handbook", "--as", "mia"]
    rows = json.loads(run(room.codes, ["ls", "--unmapped", "--format", "json"]).stdout)
    assert [(row["code"], row["records"]) for row in rows] == [("X", 1)]
    made = run(room.codes, ["map", *PLACE, "X", "suspended", *who])
    assert (made.exit_code, status(hub, "1")) == (0, "suspended"), made.output
    assert run(room.codes, ["unmap", *PLACE, "X", *who]).exit_code == 0
    assert "suspended" in run(room.codes, ["ls", "--history"]).output
