"""Golden records over GraphQL, on the synthetic company: keys, filters, orders, pages, relations, other times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type, is_required_argument

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub import demo, queries
from hub.settings import Settings
from hub.store.access import Principal
from hub.web.graphql.schema import build
from hub.web.graphql.shapes import plural
from hub.wiring import Hub
from tests.conftest import FixedClock, _at, _run

SCHEMA = build()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A small synthetic company, taken in, judged and published; nobody changes it."""
    folder: Path = tmp_path_factory.mktemp("company")
    url, name = None, f"concord_company_{uuid4().hex[:12]}"
    if request.param == "postgresql":
        server, template = (request.getfixturevalue(f"postgres_{part}") for part in ("server", "template"))
        _run(server, f'drop database if exists "{name}" with (force)')
        _run(server, f'create database "{name}" template "{template}"')
        url = _at(server, name)
    made = Hub(Settings(dir=folder, database_url=url), FixedClock())
    made.prepare()
    demo.run(made, 60, lambda _said: None)
    _merge_two(made)
    yield made
    made.engine.dispose()
    if url:
        _run(server, f'drop database if exists "{name}" with (force)')


def _merge_two(hub: Hub) -> None:
    """A steward says that two customers are one, so that a former id leads on."""
    page = '{ accounts(first: 2, filter: {system: "crm"}) { nodes { id sources { sourceKey } } } }'
    one, other = (node["sources"][0]["sourceKey"] for node in ask(hub, page)["accounts"]["nodes"])
    hub.desk(Principal("anna", "steward")).decide("same", SourceKey.parse(one), SourceKey.parse(other), "a call")


def ask(hub: Hub, query: str, **variables: Any) -> dict[str, Any]:
    result = SCHEMA.execute(
        query, context_value={"hub": hub, "principal": Principal("tester", "reader")}, variable_values=variables
    )
    assert result.errors is None, result.errors
    found: dict[str, Any] = result.data
    return found


def refused(hub: Hub, query: str, **variables: Any) -> str:
    context = {"hub": hub, "principal": Principal("tester", "reader")}
    result = SCHEMA.execute(query, context_value=context, variable_values=variables)
    assert result.errors
    return str(result.errors[0].original_error)


@contextmanager
def counted() -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def everything(hub: Hub, entity: str, shown: str = "id", **arguments: str) -> list[dict[str, Any]]:
    """All records of an entity, page by page."""
    found, after = [], ""
    more = "".join(f", {name}: {value}" for name, value in arguments.items())
    while True:
        query = f'{{ {_camel(plural(entity))}(first: 7, after: "{after}"{more}) {{ nodes {{ {shown} }} pageInfo {{ hasNextPage endCursor }} }} }}'
        page = ask(hub, query)[_camel(plural(entity))]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _fields(schema: GraphQLSchema, entity: str) -> dict[str, GraphQLField]:
    page = get_named_type(schema.query_type.fields[_camel(plural(entity))].type)
    record = get_named_type(page.fields["nodes"].type)
    assert isinstance(record, GraphQLObjectType)
    return record.fields


def _selected(name: str, field: GraphQLField) -> str:
    """The field with all leaves below it, lists of other records down to their ids."""
    assert not any(is_required_argument(one) for one in field.args.values())
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return name
    if "edges" in kind.fields:
        return f"{name} {{ nodes {{ id label }} edges {{ cursor }} pageInfo {{ endCursor }} totalCount }}"
    if "redirectedFrom" in kind.fields:
        return f"{name} {{ id label }}"
    return f"{name} {{ {' '.join(_selected(inner, one) for inner, one in kind.fields.items())} }}"


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_field_of_the_schema_costs_a_page_the_same_statements_whatever_its_size(
    company: Hub, entity: str
) -> None:
    page = _camel(plural(entity))
    if len(everything(company, entity)) < 2:
        pytest.fail(f"the company has no two records of {entity} to compare pages of")
    for name, field in _fields(SCHEMA.graphql_schema, entity).items():
        costs = []
        for size in (2, 1, 20):  # the first time rule sets are compiled, once in a process
            query = f"{{ {page}(first: {size}) {{ nodes {{ {_selected(name, field)} }} }} }}"
            with counted() as asked:
                ask(company, query)
            costs.append(len([one for one in asked if one != "BEGIN"]))
        assert costs[1] == costs[2] <= 12, f"{entity}.{name}: {costs}"


