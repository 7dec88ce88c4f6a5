"""GraphQL over HTTP: media types, status codes, GET, limits, and errors that lead on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from graphql import build_client_schema, build_schema, get_introspection_query
from graphql.utilities import find_breaking_changes, print_schema

from hub.store import access
from hub.store.access import Principal
from hub.store.engine import writing
from hub.web.app import create_app
from hub.web.graphql.schema import PRINTED, build
from hub.wiring import Hub
from tests.contract import breaks, promised, undated
from tests.worlds import account, deliver

MODERN = "application/graphql-response+json"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def asked(sqlite_hub: Hub) -> Iterator[Any]:
    """Asks the endpoint with a reader's key."""
    deliver(sqlite_hub, [account("crm", str(n), name=f"Company {n}") for n in range(3)])
    with writing(sqlite_hub.engine) as connection:
        key = access.issue(connection, Principal("reader", "reader"), sqlite_hub.clock())
    with create_app(sqlite_hub).test_client() as client:
        yield Asking(client, {"Authorization": f"Bearer {key}"})


class Asking:
    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def post(self, query: Any, accept: str = MODERN, **sent: Any) -> Any:
        headers = {**self.headers, "Accept": accept}
        return self.client.post("/graphql", json={"query": query, **sent}, headers=headers)

    def get(self, accept: str = MODERN, **said: str) -> Any:
        return self.client.get("/graphql", query_string=said, headers={**self.headers, "Accept": accept})


@pytest.mark.promise("A-18")
def test_answer_comes_in_the_media_type_that_was_asked_for(asked: Asking) -> None:
    for accept, form in ((MODERN, MODERN), ("application/json", "application/json"), ("*/*", "application/json"),
                         (f"{MODERN}, application/json;q=0.9", MODERN)):  # fmt: skip
        reply = asked.post("{ __typename }", accept)
        assert (reply.status_code, reply.content_type) == (200, f"{form}; charset=utf-8"), accept
    assert asked.post("{ __typename }", "text/html").status_code == 406


@pytest.mark.parametrize(("query", "message"), [("{", "Syntax Error"), ("{ nope }", "Cannot query field 'nope'")])
def test_document_that_cannot_be_executed_is_a_400_only_for_those_who_know(
    asked: Asking, query: str, message: str
) -> None:
    modern, plain = asked.post(query), asked.post(query, "application/json")
    assert (modern.status_code, plain.status_code) == (400, 200)
    (error,) = plain.get_json()["errors"]
    assert message in error["message"]
    assert error["extensions"]["docUrl"] == "http://localhost/api/errors/HUB-6001"
    assert asked.client.get("/api/errors/HUB-6001").status_code == 200


def test_requests_that_are_none_are_refused(asked: Asking) -> None:
    client, headers = asked.client, asked.headers
    assert client.post("/graphql", data="{ __typename }", content_type="text/plain", headers=headers).status_code == 415
    assert client.post("/graphql", json=[{"query": "{ __typename }"}], headers=headers).status_code == 400
    for sent in (
        {},
        {"query": 1},
        {"query": "{ __typename }", "variables": "x"},
        {"query": "{ __typename }", "operationName": 1},
    ):
        assert client.post("/graphql", json=sent, headers=headers).status_code == 400, sent
    assert client.post("/graphql", json={"query": "{ __typename }"}).status_code == 401


def test_get_answers_queries_and_no_mutation(asked: Asking) -> None:
    assert (
        asked.get(
            query="query a { __typename } query b { accounts(first: 1) { nodes { id } } }", operationName="b"
        ).status_code
        == 200
    )
    assert asked.get(query="query ($n: Int) { accounts(first: $n) { nodes { id } } }", variables='{"n": 2}').get_json()[
        "data"
    ]["accounts"]["nodes"][1]
    assert asked.get(query="{ __typename }", variables="{").status_code == 400
    reply = asked.get(query='mutation { undo(decision: "x") { done } }')
    assert (reply.status_code, "by POST" in reply.get_json()["errors"][0]["message"]) == (400, True)


