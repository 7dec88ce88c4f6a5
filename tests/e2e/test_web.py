"""GraphQL, the console and the door for deliveries, over a small hub."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub import queries
from hub.store import access
from hub.store.access import Principal
from hub.store.engine import writing
from hub.web.app import create_app
from hub.wiring import Hub
from tests.worlds import account, deliver, enforce, golden_of, invoice

OWN_SCRIPT = '<script src="/static/keys.js" type="module"></script>'


@pytest.fixture
def client(hub: Hub) -> Iterator[FlaskClient]:
    deliver(
        hub,
        [
            account("crm", "1", name="Acorn Foods Ltd", tax="GB980780684", country="GB", city="Leeds"),
            account(
                "billing", "c1", name="ACORN FOODS LIMITED", tax="GB980780684", country="GB", email="x@acorn.example"
            ),
            account("crm", "2", name="Birch AG"),
            account("shop", "9", name="Birch"),
            account("crm", "3", name="مؤسسة <script>alert(1)</script> النور"),
            invoice("billing", "i1", number="INV-1", status="open", account="c1", currency="EUR", gross="12.5"),
        ],
    )
    with create_app(hub).test_client() as made:
        yield made


def key_for(hub: Hub, role: str) -> str:
    with writing(hub.engine) as connection:
        return access.issue(connection, Principal(f"test {role}", role), hub.clock())


def ask(client: FlaskClient, hub: Hub, query: str, role: str = "reader", **variables: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key_for(hub, role)}"}
    found: dict[str, Any] = client.post(
        "/graphql", json={"query": query, "variables": variables}, headers=headers
    ).get_json()
    return found


def test_graphql_record_with_provenance_and_its_parents(client: FlaskClient, hub: Hub) -> None:
    id_ = golden_of(hub, "crm:account:1")["id"]
    query = """query($id: ID!) { account(id: $id) { id legalName taxId { country number } billingAddress { city }
      sources { sourceKey } provenance(fields: ["legalName"]) { field source rule losers { source reason } } } }"""
    found = ask(client, hub, query, id=id_)["data"]["account"]
    assert found["legalName"] == "Acorn Foods Ltd"
    assert {s["sourceKey"] for s in found["sources"]} == {"billing:account:c1", "crm:account:1"}
    assert found["provenance"] == [
        {
            "field": "legal_name",
            "source": "crm:account:1",
            "rule": "owner",
            "losers": [{"source": "billing:account:c1", "reason": "crm is the system of record"}],
        }
    ]
    invoices = ask(client, hub, "{ invoices { nodes { number account { id label } total { amount currency } } } }")
    assert invoices["data"]["invoices"]["nodes"] == [
        {
            "number": "INV-1",
            "account": {"id": id_, "label": "Acorn Foods Ltd"},
            "total": {"amount": "12.50", "currency": "EUR"},
        }
    ]


def test_graphql_provenance_names_every_candidate_and_what_would_flip_it(client: FlaskClient, hub: Hub) -> None:
    query = """query { accounts { nodes { label provenance(fields: ["legalName"]) { ...why } } } }
      fragment why on Provenance { field flip candidates { system key value assertedAt outcome reason } }"""
    nodes = ask(client, hub, query)["data"]["accounts"]["nodes"]
    (acorn,) = [one for one in nodes if one["label"] == "Acorn Foods Ltd"]
    (why,) = acorn["provenance"]
    assert [(c["system"], c["key"], c["value"], c["outcome"]) for c in why["candidates"]] == [
        ("crm", "crm:account:1", "Acorn Foods Ltd", "won"),
        ("billing", "billing:account:c1", "ACORN FOODS LIMITED", "lost"),
    ]
    assert why["candidates"][1]["reason"] == "crm is the system of record"
    assert why["flip"] == "were crm:account:1 silent: ACORN FOODS LIMITED"


def test_graphql_page_that_asks_for_flips_is_small_and_goes_on(
    client: FlaskClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.graphql.records.MOST_FLIPS", 3)
    query = "{ accounts(first: 200) { nodes { provenance { %s } } pageInfo { hasNextPage } } }"
    few = ask(client, hub, query % "flip")["data"]["accounts"]
    assert (len(few["nodes"]), few["pageInfo"]["hasNextPage"]) == (3, True)
    assert len(ask(client, hub, query % "candidates { reason }")["data"]["accounts"]["nodes"]) == 4


def test_graphql_why_costs_a_page_the_same_number_of_statements_whatever_its_size(
    client: FlaskClient, hub: Hub
) -> None:
    import sqlalchemy as sa

    counts = []
    asked: list[str] = []

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    try:
        for size in (4, 1, 4):  # the first compiles the rules
            asked.clear()
            ask(client, hub, f"{{ accounts(first: {size}) {{ nodes {{ provenance {{ flip }} }} }} }}")
            counts.append(len(asked))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert counts[1] == counts[2] > 0


def test_graphql_pages_do_not_overlap_and_end(client: FlaskClient, hub: Hub) -> None:
    seen, after, more = [], "", True
    while more:
        page = ask(
            client,
            hub,
            "query($a: String) { accounts(first: 2, after: $a) { nodes { id } pageInfo { hasNextPage endCursor } } }",
            a=after,
        )
        found = page["data"]["accounts"]
        seen += [node["id"] for node in found["nodes"]]
        after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    assert len(seen) == len(set(seen)) == 4


def test_graphql_by_key_and_search(client: FlaskClient, hub: Hub) -> None:
    by_key = ask(
        client, hub, '{ byKey(system: "billing", entity: "account", key: "c1") { id label ... on Account { email } } }'
    )
    assert by_key["data"]["byKey"]["label"] == "Acorn Foods Ltd"
    assert by_key["data"]["byKey"]["email"] == "x@acorn.example"
    assert ask(client, hub, '{ byKey(system: "x", entity: "account", key: "1") { id } }')["data"] == {"byKey": None}
    found = ask(client, hub, '{ accounts(text: "BIRCH") { nodes { legalName } } }')["data"]["accounts"]["nodes"]
    assert {n["legalName"] for n in found} == {"Birch AG", "Birch"}


def test_graphql_decide_and_undo(client: FlaskClient, hub: Hub) -> None:
    (task,) = ask(client, hub, "{ tasks { id left right reason } }")["data"]["tasks"]
    assert {task["left"], task["right"]} == {"crm:account:2", "shop:account:9"}
    mutation = 'mutation($t: ID!) { decide(task: $t, answer: "same", reason: "asked") { decision userErrors { code message hint } } }'
    refused = ask(client, hub, mutation, t=task["id"])["data"]["decide"]
    assert (refused["decision"], refused["userErrors"][0]["code"]) == (None, "HUB-4302")
    done = ask(client, hub, mutation, "steward", t=task["id"])["data"]["decide"]
    assert done["userErrors"] == []
    assert golden_of(hub, "crm:account:2")["id"] == golden_of(hub, "shop:account:9")["id"]
    undo = ask(client, hub, "mutation($d: ID!) { undo(decision: $d) { done } }", "steward", d=done["decision"])
    assert undo["data"]["undo"]["done"]
    assert golden_of(hub, "crm:account:2")["id"] != golden_of(hub, "shop:account:9")["id"]


def test_graphql_matches_tell_who_a_record_would_be(client: FlaskClient, hub: Hub) -> None:
    query = """query($v: JSONString!) { matches(entity: "account", values: $v) { golden source verdict parts { comparison weight } } }"""
    values = json.dumps({"legal_name": "Acorn Foods Limited", "tax_id": {"number": "GB980780684", "country": "GB"}})
    first, *_ = ask(client, hub, query, v=values)["data"]["matches"]
    assert first["golden"] == golden_of(hub, "crm:account:1")["id"]
    assert first["verdict"] == "match"
    assert {"comparison": "tax-id", "weight": 12.0} in first["parts"]
    (error,) = ask(client, hub, query, v="[1]")["errors"]
    assert error["extensions"]["code"] == "HUB-6001"


def test_graphql_trial_needs_a_role_and_stores_nothing(client: FlaskClient, hub: Hub) -> None:
    query = """query($p: String!) { trial(system: "usage", payload: $p) }"""
    payload = json.dumps({"nonsense": 1})
    assert ask(client, hub, query, p=payload)["errors"][0]["extensions"]["code"] == "HUB-4302"
    (told,) = json.loads(ask(client, hub, query, "engineer", p=payload)["data"]["trial"])
    assert told["outcome"] == "rejected"
    assert told["findings"][0]["code"].startswith("HUB-3")


def test_graphql_what_waits_is_approved_for_the_version_that_was_seen(client: FlaskClient, hub: Hub) -> None:
    enforce(
        hub, "account", {"approval": [{"id": "all", "wait_for": "finance", "why": "everything waits in this test"}]}
    )
    deliver(hub, [account("crm", "77", name="Elm Ltd", status="active")])
    (one,) = ask(client, hub, "{ waiting { golden version target waitsFor } }")["data"]["waiting"]
    assert (one["target"], one["waitsFor"]) == ("erp", "finance")
    mutation = """mutation($g: ID!, $v: Int!) { approve(golden: $g, target: "erp", version: $v, reason: "seen") {
        done userErrors { code } } }"""
    early = ask(client, hub, mutation, "approver", g=one["golden"], v=9)["data"]["approve"]
    assert (early["done"], early["userErrors"][0]["code"]) == (False, "HUB-4220")
    assert not ask(client, hub, mutation, "reader", g=one["golden"], v=one["version"])["data"]["approve"]["done"]
    assert ask(client, hub, mutation, "approver", g=one["golden"], v=one["version"])["data"]["approve"]["done"]
    assert ask(client, hub, "{ waiting { golden } }")["data"]["waiting"] == []


@pytest.mark.promise("A-14")
@pytest.mark.parametrize(
    "header",
    [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic x"}, {"Authorization": "Bearer hub_a_b"}],
)
def test_graphql_without_a_key_is_401_with_one_body(client: FlaskClient, header: dict[str, str]) -> None:
    refused = client.post("/graphql", json={"query": "{ tasks { id } }"}, headers=header)
    assert refused.status_code == 401
    assert refused.get_json()["error"]["code"] == "HUB-4301"


@pytest.mark.parametrize(
    "query",
    [
        "{ nothing }",
        "not graphql",
        "{ accounts { nodes " + "{ parent { id } } " * 3 + "}",
        "{" + " ".join(f"a{n}: tasks {{ id }}" for n in range(900)) + "}",
        "query { ...a } fragment a on Query { tasks { id } ...b } fragment b on Query { ...a }",
        '{ __type(name: "A") ' + "{ ofType " * 30 + "{ name }" + "}" * 30 + "}",
    ],
)
def test_graphql_bad_query_is_an_error_with_code_and_request_id(client: FlaskClient, hub: Hub, query: str) -> None:
    told = ask(client, hub, query)["errors"][0]
    assert told["extensions"]["code"] == "HUB-6001"
    assert told["extensions"]["requestId"]


def test_graphql_fragment_bomb_is_cheap(client: FlaskClient, hub: Hub) -> None:
    import time

    levels = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(24))
    started = time.process_time()
    ask(client, hub, "{ ...f0 } " + levels + " fragment f24 on Query { tasks { id } }")
    assert time.process_time() - started < 2


def sign_in(client: FlaskClient, hub: Hub, role: str = "steward") -> None:
    token = re.search(r'name="token" value="([^"]+)"', client.get("/login").get_data(as_text=True))
    assert token
    answer = client.post("/login", data={"key": key_for(hub, role), "token": token[1]})
    assert answer.status_code == 302


def test_console_needs_a_sign_in_and_forms_need_their_token(client: FlaskClient, hub: Hub) -> None:
    assert client.get("/").status_code == 401
    sign_in(client, hub)
    assert client.get("/").status_code == 200
    assert client.post("/logout", data={"token": "forged"}).status_code == 400


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/records/account",
        "/records/invoice",
        "/records/account?q=acorn",
        "/review",
        "/decisions",
        "/publish",
        "/sources/crm:account:1",
    ],
)
def test_console_page_is_whole_and_safe(client: FlaskClient, hub: Hub, page: str) -> None:
    sign_in(client, hub)
    answer = client.get(page)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<h1>" in text
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert text.replace(OWN_SCRIPT, "").count("<script") == 0, "no script but our own, and none within the page"
    assert not re.search(r'(?:src|href)="https?:', text)


def test_console_record_shows_why_and_escapes_what_sources_say(client: FlaskClient, hub: Hub) -> None:
    sign_in(client, hub)
    id_ = golden_of(hub, "crm:account:1")["id"]
    shown = client.get(f"/records/account/{id_}").get_data(as_text=True)
    assert "crm is the system of record" in shown
    strange = client.get(f"/records/account/{golden_of(hub, 'crm:account:3')['id']}").get_data(as_text=True)
    assert "<script>" not in strange
    assert "&lt;script&gt;" in strange


def test_console_question_is_decided_and_undone(client: FlaskClient, hub: Hub) -> None:
    sign_in(client, hub)
    (task,) = queries.tasks(hub.engine)
    page = client.get(f"/review/{task['id']}").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    late = {"answer": "snooze", "days": "tomorrow", "token": token[1]}
    told = client.post(f"/review/{task['id']}", data=late, follow_redirects=True).get_data(as_text=True)
    assert "&#39;tomorrow&#39; is no whole number from 0 to 365; nothing was changed." in told
    assert "HUB-6001" in told
    after = client.post(f"/review/{task['id']}", data={"answer": "same", "token": token[1]}, follow_redirects=True)
    undo = re.search(r'action="(/undo/[^"]+)"', after.get_data(as_text=True))
    assert undo
    assert queries.tasks(hub.engine) == []
    client.post(undo[1], data={"token": token[1]})
    assert len(queries.tasks(hub.engine)) == 1


def test_queue_of_a_hub_that_took_nothing_in_says_so_and_what_to_do(hub: Hub) -> None:
    fresh = create_app(hub).test_client()
    sign_in(fresh, hub)
    page = fresh.get("/review").get_data(as_text=True)
    assert "Nothing has been taken in yet" in page
    assert "hub ingest SYSTEM FILE" in page


def test_queue_tells_who_may_not_answer_who_does(client: FlaskClient, hub: Hub) -> None:
    sign_in(client, hub, "reader")
    page = client.get("/review").get_data(as_text=True)
    assert "A steward answers these; you are signed in as reader" in page
    assert 'name="answer"' not in page


def test_ingest_door_takes_lines_once_and_needs_the_role(client: FlaskClient, hub: Hub) -> None:
    event = '{"event_id": "u1", "customer": "c", "subscription": "s", "product": "p", "metric": "calls", "quantity": 3, "unit": "call", "ts": "2026-01-01T00:00:00Z"}\nnot json\n'
    headers = {"Authorization": f"Bearer {key_for(hub, 'engineer')}"}
    first = client.post("/ingest/usage", data=event, headers=headers).get_json()
    assert (first["accepted"], first["rejected"]) == (1, 1)
    assert client.post("/ingest/usage", data=event, headers=headers).get_json()["skipped"] == 2
    denied = client.post("/ingest/usage", data=event, headers={"Authorization": f"Bearer {key_for(hub, 'reader')}"})
    assert denied.status_code == 403