def test_relations_three_levels_deep_cost_a_fixed_number_of_statements(company: Hub) -> None:
    query = """query($n: Int) { accounts(first: $n, orderBy: {by: ID}) { nodes { label seller { code }
      invoices(first: 5) { totalCount nodes { number revenueSchedules { nodes { key invoice { account { label } } } } } }
      subscriptions { nodes { number account { label } entitlements { nodes { key product { name } } } } } } } }"""
    costs = {}
    for size in (20, 200):
        with counted() as asked:
            ask(company, query, n=size)
        costs[size] = len([one for one in asked if one != "BEGIN"])
    assert costs[200] <= 25
    assert costs[200] - costs[20] <= 4  # what nobody among the first twenty has is asked for once


def test_record_is_found_by_its_id_by_each_source_key_and_by_natural_keys(company: Hub) -> None:
    for one in everything(company, "account", "id domain taxId { number } sources { sourceKey }")[:40]:
        by_id = "query($id: ID, $key: String) { a: account(id: $id) { id } b: account(sourceKey: $key) { id } }"
        for member in one["sources"]:
            found = ask(company, by_id, id=one["id"], key=member["sourceKey"])
            assert found["a"]["id"] == found["b"]["id"] == one["id"]
    numbers = [one for one in everything(company, "invoice", "id number") if one["number"]]
    for one in numbers:
        found = ask(company, "query($n: String) { invoice(by: {number: $n}) { id } }", n=one["number"])
        assert found["invoice"]["id"] == one["id"]
    assert ask(company, '{ account(id: "acc_none") { id } node(id: "x") { id } }') == {"account": None, "node": None}
    assert "name one account" in refused(company, "{ account { id } }")


def test_natural_key_of_several_records_is_ambiguous_and_says_so(company: Hub) -> None:
    names = [one["legalName"] for one in everything(company, "account", "legalName") if one["legalName"]]
    (twice, *_) = [name for name in names if names.count(name) > 1]
    told = refused(company, "query($n: String) { account(by: {legalName: $n}) { id } }", n=twice)
    assert told.startswith("HUB-4102")