def test_named_operation_must_be_there(asked: Asking) -> None:
    both = "query a { __typename } query b { __typename }"
    assert asked.post(both, operationName="a").status_code == 200
    for name in (None, "c"):
        assert asked.post(both, operationName=name).status_code == 400


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ a: node(id: \"x\") { id } " + " ".join(f'a{n}: node(id: "x") {{ id }}' for n in range(61)) + " }", "aliases long"),
        ("{ accounts(first: 200) { nodes { invoices(first: 200) { nodes { account { contacts(first: 200) { nodes { id label } } } } } } } }", "fields large"),
        ("{ accounts { nodes { parent { parent { parent { parent { parent { parent { parent { parent { parent { parent { id } } } } } } } } } } } } }", "levels deep"),
        ("fragment f on Account { ...g } fragment g on Account { ...f } { accounts { nodes { ...f } } }", "Cannot spread fragment"),
    ],
)  # fmt: skip
def test_query_beyond_its_budget_is_refused_before_anything_is_asked(asked: Asking, query: str, message: str) -> None:
    reply = asked.post(query)
    assert reply.status_code == 400
    assert message in reply.get_json()["errors"][0]["message"]


def test_schema_is_told_to_tools_and_not_to_those_who_ask_in_circles(asked: Asking) -> None:
    told = asked.post(get_introspection_query(input_value_deprecation=True)).get_json()["data"]
    assert build_client_schema(told).query_type
    circle = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    assert "introspection depth" in asked.post(circle).get_json()["errors"][0]["message"]


def test_value_that_is_null_is_as_if_it_were_left_out(asked: Asking) -> None:
    (error,) = asked.post("{ account(by: {legalName: null}) { id } }").get_json()["errors"]
    assert "name one account by" in error["message"]
    assert "errors" not in asked.post("{ tasks(first: null, after: null) { id } }").get_json()


def test_cost_counts_what_variables_ask_for_and_is_told(asked: Asking) -> None:
    query = "query ($n: Int!) { accounts(first: $n) { nodes { id label } } }"
    costs = [asked.post(query, variables={"n": n}).get_json()["extensions"]["cost"] for n in (1, 10)]
    assert costs == [1 + 1 + 2 * 1, 1 + 10 + 2 * 10]
    deep = "query ($n: Int!) { accounts(first: $n) { nodes { invoices(first: $n) { nodes { id label state version } } } } }"
    assert asked.post(deep, variables={"n": 10}).status_code == 200
    assert asked.post(deep, variables={"n": 200}).status_code == 400


@pytest.mark.promise("A-13")
def test_printed_schema_is_the_one_that_is_served_and_breaks_nothing() -> None:
    """After a change on purpose: `python -m hub.web.graphql.schema`. What only adds is additive; the rest is breaking."""
    served = build().graphql_schema
    printed = PRINTED.read_text("utf-8")
    breaking = find_breaking_changes(build_schema(printed), build_schema(print_schema(served)))
    assert not [one.description for one in breaking]
    assert print_schema(served) + "\n" == printed


def test_schema_breaks_no_promise_of_the_last_release() -> None:
    """After a break on purpose, with a line in the changelog: `python -m tests.contract`."""
    assert breaks(promised(), PRINTED.read_text("utf-8")) == []


def test_field_that_went_or_changed_its_type_is_a_break() -> None:
    before = "type Query { a: Int! b(x: Int): String }"
    assert breaks(before, "type Query { a: Int! b(x: Int, y: Int): String c: Int }") == []
    for after in ("type Query { a: Int! }", "type Query { a: Int b(x: Int): String }",
                  "type Query { a: Int! b(x: Int, y: Int!): String }"):  # fmt: skip
        assert breaks(before, after)


def test_what_is_deprecated_says_until_when_it_stays() -> None:
    assert undated(build().graphql_schema) == []
    said = (
        'type Query { a: Int @deprecated(reason: "Use b.") b: Int @deprecated(reason: "Goes on 2027-06-30; use c.") }'
    )
    assert undated(build_schema(said)) == ["Query.a"]
