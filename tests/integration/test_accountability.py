"""Who did and who saw what: each mutation and each answer with personal data leaves an entry, on both stores."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from graphql import (
    GraphQLArgument,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_required_argument,
)
from graphql.type.definition import GraphQLNonNull

from hub.store import access, audit, shown
from hub.store.access import Principal
from hub.store.audit import Act
from hub.store.engine import reading, writing
from hub.store.sight import Sight
from hub.store.tables import audit as entries
from hub.web.app import create_app
from hub.web.graphql.accounting import personal
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver, golden_of, invoice

SCHEMA = build().graphql_schema
TOLD = "Nobody May Read This"


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    deliver(
        hub,
        [
            account("crm", "1", name="Acorn Ltd", email="a@acorn.example"),
            account("crm", "2", name="Birch AG"),
            invoice("billing", "i1", number="INV-1", account="1", currency="EUR", gross="12.5"),
        ],
    )
    return create_app(hub).test_client()


def ask(client: FlaskClient, hub: Hub, query: str, sight: Sight | None = None) -> Any:
    with writing(hub.engine) as connection:
        key = access.issue(connection, Principal("ada", "admin", sight or Sight()), hub.clock())
    reply = client.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {key}"})
    assert reply.status_code == 200, reply.data
    return reply


def log(hub: Hub) -> list[Mapping[str, Any]]:
    shown.seal(hub.engine, hub.beside)
    with reading(hub.engine) as connection:
        assert audit.verify(connection) is None
        return [dict(row) for row in connection.execute(sa.select(entries).order_by(entries.c.id)).mappings()]


def literal(argument: GraphQLArgument) -> str:
    """Some value of the type, as it is written in a query."""
    kind = argument.type.of_type if isinstance(argument.type, GraphQLNonNull) else argument.type
    if is_list_type(kind):
        return "[]"
    named = get_named_type(kind)
    if is_enum_type(named):
        return str(next(iter(named.values)))
    if is_input_object_type(named):
        return "{}"
    return {"Int": "7", "Float": "1.5", "Boolean": "true"}.get(named.name, f'"{TOLD}"')


@pytest.mark.promise("A-21")
def test_every_mutation_leaves_an_entry_without_values(client: FlaskClient, hub: Hub) -> None:
    for name, field in SCHEMA.mutation_type.fields.items():
        given = {one: literal(argument) for one, argument in field.args.items() if is_required_argument(argument)}
        given |= dict.fromkeys(given.keys() & {"answer", "reason"}, '"told so"')  # a person's own words are kept
        before = len(log(hub))
        told = f"({', '.join(f'{one}: {value}' for one, value in given.items())})" if given else ""
        reply = ask(client, hub, f"mutation {{ {name}{told} {{ userErrors {{ code }} }} }}")
        found = log(hub)[before:]
        assert len(found) == 1, (name, found, reply.get_json())
        assert found[0]["actor"] == "ada"
        assert found[0]["detail"]["request"] == reply.headers["X-Request-Id"]
        assert found[0]["detail"]["key"]
        assert name == "issueApiKey" or TOLD not in str(found[0]["detail"]), name  # whose name is no value of a record


def test_mutation_with_effect_leaves_one_entry_with_it(client: FlaskClient, hub: Hub) -> None:
    before = len(log(hub))
    query = 'mutation { setValue(key: "crm:account:1", field: "industry", value: "\\"food\\"", reason: "told so") { decision } }'
    reply = ask(client, hub, query)
    decision = reply.get_json()["data"]["setValue"]["decision"]
    (entry,) = log(hub)[before:]
    assert (entry["action"], entry["subject"]) == ("value", "crm:account:1")
    assert entry["detail"]["decision"] == decision
    assert "food" not in str(entry)


@pytest.mark.promise("A-88")
def test_answer_with_personal_data_is_noted_with_fields_and_ids_and_no_value(client: FlaskClient, hub: Hub) -> None:
    before = len(log(hub))
    reply = ask(client, hub, "query Mine { accounts { nodes { email industry } } }")
    (entry,) = log(hub)[before:]
    ids = sorted(golden_of(hub, f"crm:account:{n}")["id"] for n in (1, 2))
    assert (entry["action"], entry["actor"], entry["subject"]) == ("read", "ada", "Mine")
    assert entry["detail"] | {"key": "k"} == {
        "request": reply.headers["X-Request-Id"], "key": "k", "fields": ["account.email"], "ids": {"account": ids},
    }  # fmt: skip
    assert "acorn" not in str(entry)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("{ invoices { nodes { number total { amount } provenance { candidates { value } } } } }", []),
        ("{ invoices { nodes { account { label } } } }", ["account.label"]),
        ("{ accounts { nodes { ...a } } } fragment a on Account { history { changes { after } } }", ["Change.after"]),
        ("{ accounts { nodes { id status } } }", []),
        ("{ valuesSet { value } waiting { label } }", ["ValueSet.value", "Waiting.label"]),
        ("{ a: contacts { nodes { b: fullName } } }", ["contact.fullName"]),
    ],
)
def test_what_a_document_tells_of_people_is_known_from_its_text(query: str, fields: list[str]) -> None:
    assert list(personal(SCHEMA, query)) == fields


def test_answer_that_masks_personal_data_is_not_noted(client: FlaskClient, hub: Hub) -> None:
    before = len(log(hub))
    ask(client, hub, "{ accounts { nodes { email } } }", Sight.of(None, ["personal"]))
    assert log(hub)[before:] == []


def test_page_of_the_console_is_noted(client: FlaskClient, hub: Hub) -> None:
    with writing(hub.engine) as connection:
        key = access.issue(connection, Principal("ada", "steward"), hub.clock())
    with client.session_transaction() as session:
        session["key"] = key.split("_")[1]
    id_, before = golden_of(hub, "crm:account:1")["id"], len(log(hub))
    assert client.get(f"/records/account/{id_}").status_code == 200
    (entry,) = log(hub)[before:]
    assert (entry["subject"], entry["detail"]["ids"]["account"]) == ("console.record", [id_])


def test_note_does_not_wait_for_who_writes_at_length(sqlite_hub: Hub, clock: FixedClock) -> None:
    with writing(sqlite_hub.engine):
        shown.note(sqlite_hub.beside, Act("ada", "read", "Mine", {}), clock())
    assert shown.seal(sqlite_hub.engine, sqlite_hub.beside) == 1


def test_notes_that_were_moved_before_a_cut_are_not_moved_again(sqlite_hub: Hub, clock: FixedClock) -> None:
    path = sqlite_hub.beside.url.database
    for n in range(3):
        shown.note(sqlite_hub.beside, Act("ada", "read", f"note {n}", {}), clock())
    with sqlite3.connect(str(path)) as notes:
        left = notes.execute("select * from shown").fetchall()
    assert shown.seal(sqlite_hub.engine, sqlite_hub.beside) == 3
    with sqlite3.connect(str(path)) as notes:  # as if cut off before they were taken out here
        notes.executemany("insert into shown values (?, ?, ?, ?, ?)", left)
    notes.close()
    shown.note(sqlite_hub.beside, Act("ada", "read", "note 3", {}), clock())
    assert shown.seal(sqlite_hub.engine, sqlite_hub.beside) == 1
    assert [row["subject"] for row in log(sqlite_hub) if row["action"] == "read"] == [f"note {n}" for n in range(4)]


def test_submitted_payloads_are_taken_in_and_noted_with_their_counts(client: FlaskClient, hub: Hub) -> None:
    before = len(log(hub))
    query = """mutation { submit(system: "crm", payload: "{}") { payloads rejected failed findings userErrors { code } } }"""
    told = ask(client, hub, query).get_json()["data"]["submit"]
    assert (told["payloads"], told["rejected"] + told["failed"], told["userErrors"]) == (1, 1, [])
    assert told["findings"]
    assert ask(client, hub, query).get_json()["data"]["submit"]["payloads"] == 1
    brought = [row for row in log(hub)[before:] if row["action"] == "ingest"]
    assert [(row["subject"], row["detail"]["payloads"]) for row in brought] == [("crm", 1)] * 2
    unknown = query.replace('"crm"', '"nobody"')
    assert ask(client, hub, unknown).get_json()["data"]["submit"]["userErrors"]


def test_decision_on_a_version_that_has_moved_on_is_refused(client: FlaskClient, hub: Hub) -> None:
    golden = golden_of(hub, "crm:account:1")
    act = """mutation { a: %s { userErrors { code } } }"""
    set_value = (
        f'setValue(key: "crm:account:1", field: "industry", value: "%s", reason: "told so", seen: "{golden["id"]}@%s")'
    )
    seen = ask(client, hub, act % (set_value % ("food", golden["version"]))).get_json()["data"]["a"]["userErrors"]
    assert seen == []
    for again in (
        set_value % ("drink", golden["version"]),
        f'detach(key: "crm:account:1", reason: "no", seen: "{golden["id"]}@1")',
    ):
        told = ask(client, hub, act % again).get_json()["data"]["a"]["userErrors"]
        assert told == [{"code": "HUB-4220"}]
    assert golden_of(hub, "crm:account:1")["version"] == golden["version"] + 1


def test_undo_of_what_has_moved_on_is_refused(client: FlaskClient, hub: Hub) -> None:
    set_value = """mutation { a: setValue(key: "crm:account:1", field: "industry", value: "food", reason: "told so") {
        decision userErrors { code } } }"""
    told = ask(client, hub, set_value).get_json()["data"]["a"]
    assert told["userErrors"] == []
    golden = golden_of(hub, "crm:account:1")
    undo = f'mutation {{ a: undo(decision: "{told["decision"]}", seen: "{golden["id"]}@%s") {{ done userErrors {{ code }} }} }}'
    early = ask(client, hub, undo % (golden["version"] - 1)).get_json()["data"]["a"]
    assert early == {"done": False, "userErrors": [{"code": "HUB-4220"}]}
    assert golden_of(hub, "crm:account:1")["values"]["industry"] == "food", "nothing was changed"
    assert ask(client, hub, undo % golden["version"]).get_json()["data"]["a"] == {"done": True, "userErrors": []}
    assert "industry" not in golden_of(hub, "crm:account:1")["values"]