def test_nodes_come_in_the_order_asked_with_null_for_what_is_not_there(company: Hub) -> None:
    ids = [one["id"] for entity in ("account", "invoice", "product") for one in everything(company, entity)[:2]]
    asked = [*reversed(ids), "acc_none"]
    found = ask(company, "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=asked)["nodes"]
    assert [one and one["id"] for one in found] == [*reversed(ids), None]
    assert {one["__typename"] for one in found if one} == {"Account", "Invoice", "Product"}


@pytest.mark.parametrize(
    ("filter_", "holds"),
    [
        ("{status: {eq: \"ACTIVE\"}}", lambda v: v["status"] == "active"),
        ('{status: {in: ["churned", "prospect"]}}', lambda v: v["status"] in ("churned", "prospect")),
        ('{status: {isNull: true}}', lambda v: v["status"] is None),
        ('{not: {status: {eq: "active"}}}', lambda v: v["status"] != "active"),
        ('{legalName: {prefix: "C"}}', lambda v: (v["legalName"] or "").startswith("C")),
        ('{legalName: {gte: "M"}}', lambda v: (v["legalName"] or "") >= "M"),
        ('{billingAddress: {country: {eq: "DE"}}}', lambda v: (v["billingAddress"] or {}).get("country") == "DE"),
        ('{or: [{currency: {eq: "usd"}}, {and: [{currency: {eq: "EUR"}}, {status: {eq: "active"}}]}]}',
         lambda v: v["currency"] == "USD" or (v["currency"], v["status"]) == ("EUR", "active")),
        ('{system: "support"}', lambda v: any(m["system"] == "support" for m in v["sources"])),
        ('{finding: {}}', lambda v: bool(v["findings"])),
        ('{finding: {severity: "warning"}}', lambda v: any(f["severity"] == "warning" for f in v["findings"])),
        ('{seller: {isNull: true}}', lambda v: v["seller"] is None),
        ('{parent: {isNull: false}, or: []}', lambda v: False),
    ],
)  # fmt: skip
def test_filter_gives_exactly_the_records_that_fulfil_it(company: Hub, filter_: str, holds: Any) -> None:
    shown = (
        "id status legalName currency billingAddress { country } sources { system } findings { severity } seller { id }"
    )
    all_of_them = everything(company, "account", shown)
    wanted = {one["id"] for one in all_of_them if holds(one)}
    assert {one["id"] for one in everything(company, "account", filter=filter_)} == wanted
    total = ask(company, f"{{ accounts(first: 0, filter: {filter_}) {{ totalCount }} }}")["accounts"]["totalCount"]
    assert total == len(wanted)


def test_filter_of_amounts_and_dates_compares_numbers_and_days_in_one_currency(company: Hub) -> None:
    shown = "id issuedOn total { amount currency }"
    invoices = everything(company, "invoice", shown)
    limit = sorted(float(one["total"]["amount"]) for one in invoices if (one["total"] or {}).get("currency") == "EUR")[
        1
    ]
    wanted = {
        one["id"]
        for one in invoices
        if one["total"] and one["total"]["currency"] == "EUR" and float(one["total"]["amount"]) > limit
    }
    assert wanted
    assert {
        one["id"] for one in everything(company, "invoice", filter=f'{{total: {{currency: "EUR", gt: "{limit}"}}}}')
    } == wanted
    day = sorted(one["issuedOn"] for one in invoices if one["issuedOn"])[3]
    early = {one["id"] for one in invoices if one["issuedOn"] and one["issuedOn"] <= day}
    assert {one["id"] for one in everything(company, "invoice", filter=f'{{issuedOn: {{lte: "{day}"}}}}')} == early
    assert "within one currency" in refused(company, '{ invoices(filter: {total: {gt: "1"}}) { totalCount } }')
    assert "HUB-6001" in refused(company, '{ invoices(filter: {issuedOn: {gt: "some day"}}) { totalCount } }')


def test_filter_by_reference_finds_what_the_parent_lists(company: Hub) -> None:
    parents = everything(company, "account", "id sources { sourceKey } invoices { totalCount nodes { id } }")
    having = [one for one in parents if one["invoices"]["totalCount"]]
    assert having
    for one in having:
        wanted = {child["id"] for child in one["invoices"]["nodes"]}
        for name in (one["id"], one["sources"][0]["sourceKey"]):
            filter_ = f'{{account: {{eq: "{name}"}}}}'
            assert {child["id"] for child in everything(company, "invoice", filter=filter_)} == wanted
            then = everything(company, "invoice", filter=filter_, believedAt='"2026-10-01T12:00Z"')
            assert {child["id"] for child in then} == wanted


@pytest.mark.parametrize("by", ["ID", "LABEL", "CHANGED_AT", "LEGAL_NAME", "STATUS"])
@pytest.mark.parametrize("descending", ["false", "true"])
def test_order_is_total_and_pages_neither_overlap_nor_miss(company: Hub, by: str, descending: str) -> None:
    shown = "id label changedAt legalName status"
    found = everything(company, "account", shown, orderBy=f"{{by: {by}, descending: {descending}}}")
    keys = [((one[_camel(by.lower())] or "").encode(), one["id"]) for one in found]
    assert keys == sorted(keys, reverse=descending == "true")
    assert len(found) == len({one["id"] for one in found}) == len(everything(company, "account"))


def test_numbers_are_put_in_order_as_numbers(company: Hub) -> None:
    found = everything(company, "usage_record", "quantity", orderBy="{by: QUANTITY}")
    quantities = [float(one["quantity"]) for one in found if one["quantity"] is not None]
    assert quantities == sorted(quantities)


def test_pages_go_backward_to_the_same_records(company: Hub) -> None:
    forward = [one["id"] for one in everything(company, "account", orderBy="{by: LABEL}")]
    backward: list[str] = []
    before = ""
    while True:
        query = f'{{ accounts(last: 7, before: "{before}", orderBy: {{by: LABEL}}) {{ edges {{ cursor node {{ id }} }} pageInfo {{ hasPreviousPage startCursor }} }} }}'
        page = ask(company, query)["accounts"]
        backward = [edge["node"]["id"] for edge in page["edges"]] + backward
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        before = page["pageInfo"]["startCursor"]
    assert backward == forward


@pytest.mark.parametrize(
    "cursor", ["nonsense", "WzFd", "WyJsYWJlbCIsZmFsc2UsIngiLCJ5Il0", "8J-YgA", "W251bGwsbnVsbCxudWxsLDFd"]
)
def test_cursor_that_is_none_of_this_list_is_refused(company: Hub, cursor: str) -> None:
    assert "HUB-6001" in refused(company, f'{{ accounts(after: "{cursor}") {{ totalCount }} }}')


def test_children_of_many_parents_are_paged_for_each_of_them(company: Hub) -> None:
    for size in (1, 2, 50):
        query = f"{{ legalEntities {{ nodes {{ id accounts(first: {size}, orderBy: {{by: LABEL}}) {{ totalCount nodes {{ id label seller {{ id }} }} pageInfo {{ hasNextPage }} }} }} }} }}"
        for parent in ask(company, query)["legalEntities"]["nodes"]:
            page = parent["accounts"]
            assert len(page["nodes"]) == min(size, page["totalCount"])
            assert page["pageInfo"]["hasNextPage"] == (page["totalCount"] > size)
            assert {one["seller"]["id"] for one in page["nodes"]} <= {parent["id"]}
            labels = [one["label"].encode() for one in page["nodes"]]
            assert labels == sorted(labels)


def test_children_are_those_that_the_read_model_of_the_console_lists(company: Hub) -> None:
    query = "{ accounts(first: 200) { nodes { id children { nodes { id } } contacts { nodes { id } } subscriptions { nodes { id } } invoices { nodes { id } } payments { nodes { id } } entitlements { nodes { id } } } } }"
    for parent in ask(company, query)["accounts"]["nodes"]:
        listed = {one["id"] for field, page in parent.items() if field != "id" for one in page["nodes"]}
        known = {
            one["id"]
            for one in queries.record(company.engine, parent["id"]).children
            if one["entity"] in ("account", "contact", "subscription", "invoice", "payment", "entitlement")
        }
        assert listed == known


def test_former_id_leads_on_and_tells_so_in_every_look_up(company: Hub) -> None:
    merged = [one for one in everything(company, "account", "id formerIds") if one["formerIds"]]
    assert merged
    for one in merged:
        (former, *_) = one["formerIds"]
        query = (
            "query($id: ID!) { account(id: $id) { id redirectedFrom } node(id: $id) { id } nodes(ids: [$id]) { id } }"
        )
        found = ask(company, query, id=former)
        assert found["account"] == {"id": one["id"], "redirectedFrom": former}
        assert found["node"]["id"] == found["nodes"][0]["id"] == one["id"]


def test_list_and_record_at_another_time_say_on_what_they_stand(company: Hub) -> None:
    now = {one["id"]: one["label"] for one in everything(company, "account", "id label")}
    for argument, words in (("believedAt", "as the hub believed"), ("asOf", "judged again")):
        query = f'{{ accounts(first: 20, {argument}: "2026-10-01T12:00Z") {{ nodes {{ id label basis seller {{ id basis }} provenance {{ field }} sources {{ sourceKey }} }} }} }}'
        page = ask(company, query)["accounts"]["nodes"]
        assert len(page) == 20
        for one in page:
            assert one["basis"].startswith(words)
            assert one["seller"] is None or one["seller"]["basis"].startswith(words)
            assert one["provenance"]
            assert one["sources"]
        assert {one["id"]: one["label"] for one in page if argument == "believedAt"}.items() <= now.items()
    before = ask(company, '{ accounts(believedAt: "2026-09-01") { totalCount nodes { id } } }')["accounts"]
    assert before == {"totalCount": 0, "nodes": []}
    assert "not for both" in refused(
        company, '{ accounts(believedAt: "2026-09-01", asOf: "2026-09-01") { totalCount } }'
    )
    query = '{ accounts(first: 1, believedAt: "2026-10-02") { nodes { invoices { totalCount } } } }'
    assert "in force only" in refused(company, query)


def test_history_tells_what_changed_between_versions_and_ends_where_asked(company: Hub) -> None:
    shown = (
        "id version history { version validFrom validTo changes { field before after rule } values { field value } }"
    )
    changed = [one for one in everything(company, "account", shown) if one["version"] > 1]
    assert changed
    for one in changed:
        newest = one["history"][0]
        assert (newest["version"], newest["validTo"]) == (one["version"], None)
        assert [v["version"] for v in one["history"]] == list(range(one["version"], 0, -1))
        for version, older in zip(one["history"], one["history"][1:], strict=False):
            values = {v["field"]: v["value"] for v in older["values"]}
            for change in version["changes"]:
                assert values.get(change["field"]) == change["before"] != change["after"]
        query = "query($id: ID, $v: Int) { account(id: $id) { history(first: 1, before: $v) { version } } }"
        assert ask(company, query, id=one["id"], v=one["version"])["account"]["history"] == [
            {"version": one["version"] - 1}
        ]


def test_publications_tell_what_a_target_has_and_what_it_has_still_to_hear(company: Hub) -> None:
    shown = "id version publications { target state acknowledgedVersion versionsBehind owedVersion waitsFor diff { field before after } }"
    states = set()
    for one in everything(company, "account", shown):
        for there in one["publications"]:
            states.add(there["state"])
            if there["state"] == "in step":
                assert (there["acknowledgedVersion"], there["versionsBehind"], there["diff"]) == (one["version"], 0, [])
            if there["state"] == "never sent":
                assert there["acknowledgedVersion"] is None
                assert there["owedVersion"] == one["version"]
                assert there["diff"]
    assert "in step" in states


def test_links_carry_the_evidence_between_members(company: Hub) -> None:
    shown = "id links { sourceKey reason ruleSet evidence { left right score comparisons { name weight } } }"
    joined = [one for one in everything(company, "account", shown) if len(one["links"]) > 1]
    assert joined
    for one in joined:
        for link in one["links"]:
            assert link["reason"]
            for proof in link["evidence"]:
                assert link["sourceKey"] in (proof["left"], proof["right"])
    assert any(link["evidence"] for one in joined for link in one["links"])
